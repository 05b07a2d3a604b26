"""The two kinds of learner, trained network and estimator, on one path: fit, predict, save, load."""

import copy
import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from neuroloom.cohort.folds import unit_groups
from neuroloom.errors import NeuroloomError, listed
from neuroloom.estimators import ESTIMATORS
from neuroloom.estimators.confounds import ConfoundFeatures
from neuroloom.formats.atomic import atomic_write
from neuroloom.formats.limits import read_json
from neuroloom.known import locate
from neuroloom.models.network import build_network, windows_in_a_row
from neuroloom.parts import Part, build
from neuroloom.sampling.neighbours import Neighbours
from neuroloom.seeds import key_number
from neuroloom.tasks import TASKS
from neuroloom.training.checkpoint import read_arrays, read_weights, write_arrays, write_weights
from neuroloom.training.inputs import FoldInputs
from neuroloom.training.items import Items
from neuroloom.training.loop import Loop, chosen_device
from neuroloom.training.seen import seen_people
from neuroloom.training.settings import TrainingSettings
from neuroloom.training.trial_items import Trials, check_one_input, check_rate, sampling_rate_of
from neuroloom.transforms import AUGMENTATIONS
from neuroloom.transforms.flatten import flat_names, flatten


@dataclass(frozen=True)
class InputPlan:
    """What an input is made from: the cohort's source, the per-scan chain (cached), the fitted chain."""

    source: str
    scan: tuple[Part, ...] = ()
    fitted: tuple[Part, ...] = ()

    def as_dict(self):
        """Return the plan as JSON has it."""
        told = {"source": self.source, "scan": [part.as_dict() for part in self.scan]}
        return told | {"fitted": [part.as_dict() for part in self.fitted]}

    @classmethod
    def from_dict(cls, told):
        """Return the plan that `as_dict` told."""
        return cls(told["source"], *(tuple(Part(**part) for part in told[key]) for key in ("scan", "fitted")))


@dataclass(frozen=True)
class Plan:
    """What a learner is made of; JSON can say all of it.

    Parameters
    ----------
    name : str
        As in predictions.csv.
    kind : str
        ``trained`` or ``estimator``.
    part : Part
        The network or estimator.
    inputs : dict of InputPlan
        By name. Empty for the confounds-only model.
    task : Part
    confounds : tuple of str
        Columns that the confounds-only model sees; empty for the others.
    training : dict
        Training settings of a trained learner.
    label : str
        What a reader calls it; empty for its name.
    """

    name: str
    kind: str
    part: Part
    inputs: dict[str, InputPlan]
    task: Part
    confounds: tuple[str, ...] = ()
    training: dict = field(default_factory=dict)
    label: str = ""

    def as_dict(self):
        """Return the plan as JSON has it."""
        told = {"name": self.name, "kind": self.kind, "part": self.part.as_dict()}
        told["inputs"] = {name: plan.as_dict() for name, plan in self.inputs.items()}
        return told | {
            "task": self.task.as_dict(),
            "confounds": list(self.confounds),
            "training": self.training,
            "label": self.label,
        }

    @classmethod
    def from_dict(cls, told):
        """Return the plan that `as_dict` told."""
        inputs = {name: InputPlan.from_dict(plan) for name, plan in told["inputs"].items()}
        task, confounds = Part(**told["task"]), tuple(told["confounds"])
        part, training = Part(**told["part"]), told["training"]
        return cls(told["name"], told["kind"], part, inputs, task, confounds, training, told.get("label", ""))


LEARNERS = {  # by what is asked, and the two kinds
    "column trained": "neuroloom.training.learner:Trained",
    "column estimator": "neuroloom.training.learner:Estimator",
    "labels trained": "neuroloom.training.segmenter:Segmenter",
    "labels estimator": "neuroloom.training.segmenter:MapLearner",
}


def make_learner(plan):
    """Return an unfitted learner of a plan."""
    of_labels = locate("task", TASKS, plan.task.name).target_kind == "labels"
    return locate("learner", LEARNERS, f"{'labels' if of_labels else 'column'} {plan.kind}")(plan)


