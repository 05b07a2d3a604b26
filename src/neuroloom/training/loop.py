"""The loop: epochs over the fit part, the tune part chooses, a checkpoint after each epoch.

Every draw is keyed by (seed, repeat, fold, learner, epoch), so a training that was killed and started
again goes on where it was and ends with the same bytes.
"""

import copy
import math
from dataclasses import dataclass, field

import torch

from neuroloom.errors import Diverged, NeuroloomError
from neuroloom.seeds import generator, key_number, torch_generator
from neuroloom.training.checkpoint import load_optimizer, optimizer_tensors, read_progress, write_progress


@dataclass
class Progress:
    """Where a training stands: what a checkpoint holds beside the tensors."""

    epoch: int = 0
    best_loss: float = math.inf
    best_epoch: int = 0
    history: list[dict] = field(default_factory=list)


class Loop:
    """Train a network for a task.

    Parameters
    ----------
    network : Network
    task : Task
    settings : TrainingSettings
    augmentations : list of nn.Module
        Applied to fit batches in turn.
    key : tuple
        What every draw is keyed by: (seed, repeat, fold, learner).
    device : torch.device
    """

    def __init__(self, network, task, settings, augmentations, key, device):
        self.network, self.task, self.settings = network.to(device), task, settings
        self.augmentations, self.key, self.device = augmentations, key, device
        self.optimizers = {n: _optimizer(p, settings) for n, p in task.players(network).items()}
        self.progress = Progress()
        self.best = self.last = None

    def run(self, fit_items, tune_items, checkpoint, on_epoch):
        """Train to the end, from the checkpoint if there is one; the network ends with the chosen weights.

        Parameters
        ----------
        fit_items, tune_items : Items
        checkpoint : Path
        on_epoch : callable
            Called with each finished epoch's history row, once the checkpoint holds it.

        Returns
        -------
        list of dict
            History: epoch, fit_loss, tune_loss, chosen. The losses are the first player's, who answers; those of others on
            the fit part follow by name, as critic_loss.
        """
        torch.set_num_threads(self.settings.threads)
        if checkpoint.exists():
            self._restore(checkpoint)
        for row in self.progress.history:
            on_epoch(row)
        has_tune = len(tune_items) > 0
        while self.progress.epoch < self.settings.epochs and not (has_tune and self._out_of_patience()):
            row = self._epoch(fit_items, tune_items)
            self._save(checkpoint)
            on_epoch(row)
        return self._choose(has_tune)

    def _epoch(self, fit_items, tune_items):
        progress, epoch = self.progress, self.progress.epoch
        torch.manual_seed(key_number(*self.key, "epoch", epoch))
        draw = torch_generator(*self.key, "augmentation", epoch, device=self.device)
        order = generator(*self.key, "order", epoch).permutation(len(fit_items))
        fit_items.redraw(generator(*self.key, "items", epoch))
        fit_loss, *others = self._train(fit_items, order, draw)
        tune_loss = self.mean_loss(tune_items) if len(tune_items) else math.nan
        progress.epoch += 1
        row = {"epoch": progress.epoch, "fit_loss": fit_loss, "tune_loss": tune_loss}
        row |= {f"{player}_loss": loss for player, loss in zip(list(self.optimizers)[1:], others, strict=True)}
        progress.history.append(row)
        if tune_loss < progress.best_loss:
            progress.best_loss, progress.best_epoch = tune_loss, progress.epoch
            self.best = copy.deepcopy(self.network.state_dict())
        return row

    def _train(self, items, order, draw):
        """Train one epoch; return the mean loss of each player."""
        self.network.train()
        total, n_batches = dict.fromkeys(self.optimizers, 0.0), -(-len(order) // self.settings.batch_size)
        for number, numbers in enumerate(items.batches(self.settings.batch_size, order)):
            batch = items.batch(numbers, self.device)
            for augmentation in self.augmentations:
                batch = augmentation(batch, draw)
            self._set_rate((self.progress.epoch + number / n_batches) / self.settings.epochs)
            for player, optimizer in self.optimizers.items():
                with self.precision():
                    loss = self.task.loss(player, self.network, batch)
                self._step(optimizer, loss)
                total[player] += float(loss.detach()) * len(numbers)
        return [loss / len(order) for loss in total.values()]

    def _step(self, optimizer, loss):
        if not torch.isfinite(loss):
            raise Diverged(
                f"The loss became {loss.item()} in epoch {self.progress.epoch + 1}. Lower training.learning_rate "
                f"(now {self.settings.learning_rate}), or check the inputs for extreme values with 'neuroloom check'."
            )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self.settings.clip_norm:
            for group in optimizer.param_groups:
                torch.nn.utils.clip_grad_norm_(group["params"], self.settings.clip_norm)
        optimizer.step()
        constrain(self.network)

    @torch.no_grad()
    def mean_loss(self, items):
        """Return the first player's mean loss over items; what is made of them is made alike each time."""
        self.network.eval()
        total, draw = 0.0, torch_generator(*self.key, "made for the tune part", device=self.device)
        player = next(iter(self.optimizers))
        for numbers in items.batches(self.settings.batch_size):
            batch = made_inputs(self.augmentations, items.batch(numbers, self.device), draw)
            with self.precision():
                total += float(self.task.loss(player, self.network, batch)) * len(numbers)
        return total / len(items)

    def precision(self):
        """Return the context in which the network runs: half precision where it is asked for and pays."""
        half = self.settings.precision == "auto" and has_bfloat16(self.device)
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=half)

    def _set_rate(self, done):
        """Set the learning rate for the share of the training that is done."""
        share = {
            "constant": 1.0,
            "cosine": 0.5 * (1 + math.cos(math.pi * done)),
            "one_cycle": done / 0.3 if done < 0.3 else 0.5 * (1 + math.cos(math.pi * (done - 0.3) / 0.7)),
        }[self.settings.schedule]
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = self.settings.learning_rate * share

    def _out_of_patience(self):
        patience = self.settings.patience
        return patience is not None and self.progress.epoch - self.progress.best_epoch >= patience > 0

    def _choose(self, has_tune):
        chosen = self.progress.epoch
        self.last = copy.deepcopy(self.network.state_dict())
        if self.settings.choose == "best_tune" and has_tune and self.best is not None:
            self.network.load_state_dict(self.best)
            chosen = self.progress.best_epoch
        return [{**row, "chosen": int(row["epoch"] == chosen)} for row in self.progress.history]

    def _save(self, checkpoint):
        tensors = {f"network.{name}": tensor for name, tensor in self.network.state_dict().items()}
        tensors |= {f"best.{name}": tensor for name, tensor in (self.best or {}).items()}
        for player, optimizer in self.optimizers.items():
            tensors |= optimizer_tensors(optimizer, f"optimizer.{player}")
        write_progress(checkpoint, tensors, vars(self.progress))

    def _restore(self, checkpoint):
        tensors, told = read_progress(checkpoint)
        self.progress = Progress(**told)
        self.network.load_state_dict(_below(tensors, "network"))
        self.best = _below(tensors, "best") or None
        for player, optimizer in self.optimizers.items():
            load_optimizer(optimizer, tensors, f"optimizer.{player}")


def constrain(network):
    """Bring weights back within the limits that some networks set them (``constrain``), after a step."""
    for module in network.modules():
        if hasattr(module, "constrain"):
            module.constrain()


def made_inputs(augmentations, batch, draw):
    """Return the batch with the inputs that some augmentations make of others (scans of label maps), and no more."""
    for augmentation in augmentations:
        if getattr(augmentation, "makes_inputs", False):
            batch = augmentation(batch, draw)
    return batch


def has_bfloat16(device):
    """Return whether a device computes in bfloat16 itself; a CPU that has to imitate it was seen 195 times slower."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()


def _below(tensors, prefix):
    return {name[len(prefix) + 1 :]: tensor for name, tensor in tensors.items() if name.startswith(prefix + ".")}


def _optimizer(parameters, settings):
    if settings.optimizer == "sgd":
        return torch.optim.SGD(
            parameters, lr=settings.learning_rate, momentum=0.9, nesterov=True, weight_decay=settings.weight_decay
        )
    return torch.optim.AdamW(parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay)


def chosen_device(name):
    """Return the torch device of a name; ``auto`` takes a GPU where there is one."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise NeuroloomError(f"training.device {name!r} cannot be used: {str(error).splitlines()[0]}") from None
    return device
