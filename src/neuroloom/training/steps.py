"""Train a voxel network on label maps step by step, in chained runs, on a machine that has little beside torch.

``python -m neuroloom.training.steps MAPS.npz FOLDER --steps 20000 --minutes 9`` goes on where FOLDER's state stands.
The file of maps, which ``neuroloom weights maps`` writes, says what is trained and how. Needs numpy, torch and
safetensors only.
"""

import argparse
import functools
import json
import time
import zipfile
from pathlib import Path

import numpy as np
import torch

from neuroloom.batch import Batch
from neuroloom.errors import Diverged, NeuroloomError, listed
from neuroloom.known import locate
from neuroloom.metrics.overlap import dice, overlap
from neuroloom.models import VOXEL_MODELS
from neuroloom.seeds import generator, key_number, torch_generator
from neuroloom.tasks.losses import segmentation_loss
from neuroloom.training.checkpoint import load_fitting, load_optimizer, optimizer_tensors, read_progress, write_progress
from neuroloom.training.loop import has_bfloat16
from neuroloom.transforms.augment_contrasts import SimulatedContrasts

STATE = "state.safetensors"
WARM_UP = 100  # steps over which the learning rate rises
LOOK = ("t1", "t2")  # contrasts in which the held-out maps are looked at on the way


def read_maps(path):
    """Return (what is told, name -> label map (i, j, k)) of a file of maps, of which some are held out and some are not."""
    try:
        with np.load(path, allow_pickle=False) as file:
            maps = {name: file[name] for name in file.files}
        told = json.loads(maps.pop("told").tobytes())
    except (OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise NeuroloomError(
            f"{path}: is no file of maps ({error}). Write one with 'neuroloom weights maps'."
        ) from None
    check_hold_out(path, maps, told.get("hold_out", ()))
    return told, maps


def check_hold_out(where, names, hold_out):
    """Raise unless some maps are held out, so that something can be said of the weights, and some are learned from."""
    unknown = [name for name in hold_out if name not in names]
    if unknown:
        raise NeuroloomError(f"{where}: has no {listed(unknown)} to hold out; there are {listed(names)}.")
    if not hold_out:
        raise NeuroloomError(f"{where}: no map is held out, so nothing could be said of the weights. Name some.")
    if not set(names) - set(hold_out):
        raise NeuroloomError(f"{where}: every map is held out, so there is none to learn from. Hold out fewer.")


class Steps:
    """A training that counts steps.

    Parameters
    ----------
    told : dict
        ``model`` (name and arguments), ``n_outputs``, ``shape`` of a patch, ``augmentation`` (arguments of
        `SimulatedContrasts`, its table among them), ``learning_rate``, ``weight_decay``, ``clip_norm``,
        ``cross_entropy``, ``seed``, ``hold_out`` (names).
    maps : dict of ndarray
        Name -> label map.
    device : torch.device
    """

    def __init__(self, told, maps, device):
        self.told, self.device = told, device
        self.maker = SimulatedContrasts(**told["augmentation"])
        self.fit = {name: one for name, one in maps.items() if name not in told["hold_out"]}
        self.held_out = {name: maps[name] for name in told["hold_out"]}
        torch.manual_seed(key_number(told["seed"], "weights"))
        self.network = network_of(told).to(device)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=told["learning_rate"], weight_decay=told["weight_decay"]
        )
        self.done, self.history = 0, []

    def restore(self, path):
        """Take up a state that was saved; one of another training is an error."""
        tensors, saved = read_progress(path)
        if saved["told"] != self.told:
            differ = [key for key in self.told if saved["told"].get(key) != self.told[key]]
            raise NeuroloomError(
                f"{path}: is the state of another training ({', '.join(differ)} differ). Name another folder."
            )
        load_fitting(path, self.network, weights_in(tensors))
        load_optimizer(self.optimizer, tensors, "optimizer")
        self.done, self.history = saved["done"], saved["history"]

    def save(self, path):
        """Write all that `restore` needs to go on: weights, optimizer, steps done, history."""
        tensors = {f"network.{name}": tensor for name, tensor in self.network.state_dict().items()}
        tensors |= optimizer_tensors(self.optimizer, "optimizer")
        write_progress(path, tensors, {"told": self.told, "done": self.done, "history": self.history})

    def step(self, rate):
        """Learn from one patch of one map, with every draw keyed by the step, and return the loss."""
        key = (self.told["seed"], "step", self.done)
        draw = generator(*key)
        name = sorted(self.fit)[int(draw.integers(len(self.fit)))]
        patch = drawn_patch(self.fit[name], self.told["shape"], draw)
        batch = self.maker(
            Batch({self.maker.labels: patch[None].to(self.device)}, {}, torch.zeros(1, dtype=torch.int64)),
            torch_generator(*key, device=self.device),
        )
        self.network.train()
        with self.precision():
            answers = self.network.with_sides(batch.inputs[self.maker.scan])
        loss = segmentation_loss(answers, batch.target[self.maker.labels], self.told["cross_entropy"])
        if not torch.isfinite(loss):
            raise Diverged(f"The loss became {loss.item()} in step {self.done + 1}. Lower the learning rate.")
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.told["clip_norm"])
        self.optimizer.step()
        self.done += 1
        return float(loss.detach())

    @torch.no_grad()
    def held_out_dice(self, contrasts=LOOK):
        """Return contrast -> structure overlaps (map, class but the background) of the maps that are not learned from."""
        self.network.eval()
        found = {}
        for contrast in contrasts:
            counts = []
            for name, labels in self.held_out.items():
                draw = torch_generator(0, "seen in", contrast, name, device=self.device)
                scan, truth = self.maker.seen_in(contrast, as_labels(labels)[None].to(self.device), draw)
                with self.precision():
                    answer = self.network(scan).argmax(dim=1)
                counts.append(overlap(truth.cpu().numpy(), answer.cpu().numpy(), self.told["n_outputs"]))
            found[contrast] = dice(np.stack(counts))[:, 1:]
        return found

    def precision(self):
        """Return a context of half precision (bfloat16), where the machine has it."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=has_bfloat16(self.device))


def weights_in(tensors):
    """Return a network's weights among the tensors of a state."""
    return {name.removeprefix("network."): tensor for name, tensor in tensors.items() if name.startswith("network.")}