def load_learner(folder):
    """Return a fitted learner from its folder."""
    told = read_json(Path(folder) / "fitted.json")
    learner = make_learner(Plan.from_dict(told["plan"]))
    learner.told_seen = told["seen"]
    learner.load(Path(folder), told)
    return learner


class Learner:
    """What both kinds share: fitted inputs, the task's state, and who was seen."""

    def __init__(self, plan):
        self.plan = plan
        self.inputs = FoldInputs({name: one.fitted for name, one in plan.inputs.items()})
        self.task = build("task", TASKS, plan.task)

    @property
    def warnings(self):
        """What the learner itself says about the data that it was fitted on."""
        return []

    def prepare(self, data, fold, seed):
        """Fit what is fitted before the learner: steps of the inputs, the task; and keep hashes of the people who are seen."""
        self.inputs.fit(data, fold.fit)
        self.task.prepare(data.target, fold.fit)
        self.told_seen = seen_people(data.people[np.concatenate([fold.fit, fold.tune])], seed)

    def calibrate(self, data, fold):
        """Fit what makes answers calibrated, on the tune part."""
        raw = self.predict(data, fold.tune) if len(fold.tune) else np.empty(0)
        self.task.calibrate(raw, data.target.values[fold.tune])

    def beside(self):
        """Return other learners that were fitted with this one and are scored beside it."""
        return []

    def save_state(self, folder, **told):
        """Write fitted transforms and the task's state; ``told`` is what JSON says beside the plan."""
        arrays = {f"inputs.{key}": array for key, array in self.inputs.state().items()}
        arrays |= {f"task.{key}": array for key, array in self.task.state().items()}
        write_arrays(folder / "state.safetensors", arrays)
        content = {
            "plan": self.plan.as_dict(),
            "task": self.task.told(),
            "names": self.inputs.names,
            "given": self.inputs.given,
            "warnings": [*self.inputs.warnings, *self.warnings, *self.task.warnings],
            "seen": self.told_seen,
            **told,
        }
        atomic_write(folder / "fitted.json", json.dumps(content, indent=1).encode())

    def load_state(self, folder, told):
        """Take up from a folder what was fitted before the learner."""
        state = read_arrays(folder / "state.safetensors")
        self.inputs.load_state(_below(state, "inputs"))
        self.inputs.names, self.inputs.given = told["names"], told["given"]
        self.task.load_state(_below(state, "task"), told["task"])

    def columns(self, target_name, raw):
        """Return the columns of the table of predictions."""
        return self.task.columns(target_name, raw)


def last_epoch(name):
    """Return the name of the learner with the weights of the last epoch, beside that of the chosen ones."""
    return f"{name}-last-epoch"


