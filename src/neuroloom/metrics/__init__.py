"""What a prediction is worth: one file a family, found by name in ``METRICS``."""

METRICS = {
    "auc": "neuroloom.metrics.discrimination:auc",
    "average_precision": "neuroloom.metrics.discrimination:average_precision",
    "accuracy": "neuroloom.metrics.decision:accuracy",
    "balanced_accuracy": "neuroloom.metrics.decision:balanced_accuracy",
    "sensitivity": "neuroloom.metrics.decision:sensitivity",
    "specificity": "neuroloom.metrics.decision:specificity",
    "f1": "neuroloom.metrics.decision:f1",
    "kappa": "neuroloom.metrics.decision:kappa",
    "brier": "neuroloom.metrics.calibration:brier",
    "log_loss": "neuroloom.metrics.calibration:log_loss",
    "ece": "neuroloom.metrics.calibration:ece",
    "calibration_slope": "neuroloom.metrics.calibration:calibration_slope",
    "calibration_intercept": "neuroloom.metrics.calibration:calibration_intercept",
    "mae": "neuroloom.metrics.regression:mae",
    "rmse": "neuroloom.metrics.regression:rmse",
    "r2": "neuroloom.metrics.regression:r2",
    "pearson": "neuroloom.metrics.regression:pearson",
    "spearman": "neuroloom.metrics.regression:spearman",
    "icc": "neuroloom.metrics.agreement:icc",
    "bias_slope": "neuroloom.metrics.regression:bias_slope",
}
