"""Red team: what would this recipe claim from nothing, and what would a wrong split make it claim?"""

import json
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from neuroloom.cohort.folds import PARTS, make_folds
from neuroloom.errors import NeuroloomError
from neuroloom.experiment import evaluated, learn
from neuroloom.formats.atomic import atomic_write
from neuroloom.parts import Part
from neuroloom.preparation import CONFOUNDS, learned_from, prepare, read_cohort, with_labels_dealt_anew
from neuroloom.run_folder import Run
from neuroloom.sampling.rows import windows_as_rows
from neuroloom.seeds import generator
from neuroloom.transforms.store import stack_rows
from neuroloom.validation.sentence import ERRORS

ATTACKS_FILE = "redteam.json"
COPY_NOISE = 0.1  # of a second scan of the same person, in the spread of the first
LEVEL = 0.05
OF_PEOPLE = ("participant", "family", "site")  # units of claim that no person is on both sides of
MOST_FOLDS = 10  # of rows dealt as people, where people are left out one by one
LEAST_DRAWS = 200  # of the null: fewer could not reach the level once it is divided by the number of learners


@dataclass(frozen=True)
class Attack:
    """One attempt to make a recipe claim something it should not.

    ``passed`` is None where the attack shows a danger rather than tests the recipe, or nothing could be tested; a
    number is None where it is undefined.
    """

    name: str
    learner: str
    metric: str
    value: float | None
    interval: tuple[float | None, float | None]
    chance: float | None
    passed: bool | None
    text: str


def red_team(recipe, *, data=None, cohort_file=None, cache, jobs=1, on_progress=None):
    """Attack a recipe on its own cohort, and return what each attack found.

    Nothing is kept between calls: an attack that was stopped starts anew.

    1. Labels shuffled between units, within site: no learner may beat what permuted predictions reach within fold and
       site (p of its null, times the number of learners).
    2. A wrong split: each person scanned twice (the copy has a little noise), scans dealt to folds as if they were
       people, labels still shuffled. What is then reached is what a leak would have claimed.
    3. The confounds alone, on the true labels.
    4. Where several rows (trials, windows, visits) are of one person and the claim is for new people: rows dealt as if
       each were a person, on the true labels, beside the same rows with people kept apart.

    Parameters
    ----------
    recipe : Recipe
    data, cohort_file : Path or None
    cache : Cache
    jobs : int
    on_progress : callable or None

    Returns
    -------
    list of Attack
    """
    if recipe.target.input is not None:
        raise NeuroloomError(
            f"{recipe.id}: the red team shuffles a column of the table; it cannot attack segmentation yet."
        )
    chosen_only = recipe.training.model_copy(update={"show_last": False})
    draws = max(recipe.validation.permutations, LEAST_DRAWS)
    recipe = _changed(recipe, permutations=draws, spelling=None, events=None, forecast=None)
    recipe = recipe.model_copy(update={"tuning": None, "training": chosen_only})
    prepared = prepare(recipe, read_cohort(recipe, data, cohort_file), cache, on_progress)
    shuffled = with_labels_dealt_anew(prepared, recipe.seed)
    work = [("shuffled labels", shuffled), ("wrong split", with_wrong_split(shuffled)), ("confounds", prepared)]
    attacks = []
    for name, attacked in work:
        only = [plan for plan in attacked.plans if (name == "confounds") == (plan.name == CONFOUNDS)]
        if only:
            metrics = _scored(attacked, only, cache, jobs, on_progress)
            attacks += [_attack(name, learner, metrics) for learner in metrics["learners"]]
    return attacks + rows_as_people(prepared, cache, jobs, on_progress)


def _scored(prepared, plans, cache, jobs, on_progress):
    """Return ``metrics.json`` of some learners of everything prepared; nothing else is kept of the run."""
    roles = {plan.name: "deep" if plan.name == CONFOUNDS else prepared.roles[plan.name] for plan in plans}
    prepared = replace(prepared, plans=plans, roles=roles)
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder) / "run")
        learn(run, prepared, cache, jobs, on_progress)
        return evaluated(run, prepared)


