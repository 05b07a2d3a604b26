"""Learners of segmentation: a network that answers each voxel, and what can be said without looking at a scan."""

import numpy as np
import pandas as pd
import torch

from neuroloom.errors import NeuroloomError
from neuroloom.estimators import MAP_ESTIMATORS
from neuroloom.metrics.overlap import overlap
from neuroloom.models.network import build_network
from neuroloom.models.voxel_answer import posterior_slabs
from neuroloom.models.voxel_plan import plan_answer
from neuroloom.parts import build
from neuroloom.seeds import generator, key_number, torch_generator
from neuroloom.training.checkpoint import read_arrays, read_weights, write_arrays, write_weights
from neuroloom.training.inputs import FoldInputs
from neuroloom.training.items import Items, as_tensor
from neuroloom.training.learner import Learner
from neuroloom.training.loop import Loop, chosen_device, made_inputs
from neuroloom.training.settings import TrainingSettings
from neuroloom.transforms import AUGMENTATIONS


class OfMaps(Learner):
    """What both learners share: the truth is an input of label maps, and nothing is fitted before the learner."""

    def __init__(self, plan):
        super().__init__(plan)
        fitted = [name for name, one in plan.inputs.items() if one.fitted]
        if fitted:
            raise NeuroloomError(
                f"input {fitted[0]!r}: {plan.inputs[fitted[0]].fitted[0].name} is fitted on people, which segmentation does "
                "not use. Take it out of the chain."
            )
        self.inputs = FoldInputs({})

    def columns(self, target_name, raw):
        return self.task.columns(target_name, raw)

    def truth(self, data, row):
        """Return the class of each voxel of a sample, (i, j, k) int64."""
        labels = as_tensor(np.asarray(data.stores[self.task.target][row]))
        try:
            return self.task.as_classes(labels).numpy()
        except NeuroloomError as error:
            raise NeuroloomError(f"{data.cohort.samples[row]}: {error}") from None