class Trained(Learner):
    """A network, trained by the loop."""

    last = None

    def fit(self, data, fold, seed, folder, on_epoch=lambda row: None):
        """Train on the fit part, choose on the tune part, and save into the folder."""
        self.prepare(data, fold, seed)
        settings = TrainingSettings(**self.plan.training)
        key = (seed, fold.repeat, fold.index, self.plan.name)
        sampling, stores = self._sampled(data, np.concatenate([fold.fit, fold.tune]))
        fit_items = Items(stores, sampling, fold.fit, data.target.values)
        self.told_network = _told_network(stores, fit_items, self.task.n_outputs)
        tune_items = Items(stores, sampling, fold.tune, data.target.values, self.told_network["shapes"])
        torch.manual_seed(key_number(*key, "weights"))
        self.network = self._network()
        augmentations = [build("augmentation", AUGMENTATIONS, part) for part in settings.augmentation]
        loop = Loop(self.network, self.task, settings, augmentations, key, chosen_device(settings.device))
        checkpoint = folder / "checkpoint.safetensors"
        history = loop.run(fit_items, tune_items, checkpoint, on_epoch)
        self.calibrate(data, fold)
        self._save(folder, history)
        checkpoint.unlink(missing_ok=True)
        self.last = loop.last if settings.show_last else None
        return self

    def beside(self):
        """Return other learners of the same training: that of the last epoch, where it is to be shown.

        Only a learner that was just trained has one; it is not kept.
        """
        if self.last is None:
            return []
        other = copy.copy(self)
        other.plan = replace(self.plan, name=last_epoch(self.plan.name))
        other.network = copy.deepcopy(self.network)
        other.network.load_state_dict(self.last)
        return [other]

    def predict(self, data, rows):
        """Return the task's predictions for some rows, in their order."""
        return self.task.predict(self.outputs(data, rows)["output"])

    @torch.no_grad()
    def outputs(self, data, rows):
        """Return the network's outputs for some rows, joined over items: name -> (rows, ...)."""
        rows = np.asarray(rows)
        sampling, stores = self._sampled(data, rows)
        items = Items(stores, sampling, rows, shapes=self.told_network["shapes"])
        self.network.eval()
        device = next(self.network.parameters()).device
        batches = (items.batch(n, device) for n in items.batches(self.plan.training.get("batch_size", 16)))
        made = [self.network(batch.inputs, batch.present, batch.lengths) for batch in batches]
        return {name: items.joined(torch.cat([m[name] for m in made]).cpu().numpy()) for name in made[0]}

    def _sampled(self, data, rows):
        """Return how samples are cut for this network, and the stores of the rows that it then sees."""
        windows = windows_in_a_row(self.plan.part)
        if windows is None:
            return data.sampling, self.inputs.stores(data, rows)
        table = data.cohort.table
        sampling = Neighbours(table["recording_id"].astype(str).to_numpy(), table["onset"].to_numpy(), windows)
        return sampling, self.inputs.stores(data, sampling.seen(rows))

    def _network(self):
        told = self.told_network
        shapes = {name: tuple(shape) for name, shape in told["shapes"].items()}
        network = build_network(self.plan.part, shapes, told["kinds"], told["n_outputs"])
        if any(len(shape) == 4 for shape in shapes.values()):
            network = network.to(memory_format=torch.channels_last_3d)
        return network

    def _save(self, folder, history):
        pd.DataFrame(history).to_csv(folder / "history.csv", index=False)
        write_weights(folder / "model.safetensors", self.network)
        n_parameters = sum(parameter.numel() for parameter in self.network.parameters())
        self.save_state(folder, network=self.told_network, n_parameters=n_parameters)

    def load(self, folder, told):
        """Take up a network and what was fitted before it."""
        self.load_state(folder, told)
        self.told_network = told["network"]
        self.network = read_weights(folder / "model.safetensors", self._network())


def _told_network(stores, items, n_outputs):
    """Return what a network is built for: shape and kind of each input, and the number of outputs."""
    shapes = {name: list(array.shape) for name, array in items.blank.items()}
    return {"shapes": shapes, "kinds": {name: store.kind for name, store in stores.items()}, "n_outputs": n_outputs}


