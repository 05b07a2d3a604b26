"""Setting: what every part of one evaluation shares: the metrics of the task, the columns, the seed."""

import numpy as np

from neuroloom.known import check_known, locate
from neuroloom.metrics import METRICS
from neuroloom.validation.scores import score

TWO_CLASSES = (
    "auc",
    "average_precision",
    "balanced_accuracy",
    "accuracy",
    "sensitivity",
    "specificity",
    "f1",
    "brier",
    "log_loss",
)
MORE_CLASSES = ("auc", "average_precision", "balanced_accuracy", "accuracy", "f1", "kappa", "brier", "log_loss")
NUMBERS = ("mae", "rmse", "r2", "pearson", "spearman", "bias_slope")
OF_GROUPS = {"classify": ("auc", "balanced_accuracy", "accuracy"), "regress": ("mae", "pearson")}


class Setting:
    """What every part of one evaluation shares.

    Parameters
    ----------
    kind : str
        ``classify`` or ``regress``.
    tested : Tested
    deep : str
        The learner that the page is about.
    unit : str
    permutations, seed : int
    primary : str or None
        auc (balanced_accuracy where no fold holds two classes) or mae unless said.
    groups, confounds : sequence of str
        Columns of the people; those that are not there, and the target, are left out.
    """

    def __init__(self, kind, tested, deep, unit, permutations, seed, primary, groups, confounds):
        self.kind, self.tested, self.deep = kind, tested, deep
        self.unit, self.permutations, self.seed = unit, permutations, seed
        names = NUMBERS if kind == "regress" else TWO_CLASSES if len(tested.classes) == 2 else MORE_CLASSES
        self.metrics = [locate("metric", METRICS, name) for name in names]
        self.primary = self.metric(primary or self._usual_primary())
        self.of_groups = [self.metric(name) for name in dict.fromkeys((self.primary.name, *OF_GROUPS[kind]))]
        columns = [name for name in tested.people if name != tested.target]
        self.has_site = "site" in columns
        asked = [name for name in groups if name in tested.people and name != "site"]
        self.groups = [name for name in asked if name != tested.target or kind == "regress"]
        self.confounds = [name for name in confounds if name in columns]
        told = dict.fromkeys(("site", "age", "sex", *groups, *confounds))
        self.told = [name for name in told if name in columns and name != "participant_id"]

    def metric(self, name):
        """Return one of the metrics of this task."""
        check_known("metric of this task", name, [metric.name for metric in self.metrics])
        return next(metric for metric in self.metrics if metric.name == name)

    def _usual_primary(self):
        if self.kind == "regress":
            return "mae"
        defined = not np.isnan(score(self.metric("auc"), self.tested.outcomes[self.deep]))
        return "auc" if defined else "balanced_accuracy"
