"""Classify: which of some classes a sample belongs to."""

import numpy as np
import torch
import torch.nn.functional as F

from neuroloom.errors import NeuroloomError


class Classify:
    """Predict class probabilities; classes weigh the same in the loss unless said otherwise.

    Parameters
    ----------
    class_weight : str
        ``balanced`` (each class has the same total weight) or ``none``.
    label_smoothing : float
        Share of the label spread over all classes.
    """

    kind = "classify"
    target_kind = "class"
    primary = "auc"

    def __init__(self, class_weight="balanced", label_smoothing=0.0):
        if class_weight not in ("balanced", "none"):
            raise NeuroloomError(f"task classify: class_weight is 'balanced' or 'none', not {class_weight!r}.")
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing
        self.classes = ()
        self.weights = None
        self.warnings = []

    def prepare(self, target, fit_rows):
        """Learn the class weights from the fit part; every class must be in it."""
        counts = np.bincount(target.values[fit_rows], minlength=len(target.classes))
        absent = [name for name, count in zip(target.classes, counts, strict=True) if count == 0]
        if absent:
            raise NeuroloomError(
                f"The fit part of a fold holds nobody of class {absent[0]!r} of {target.name!r}; "
                "use fewer folds, or leave the class out with cohort.where."
            )
        self.classes = target.classes
        balanced = counts.sum() / (len(counts) * counts)
        self.weights = balanced if self.class_weight == "balanced" else np.ones(len(counts))
        return self

    @property
    def n_outputs(self):
        return len(self.classes)

    def players(self, network):
        """Return the parameters of each network that has a loss of its own: there is one."""
        return {"network": list(network.parameters())}

    def loss(self, player, network, batch):
        """Return the weighted cross-entropy of a batch."""
        logits = network(batch.inputs, batch.present, batch.lengths)["output"]
        weights = torch.as_tensor(self.weights, dtype=logits.dtype, device=logits.device)
        return F.cross_entropy(logits, batch.target["target"], weights, label_smoothing=self.label_smoothing)

    def predict(self, output):
        """Return probabilities (n, n_classes) from logits of that shape."""
        return torch.softmax(torch.as_tensor(output, dtype=torch.float64), dim=1).numpy()

    def calibrate(self, raw, truth):
        """Nothing is calibrated: probabilities are reported as the learner gives them."""
        return self

    def error(self, raw, truth):
        """Return the mean log loss of probabilities (n, n_classes), classes weighing the same; what a search lowers."""
        surprise = -np.log(np.clip(raw[np.arange(len(truth)), truth], 1e-12, 1))
        return float(np.mean([surprise[truth == value].mean() for value in np.unique(truth)]))

    def columns(self, name, raw):
        """Return prediction columns of ``predictions.csv``: the likeliest class, and each probability."""
        named = {f"prediction_{name}": np.array(self.classes, dtype=object)[raw.argmax(axis=1)]}
        return named | {f"prediction_p_{label}": raw[:, number] for number, label in enumerate(self.classes)}

    def state(self):
        """Return what was learned from the fit people: a weight for each class."""
        return {"weights": np.asarray(self.weights, dtype=np.float64)}

    def load_state(self, state, told):
        """Take up what `state` and `told` returned."""
        self.weights, self.classes = state["weights"], tuple(told["classes"])
        return self

    def told(self):
        """Return what is needed beside `state`, as JSON has it."""
        return {"classes": list(self.classes)}