class Estimator(Learner):
    """Something fitted without the loop: a linear model, a process, or the confounds-only model."""

    def __init__(self, plan):
        super().__init__(plan)
        self.confounds = ConfoundFeatures(plan.confounds) if plan.confounds else None
        of_classes = locate("estimator", ESTIMATORS, plan.part.name).target_kind == "class"
        weighing = {"class_weight": self.task.class_weight} if of_classes else {}
        self.estimator = build("estimator", ESTIMATORS, plan.part, **weighing)
        self.n_features = None
        self.told_series = {}
        if self.takes_series:
            check_one_input(plan.name, plan.inputs)

    def fit(self, data, fold, seed, folder, on_epoch=lambda row: None):
        """Fit on the fit part, and save into the folder."""
        self.prepare(data, fold, seed)
        if self.confounds:
            self.confounds.fit(data.cohort.table.iloc[fold.fit])
        groups = unit_groups(data.cohort, fold.unit)[fold.fit]
        draw = key_number(seed, fold.repeat, fold.index, self.plan.name) % 2**31
        if self.takes_series:
            self._fit_trials(data, fold.fit, groups, draw)
        else:
            features = self.features(data, fold.fit)
            self.n_features = features.shape[1]
            self.estimator.fit(features, data.target.values[fold.fit], groups, seed=draw)
        self.calibrate(data, fold)
        write_arrays(folder / "model.safetensors", self._arrays())
        self.save_state(folder, n_features=self.n_features, series=self.told_series)
        return self

    def predict(self, data, rows):
        """Return the task's predictions for some rows: numbers (n,), or probabilities (n, n_classes)."""
        if self.takes_series:
            return self._trials(data, np.asarray(rows)).answers(self.estimator.predict)
        return self.estimator.predict(self.features(data, np.asarray(rows)))

    @property
    def warnings(self):
        return getattr(self.estimator, "warnings", [])

    @property
    def takes_series(self):
        """Whether the estimator sees trials (n, channel, time) in place of flat features."""
        return getattr(self.estimator, "takes", None) == "series"

    def _fit_trials(self, data, rows, groups, draw):
        """Fit on the items of some rows; each has target and unit of its row."""
        trials = self._trials(data, rows)
        self.told_series = {"shape": list(trials.shape), "sampling_rate": self._sampling_rate(data, rows)}
        of_rate = (
            {"sampling_rate": self.told_series["sampling_rate"]} if getattr(self.estimator, "needs_rate", False) else {}
        )
        places = trials.places
        with trials.named():
            self.estimator.fit(trials.all(), data.target.values[rows][places], groups[places], seed=draw, **of_rate)

    def _trials(self, data, rows):
        """Return the `Trials` of some rows, which must be such as were fitted on."""
        trials = Trials(self.plan.name, self.inputs.stores(data, rows), data.sampling, rows)
        known = self.told_series
        if known and list(trials.shape) != known["shape"]:
            raise NeuroloomError(
                f"{self.plan.name}: {data.cohort.samples[rows[0]]}: trials of (channels, time points) {trials.shape}, but "
                f"this learner was fitted on {tuple(known['shape'])}. Cut and clean them in the same way."
            )
        if known:
            check_rate(
                self.plan.name, data.cohort.samples[rows[0]], self._sampling_rate(data, rows), known["sampling_rate"]
            )
        return trials

    def _sampling_rate(self, data, rows):
        [name] = self.inputs.chains
        return sampling_rate_of(self.plan.name, data.stores[name], rows)

    def features(self, data, rows):
        """Return all inputs of some rows side by side, shape (n, features), float64."""
        if self.confounds:
            return self.confounds.transform(data.cohort.table.iloc[rows])
        stores = self.inputs.stores(data, rows)
        parts = [flatten(store.stack(rows), store.kind).astype(np.float64) for store in stores.values()]
        features = np.concatenate(parts, axis=1)
        self._check_width(features)
        self._check_known(features, stores, data, rows)
        return features

    def feature_names(self, kinds):
        """Return the names of the features in the order of `features`, None for an input without names."""
        names = []
        for name, kind in kinds.items():
            known = self.inputs.names.get(name)
            names += [None] if known is None else flat_names(known, kind)
        return names

    def _check_width(self, features):
        if self.n_features not in (None, features.shape[1]):
            raise NeuroloomError(
                f"{self.plan.name}: the inputs make {features.shape[1]} features, but this learner was fitted on "
                f"{self.n_features}. Series must be of one length for it: put {{name: covariance}} or "
                "{name: crop_series, ...} into the input's chain."
            )

    def _check_known(self, features, stores, data, rows):
        missing = ~np.isfinite(features)
        if missing.any():
            people = listed(np.array(data.cohort.samples)[rows[missing.any(axis=1)]])
            raise NeuroloomError(
                f"{self.plan.name}: {int(missing.any(axis=0).sum())} of {features.shape[1]} features of "
                f"{', '.join(stores)} are missing (NaN) in {int(missing.any(axis=1).sum())} samples: {people}. "
                "Put {name: impute} at the end of the input's chain, or leave the samples out."
            )

    def _arrays(self):
        arrays = {f"estimator.{key}": array for key, array in self.estimator.state().items()}
        if self.confounds:
            arrays |= {f"confounds.{key}": array for key, array in self.confounds.state().items()}
        return arrays

    def load(self, folder, told):
        """Take up an estimator and what was fitted before it."""
        self.load_state(folder, told)
        arrays = read_arrays(folder / "model.safetensors")
        self.estimator.load_state(_below(arrays, "estimator"))
        self.n_features, self.told_series = told["n_features"], told.get("series", {})
        if self.confounds:
            self.confounds.load_state(_below(arrays, "confounds"))


def _below(arrays, prefix):
    return {key[len(prefix) + 1 :]: array for key, array in arrays.items() if key.startswith(prefix + ".")}