def network_of(told):
    """Return the network that a training is told, freshly initialised."""
    arguments = {name: value for name, value in told["model"].items() if name != "name"}
    in_shape = (1, *(n // told["augmentation"]["coarser"] for n in told["shape"]))
    return locate("model", VOXEL_MODELS, told["model"]["name"])(in_shape, told["n_outputs"], **arguments)


def drawn_patch(labels, shape, draw):
    """Return a patch of a label map at a drawn place, int32; a smaller map is filled up with background."""
    short = [max(0, n - m) for n, m in zip(shape, labels.shape, strict=True)]
    if any(short):
        labels = np.pad(labels, [(0, n) for n in short])
    first = [int(draw.integers(n - m + 1)) for n, m in zip(labels.shape, shape, strict=True)]
    return as_labels(labels[tuple(slice(a, a + n) for a, n in zip(first, shape, strict=True))])


def as_labels(labels):
    return torch.from_numpy(labels.astype(np.int32))


def rate_at(step, steps, cool, rate):
    """Return the learning rate of a step: it rises, stays, and falls to nothing over the last ``cool`` steps."""
    return rate * min(1.0, (step + 1) / WARM_UP, (steps - step) / cool if cool else 1.0)


def train(
    maps_file, folder, *, steps, cool, minutes, save_every=250, device="cpu", start_from=None, tell=lambda text: None
):
    """Train until ``steps`` are done or the minutes are over, going on from the folder's state.

    Parameters
    ----------
    maps_file, folder : Path
        See `read_maps`; where ``state.safetensors`` is kept.
    steps, cool : int
        Steps of the whole training, and over how many of the last the learning rate falls.
    minutes : float or None
    save_every : int
        Steps between states, each with a look at the held-out maps.
    device : str
    start_from : Path or None
        A state of another training, whose weights are taken where the folder has none.
    tell : callable
        Called with a line of text at each look.

    Returns
    -------
    Steps
    """
    started = time.monotonic()
    told, maps = read_maps(maps_file)
    training = Steps(told, maps, torch.device(device))
    state = Path(folder) / STATE
    if state.exists():
        training.restore(state)
        tell(f"going on from step {training.done}")
    elif start_from is not None:
        tensors, _ = read_progress(Path(start_from))
        load_fitting(start_from, training.network, weights_in(tensors))
    state.parent.mkdir(parents=True, exist_ok=True)
    losses = []
    while training.done < steps and (minutes is None or time.monotonic() - started < 60 * minutes):
        losses.append(training.step(rate_at(training.done, steps, cool, told["learning_rate"])))
        if training.done % save_every == 0 or training.done == steps:
            looked = {name: float(np.nanmean(found)) for name, found in training.held_out_dice().items()}
            row = {"step": training.done, "fit_loss": float(np.mean(losses)), **looked}
            training.history.append(row)
            training.save(state)
            tell(
                ", ".join(f"{name} {value:.4g}" for name, value in row.items())
                + f", {time.monotonic() - started:.0f} s"
            )
            losses = []
    training.save(state)
    return training


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m neuroloom.training.steps", description=__doc__.splitlines()[0])
    parser.add_argument("maps", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, required=True, help="of the whole training")
    parser.add_argument("--cool", type=int, default=0, help="last steps, over which the learning rate falls to nothing")
    parser.add_argument("--minutes", type=float, help="of this run; the next one goes on")
    parser.add_argument("--save-every", type=int, default=250)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--start-from", type=Path, help="state.safetensors of another training")
    told = parser.parse_args(arguments)
    torch.set_num_threads(told.threads)
    try:
        train(
            told.maps, told.folder, steps=told.steps, cool=told.cool, minutes=told.minutes,
            save_every=told.save_every, device=told.device, start_from=told.start_from,
            tell=functools.partial(print, flush=True),
        )  # fmt: skip
    except NeuroloomError as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
