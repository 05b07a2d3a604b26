"""From samples to what a learner sees, and back: attributions of items put together as attributions of samples."""

from dataclasses import dataclass, field

import numpy as np
import torch

from neuroloom.errors import NeuroloomError
from neuroloom.sampling.whole import Whole
from neuroloom.training.items import Items
from neuroloom.transforms.flatten import flatten

BATCH = 16  # items at a time


@dataclass(frozen=True)
class Attribution:
    """What moved a learner's answer, person by person.

    Parameters
    ----------
    maps : dict of ndarray
        Input name -> (n, *shape of the input as the learner sees it); NaN where an input was not measured, and
        behind the end of a shorter series.
    answers : ndarray of shape (n,)
        The answer that is explained.
    told : dict
        Numbers that the method reports about itself, such as its completeness error.
    """

    maps: dict[str, np.ndarray]
    answers: np.ndarray
    told: dict[str, float] = field(default_factory=dict)


def items_of(learner, data, rows):
    """Return the items of some rows as the learner sees them, after its fitted transforms."""
    rows = np.asarray(rows)
    if learner.plan.kind != "trained":
        return Items(learner.inputs.stores(data, rows), data.sampling if learner.takes_series else Whole(), rows)
    return Items(learner.inputs.stores(data, rows), data.sampling, rows, shapes=learner.told_network["shapes"])


def asked(learner, answer, kinds):
    """Return a function that maps a batch to the learner's answers, shape (batch,), without gradients.

    Parameters
    ----------
    learner : Trained or Estimator
    answer : Answer
    kinds : dict of str
        Input name -> kind, after the fitted transforms.
    """
    if learner.plan.kind == "trained":
        learner.network.eval()

        @torch.no_grad()
        def ask(batch):
            return answer.of_output(learner.network(batch.inputs, batch.present, batch.lengths)["output"])

        return ask
    if learner.plan.confounds:
        raise NeuroloomError(f"{learner.plan.name} predicts from confounds: there is no scan to explain it on.")

    def ask_estimator(batch):
        inputs = {name: batch.inputs[name].numpy().astype(np.float64) for name in kinds}
        if learner.takes_series:
            [x] = inputs.values()  # (batch, channel, time)
        else:
            x = np.concatenate([flatten(inputs[name], kind) for name, kind in kinds.items()], axis=1)
        return torch.as_tensor(answer.of_prediction(learner.estimator.predict(x)))

    return ask_estimator


def over_items(learner, data, rows, of_batch, batch_size=BATCH):
    """Attribute rows batch by batch, and put the items of each sample together.

    The answer of a sample is the mean over its items; so its attribution is the mean of theirs, each laid
    where the item was cut out.

    Parameters
    ----------
    learner : Trained or Estimator
    data : Data
    rows : ndarray of int
    of_batch : callable
        ``of_batch(batch)`` -> (dict of input name -> Tensor (batch, *shape), answers Tensor (batch,)).

    Returns
    -------
    Attribution
    """
    items = items_of(learner, data, rows)
    maps = {name: blank(store, rows) for name, store in items.stores.items()}
    answers = np.zeros(len(rows))
    place = {int(row): at for at, row in enumerate(rows)}
    share = 1 / np.bincount([place[int(row)] for row in items.items[:, 0]], minlength=len(rows))
    for numbers in items.batches(batch_size):
        batch = items.batch(numbers)
        made, answered = of_batch(batch)
        for position, number in enumerate(numbers):
            at = place[int(items.items[number, 0])]
            answers[at] += share[at] * float(answered[position])
            start = int(items.items[number, 1]) if items.items.shape[1] > 1 else 0
            for name, tensor in made.items():
                length = int(batch.lengths[name][position])
                maps[name][at, ..., start : start + length] += share[at] * tensor[position, ..., :length].numpy()
    return Attribution(maps, answers)


def over_whole_items(learner, data, rows, of_batch, batch_size=BATCH):
    """Attribute rows batch by batch by maps that do not lie on the time points of an item; a sample's is the mean of its items'.

    Parameters
    ----------
    learner : Trained or Estimator
    data : Data
    rows : ndarray of int
    of_batch : callable
        ``of_batch(batch)`` -> dict of name -> Tensor (batch, ...).

    Returns
    -------
    dict of ndarray
        Name -> (n, ...), float64.
    """
    items = items_of(learner, data, rows)
    made = [of_batch(items.batch(numbers)) for numbers in items.batches(batch_size)]
    return {name: items.joined(np.concatenate([one[name].double().numpy() for one in made])) for name in made[0]}


def blank(store, rows):
    """Return zeros where each row of a store has a value, NaN elsewhere: (n, *longest shape), float32."""
    present = store.present
    shapes = {int(row): store[int(row)].shape for row in rows if present[row]}
    if not shapes:
        raise NeuroloomError("None of the people to be explained has this input.")
    longest = max(shapes.values(), key=lambda shape: shape[-1])
    values = np.full((len(rows), *longest), np.nan, dtype=np.float32)
    for at, row in enumerate(rows):
        if int(row) in shapes:
            values[at, ..., : shapes[int(row)][-1]] = 0.0
    return values
