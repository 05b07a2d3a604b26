"""How much each class weighs: the task says it, for every learner alike."""

import numpy as np


def weight_of(class_weight):
    """Return scikit-learn's word for the task's ``class_weight`` (``balanced`` or ``none``)."""
    return "balanced" if class_weight == "balanced" else None


def class_mean(errors, y, class_weight):
    """Return the mean of errors (n_samples,) over the classes where they weigh the same, else over samples."""
    if class_weight == "none":
        return np.mean(errors)
    return np.mean([errors[y == value].mean() for value in np.unique(y)])