class Segmenter(OfMaps):
    """A network that answers each voxel, trained by the loop on patches.

    Attributes
    ----------
    windows : set of (int, int, int)
        Sizes of the windows that scans were seen in, where they were not seen whole for want of memory.
    """

    def __init__(self, plan):
        super().__init__(plan)
        self.windows = set()

    def fit(self, data, fold, seed, folder, on_epoch=lambda row: None):
        """Train on patches of the fit part, choose on the tune part, and save into the folder."""
        self.prepare(data, fold, seed)
        settings, key = TrainingSettings(**self.plan.training), (seed, fold.repeat, fold.index, self.plan.name)
        names = [name for name in (*self.plan.inputs, data.target.name) if name in data.stores]
        stores = {name: data.stores[name] for name in dict.fromkeys(names)}
        fit_items = Items(stores, data.sampling, fold.fit, draw=generator(*key, "items"))
        tune_items = Items(stores, data.sampling, fold.tune, draw=generator(*key, "tune items"))
        augmentations = self.augmentations()
        example = made_inputs(augmentations, fit_items.batch(np.arange(1)), torch_generator(*key, "example"))
        shapes = {name: list(example.inputs[name].shape[1:]) for name in self.plan.inputs}
        self.told_network = {"shapes": shapes, "n_outputs": self.task.n_outputs}
        torch.manual_seed(key_number(*key, "weights"))
        self.network = self._network()
        torch.manual_seed(key_number(*key, "critic"))
        trained = self.task.in_training(self.network, shapes[self.network.input_name][0])
        loop = Loop(trained, self.task, settings, augmentations, key, chosen_device(settings.device))
        checkpoint = folder / "checkpoint.safetensors"
        history = loop.run(fit_items, tune_items, checkpoint, on_epoch)
        pd.DataFrame(history).to_csv(folder / "history.csv", index=False)
        write_weights(folder / "model.safetensors", self.network)
        n_parameters = sum(parameter.numel() for parameter in self.network.parameters())
        self.save_state(folder, network=self.told_network, n_parameters=n_parameters)
        checkpoint.unlink(missing_ok=True)
        return self

    def augmentations(self):
        """Return the steps that change a batch in training."""
        settings = TrainingSettings(**self.plan.training)
        return [build("augmentation", AUGMENTATIONS, part) for part in settings.augmentation]

    def _network(self):
        shapes = {name: tuple(shape) for name, shape in self.told_network["shapes"].items()}
        return build_network(self.plan.part, shapes, dict.fromkeys(shapes, "volume"), self.told_network["n_outputs"])

    def load(self, folder, told):
        """Take up a network and what was fitted before it."""
        self.load_state(folder, told)
        self.told_network = told["network"]
        self.network = read_weights(folder / "model.safetensors", self._network())

    def predict(self, data, rows):
        """Return how the answers for some rows agree with the truth, as `Segment.columns` takes it.

        Where scans are made of label maps, each map is seen in every known contrast, unmoved, the same each time.
        """
        makers = [one for one in self.augmentations() if getattr(one, "makes_inputs", False)]
        torch.set_num_threads(TrainingSettings(**self.plan.training).threads)
        found = [self._on_made(data, int(row), makers[0]) if makers else self._on_own(data, int(row)) for row in rows]
        scans = makers[0].names if makers else ["scan"]
        volumes = [ml for _, ml in found]
        if np.ptp(volumes) > 1e-6:
            raise NeuroloomError(
                "Label maps of different voxel sizes are scored: put {name: resample, ...} into the chain."
            )
        return {"counts": np.stack([counts for counts, _ in found]), "scans": scans, "ml": volumes[0]}

    def _on_made(self, data, row, maker):
        labels = as_tensor(np.asarray(data.stores[maker.labels][row]))[None]
        sample, counts = data.cohort.samples[row], []
        for contrast in maker.names:
            inputs, truth = maker.seen_in(contrast, labels, torch_generator(0, "seen in", contrast, sample))
            counts.append(overlap(truth.numpy(), self.classes({maker.scan: inputs}), self.task.n_outputs))
        return np.stack(counts), maker.voxel_ml

    def _on_own(self, data, row):
        inputs = {name: torch.from_numpy(np.array(data.stores[name][row]))[None] for name in self.plan.inputs}
        counts = overlap(self.truth(data, row), self.classes(inputs), self.task.n_outputs)
        return counts[None], voxel_ml(data.stores[self.task.target].geometry(row))

    def classes(self, inputs):
        """Return the likeliest class of each voxel of one scan, (i, j, k) int64."""
        slabs = self._slabs(inputs, held=16)  # int64, and once more when put together
        return torch.cat([slab.argmax(dim=0) for _, _, slab in slabs]).numpy()

    def posteriors(self, inputs):
        """Return the probability of each class at each voxel of one scan, (class, i, j, k) float32."""
        n, size = self.task.n_outputs, next(iter(inputs.values())).shape[2:]
        found = np.empty((n, *size), dtype=np.float32)
        for start, stop, slab in self._slabs(inputs, held=4 * n):
            found[:, start:stop] = slab
        return found

    def _slabs(self, inputs, held):
        """Return slabs of the probabilities of one scan (1, channel, i, j, k), see `posterior_slabs`."""
        self.network.eval()
        model, x = self.network.model, inputs[self.network.input_name][0]
        device = next(model.parameters()).device
        plan = plan_answer(model, x.shape, held=held, device=device)
        if plan.window is not None:
            self.windows.add(plan.window)
        return posterior_slabs(model, x, plan.window, device)


class MapLearner(OfMaps):
    """What the label maps of others say of a new one without looking at its scan: the baseline of segmentation."""

    def __init__(self, plan):
        super().__init__(plan)
        self.estimator = build("estimator", MAP_ESTIMATORS, plan.part)

    def fit(self, data, fold, seed, folder, on_epoch=lambda row: None):
        """Fit on the label maps of the fit part, and save into the folder."""
        self.prepare(data, fold, seed)
        self.estimator.fit([self.truth(data, row) for row in fold.fit], self.task.n_outputs)
        write_arrays(folder / "model.safetensors", self.estimator.state())
        self.save_state(folder)
        return self

    def load(self, folder, told):
        """Take up an estimator of maps and what was fitted before it."""
        self.load_state(folder, told)
        self.estimator.load_state(read_arrays(folder / "model.safetensors"))

    def predict(self, data, rows):
        """Return how the one answer agrees with the truth of some rows, as `Segment.columns` takes it."""
        answer = self.estimator.predict()
        counts = [overlap(self.truth(data, int(row)), answer, self.task.n_outputs)[None] for row in rows]
        volume = voxel_ml(data.stores[self.task.target].geometry(int(rows[0])))
        return {"counts": np.stack(counts), "scans": ["scan"], "ml": volume}


def voxel_ml(geometry):
    """Return the volume of a voxel in ml, from the affine of its map."""
    return abs(float(np.linalg.det(np.asarray(geometry["affine"], dtype=float)[:3, :3]))) / 1000