def rows_as_people(prepared, cache, jobs=1, on_progress=None):
    """Return what rows dealt as people would have claimed of each learner, and people kept apart; none if they are one.

    Parameters
    ----------
    prepared : Prepared
        As `neuroloom.preparation.prepare` returns it.
    cache : Cache
    jobs : int
    on_progress : callable or None

    Returns
    -------
    list of Attack
        ``people kept apart`` and ``rows as people`` of each learner in turn, as `with_rows_as_people` makes them.
    """
    pair = with_rows_as_people(prepared)
    if pair is None:
        return []
    plans = [plan for plan in prepared.plans if plan.name != CONFOUNDS]
    apart, dealt = (_scored(one, plans, cache, jobs, on_progress) for one in pair)
    dealt |= {"primary": apart["primary"]}
    attacks = []
    for learner in dealt["learners"]:
        attacks += [_attack("people kept apart", learner, apart), _dealt(learner, dealt, apart)]
    return attacks


def with_wrong_split(prepared):
    """Return everything prepared for a split by scan of people who were scanned twice."""
    data, settings = prepared.data, prepared.recipe.validation
    table = pd.concat([data.cohort.table, data.cohort.table])
    table.index = pd.Index([f"{sample}_{scan}" for scan in (1, 2) for sample in data.cohort.samples], name="sample_id")
    target = replace(data.target, values=np.tile(data.target.values, 2))
    stores = {
        name: ScannedTwice(store, tuple(table.index), (prepared.recipe.seed, "wrong split", name))
        for name, store in data.stores.items()
    }
    table = table.assign(participant_id=table.index).drop(columns="family_id", errors="ignore")
    as_if_people = replace(data.cohort, table=table, inputs={}, known_truth=None)
    split = "kfold" if settings.split == "leave_site_out" else settings.split
    recipe = _as_people(prepared.recipe, split)
    folds = make_folds(
        as_if_people, target, unit="participant", split=split, n_folds=settings.folds, tune=settings.tune,
        seed=recipe.seed,
    )  # fmt: skip
    doubled = replace(data, cohort=as_if_people, stores=stores, target=target)
    return replace(prepared, recipe=recipe, data=doubled, folds=learned_from(recipe, folds, doubled))


def with_rows_as_people(prepared):
    """Return everything prepared twice, with the same rows: people kept apart, and rows dealt as if each were a person.

    Windows are rows of their own in both, so that the two differ in their folds alone. None where each row is a person, or
    nothing is claimed for new people.
    """
    settings, cohort = prepared.recipe.validation, prepared.data.cohort
    data, origin = windows_as_rows(prepared.data)
    if settings.unit not in OF_PEOPLE or data.cohort.table["participant_id"].nunique() == len(data):
        return None
    whole = prepared.recipe.model_copy(update={"sampling": Part(name="whole")})
    folds = [
        replace(fold, **{part: np.flatnonzero(np.isin(origin, getattr(fold, part))) for part in PARTS})
        for fold in prepared.folds
    ]
    apart = replace(prepared, recipe=whole, data=data, folds=folds)
    table = data.cohort.table.assign(participant_id=data.cohort.samples).drop(columns="family_id", errors="ignore")
    as_if_people = replace(data.cohort, table=table, inputs={}, known_truth=None, name=f"rows of {cohort.name}")
    split = "holdout" if settings.split == "holdout" else "kfold"
    n_folds = settings.folds if split == "holdout" else min(MOST_FOLDS, len({fold.index for fold in folds}))
    dealt = make_folds(
        as_if_people, data.target, unit="participant", split=split, n_folds=n_folds, tune=settings.tune,
        seed=prepared.recipe.seed,
    )  # fmt: skip
    dealt = learned_from(whole, dealt, data)
    return apart, replace(
        prepared, recipe=_as_people(whole, split), data=replace(data, cohort=as_if_people), folds=dealt
    )


def _as_people(recipe, split):
    """Return a recipe whose rows are taken for people, whatever lies between them."""
    return _changed(recipe, unit="participant", split=split, within=None, gap=0.0)


def _changed(recipe, **validation):
    return recipe.model_copy(update={"validation": recipe.validation.model_copy(update=validation)})


