"""What is fitted without the loop: the baselines that stand beside every network."""

ESTIMATORS = {
    "ridge": "neuroloom.estimators.ridge:Ridge",
    "logistic": "neuroloom.estimators.logistic:Logistic",
    "linear_svm": "neuroloom.estimators.linear_svm:LinearSVM",
    "lda": "neuroloom.estimators.lda:LDA",
    "gaussian_process": "neuroloom.estimators.gaussian_process:GaussianProcess",
    "csp_lda": "neuroloom.estimators.csp_lda:CSPLDA",
    "filter_bank_csp": "neuroloom.estimators.filter_bank_csp:FilterBankCSP",
    "xdawn_tangent": "neuroloom.estimators.xdawn_tangent:XdawnTangent",
    "riemann_svm": "neuroloom.estimators.riemann_svm:RiemannSVM",
    "band_power": "neuroloom.estimators.band_power:BandPower",
    "time_lda": "neuroloom.estimators.time_lda:TimeLDA",
    "line_length": "neuroloom.estimators.line_length:LineLength",
    "template_matching": "neuroloom.estimators.template_matching:TemplateMatching",
}
MAP_ESTIMATORS = {  # fitted on label maps, not on features
    "average_map": "neuroloom.estimators.average_map:AverageMap",
}
