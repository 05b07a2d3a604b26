"""What is fitted without the loop: the baselines that stand beside every network."""

ESTIMATORS = {
    "ridge": "neuroloom.estimators.ridge:Ridge",
    "logistic": "neuroloom.estimators.logistic:Logistic",
    "linear_svm": "neuroloom.estimators.linear_svm:LinearSVM",
    "gaussian_process": "neuroloom.estimators.gaussian_process:GaussianProcess",
}
MAP_ESTIMATORS = {  # fitted on label maps, not on features
    "average_map": "neuroloom.estimators.average_map:AverageMap",
}