@dataclass(frozen=True)
class ScannedTwice:
    """A store whose rows come twice: as they are, then with a little noise, drawn when a row is asked for."""

    store: object
    samples: tuple[str, ...]
    key: tuple

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, row):
        scan, first = divmod(int(row), len(self.store))
        array = np.asarray(self.store[first])
        if scan == 0:
            return array
        draw = generator(*self.key, first)
        noise = draw.normal(scale=COPY_NOISE * float(np.nanstd(array)), size=array.shape)
        return (array + noise).astype(array.dtype)

    def stretch(self, row, start, stop):
        return self[row][..., start:stop]

    def geometry(self, row):
        return self.store.geometry(int(row) % len(self.store))

    @property
    def kind(self):
        return self.store.kind

    @property
    def names(self):
        return self.store.names

    @property
    def present(self):
        return np.tile(self.store.present, 2)

    def stack(self, rows):
        return stack_rows(self, rows)


def attack_table(attacks):
    """Return the attacks as a table for the terminal."""
    from rich.table import Table

    table = Table("attack", "learner", "metric", "value", "95 % interval", "chance", "verdict")
    verdicts = {True: "passed", False: "FAILED", None: "shown"}
    for one in attacks:
        numbers = (_told(one.value), " to ".join(_told(bound) for bound in one.interval), _told(one.chance))
        table.add_row(one.name, one.learner, one.metric, *numbers, verdicts[one.passed])
    return table


def write_attacks(folder, attacks):
    """Write the attacks as JSON into a folder; return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / ATTACKS_FILE
    atomic_write(path, json.dumps([asdict(attack) for attack in attacks], indent=1).encode())
    return path


def _attack(name, learner, metrics):
    primary = metrics["primary"]
    score, chance = metrics["learners"][learner]["scores"][primary], metrics["chance"][primary]
    at_chance = _reaches(*score["interval"], chance, primary)
    low, high = (_told(bound) for bound in score["interval"])
    told = f"{learner}: {primary} {_told(score['value'])} ({low} to {high}), chance {_told(chance)}"
    passed, text = None, {
        "wrong split": "what the same shuffled labels would have claimed with people on both sides of the split",
        "people kept apart": "the same rows with people kept apart",
        "rows as people": "what rows of the same person on both sides of the split would have claimed",
        "confounds": "the confounds alone say nothing" if at_chance else "the confounds alone reach this",
    }.get(name)  # fmt: skip
    if name == "shuffled labels":
        passed, text = _judged(metrics["learners"][learner]["null"], len(metrics["learners"]))
    return Attack(name, learner, primary, score["value"], tuple(score["interval"]), chance, passed, f"{told}: {text}.")


def _dealt(learner, dealt, apart):
    """Return the `Attack` of rows dealt as people, in words that hold it against people kept apart."""
    attack = _attack("rows as people", learner, dealt)
    honest = apart["learners"][learner]["scores"][apart["primary"]]
    if None in (attack.value, honest["value"]):
        return attack
    low, high = (_told(bound) for bound in honest["interval"])
    more = attack.value - honest["value"]
    more = -more if attack.metric in ERRORS else more
    verdict = (
        f"{more:.2g} of it comes from rows of the same person on both sides"
        if more > 0
        else "rows of the same person on both sides claim nothing more here"
    )
    said = (
        f"{attack.text[:-1]}. People kept apart, the same rows give {_told(honest['value'])} ({low} to {high}): {verdict}, "
        "and only the score with people kept apart is for new people."
    )
    return replace(attack, text=said)


def _judged(null, n_learners):
    """Return whether a learner of shuffled labels stays inside its null, corrected for their number, and the words."""
    if null["p"] is None:
        return None, f"not decided, since {null['note']}"
    p = min(1.0, null["p"] * n_learners)
    verdict = "SOMETHING IS CLAIMED FROM NOTHING" if p < LEVEL else "nothing is claimed from nothing"
    return p >= LEVEL, f"p = {p:.3f} ({null['method']}), times {n_learners} learners: {verdict}"


def _reaches(low, high, chance, metric):
    """Say whether an interval reaches chance, or lies on its worse side; None where either is undefined."""
    if low is None or chance is None:
        return None
    return high >= chance if metric in ("mae", "rmse") else low <= chance


def _told(number):
    return "undefined" if number is None else f"{number:.3g}"
