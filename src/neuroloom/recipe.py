"""The recipe: a whole experiment as data. This is the one place that reads it."""

import copy
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from neuroloom.cohort.before_events import Before
from neuroloom.errors import NeuroloomError
from neuroloom.formats.limits import load_yaml
from neuroloom.known import check_known
from neuroloom.parts import Part
from neuroloom.training.settings import TrainingSettings

RECIPES = Path(__file__).parent / "recipes"


OF_EVENTS, OF_WINDOWS = ("start", "stop"), ("length", "classes", "otherwise")  # what trials need, of either form
ONLY_EVENTS = ("start", "stop", "fields", "blocks")
ASKED_OF_WINDOWS = ("every", "length", "otherwise", "overlap")
ONLY_WINDOWS = (*ASKED_OF_WINDOWS, "keep", "before")


class Settings(BaseModel):
    """Settings with known keys only."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CohortSettings(Part):
    """A simulator and its arguments; ``--data`` replaces it. ``where`` chooses rows of either."""

    name: str = "user"
    where: str | None = None


class InputSettings(Settings):
    """One input: the cohort's source it is made from, and its chain of transforms.

    One that is ``made`` is not read in training: an augmentation makes it of another input, and its chain prepares new
    scans.
    """

    source: str | None = Field(default=None, alias="from")
    chain: tuple[Part, ...] = ()
    missing: Literal["error", "allow"] = "error"
    made: bool = False


class BeforeSettings(Settings):
    """What the time before events is, in s; see `neuroloom.cohort.before_events.Before`."""

    name: str
    of: str
    horizon: float = Field(300.0, ge=0)
    occurrence: float = Field(1800.0, gt=0)
    after: float = Field(1800.0, ge=0)
    apart: float = Field(0.0, ge=0)
    least: float = Field(0.5, gt=0, le=1)
    during: bool = False


class TrialSettings(Settings):
    """What of a recording makes samples: stretches around its events, or windows, one every few seconds.

    Around events (``start``, ``stop``) see `neuroloom.cohort.trials.find_trials`; windows (``every``, ``length``,
    ``otherwise``) `neuroloom.cohort.cut_windows.find_windows`, and ``keep`` `neuroloom.cohort.thinned.thinned`.
    """

    input: str
    start: float | None = None
    stop: float | None = None
    fields: tuple[str, ...] = ()
    blocks: int | None = Field(default=None, ge=2)
    every: float | None = Field(default=None, gt=0)
    length: float | None = Field(default=None, gt=0)
    otherwise: str | None = None
    overlap: float = Field(0.5, gt=0, le=1)
    keep: dict[str, Annotated[float, Field(gt=0, le=1)]] = {}
    before: BeforeSettings | None = None
    classes: dict[str, str | list[str]] | None = None
    column: str = "event"

    @model_validator(mode="after")
    def _one_of_them(self):
        windows = self.every is not None
        if any(getattr(self, key) is None for key in (OF_WINDOWS if windows else OF_EVENTS)):
            raise ValueError("give start and stop, around events, or every, length, classes and otherwise, for windows")
        fields, others = type(self).model_fields, ONLY_EVENTS if windows else ONLY_WINDOWS
        foreign = [key for key in others if getattr(self, key) != fields[key].default]
        if foreign:
            form = "around events (start, stop)" if windows else "that are windows (every, length)"
            raise ValueError(f"{foreign[0]} belongs to trials {form}, so leave it out")
        if self.before is not None and self.before.of not in self.classes:
            raise ValueError(f"before.of is {self.before.of!r}, which is none of the classes {', '.join(self.classes)}")
        return self

    @property
    def how(self):
        """What finds the trials is told."""
        asked = ONLY_EVENTS if self.every is None else ASKED_OF_WINDOWS
        told = self.model_dump(include={"classes", "column", *asked})
        return told if self.before is None else told | {"before": self.time_before}

    @property
    def time_before(self):
        """The `Before` of events; None where it is not asked for."""
        return self.before and Before(**self.before.model_dump())

    @property
    def stretch(self):
        """From when to when after its onset a trial lasts, s."""
        return (self.start, self.stop) if self.every is None else (0.0, self.length)


class TargetSettings(Settings):
    """What is predicted: a column of the cohort's table, or an input that holds the truth (label maps)."""

    column: str | None = None
    input: str | None = None
    positive: str | None = None
    unit: str | None = None

    @model_validator(mode="after")
    def _one_of_them(self):
        if (self.column is None) == (self.input is None):
            raise ValueError("give a column or an input, one of them")
        return self


class LearnerSettings(Part):
    """A network or an estimator, the inputs it sees, and how the page calls it."""

    inputs: tuple[str, ...] | None = None
    label: str | None = None

    @property
    def part(self):
        return Part(name=self.name, **self.arguments)


class TuningSettings(Settings):
    """A search over recipe keys, judged on each fold's tune part; the test part is never seen."""

    space: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field(min_length=1)
    strategy: Literal["grid", "optuna"] = "grid"
    trials: int = Field(10, ge=1)


class SpellingSettings(Settings):
    """What was spelled by flashes: the columns that number the letters and name what flashed."""

    item: str
    option: str


class EventSettings(Settings):
    """How probabilities of windows become alarms, and how these are counted; see `neuroloom.validation.found_events`."""

    label: str
    threshold: Literal["tune"] | Annotated[float, Field(gt=0, lt=1)] = "tune"
    false_per_day: float | None = Field(default=None, gt=0)
    smooth: float = Field(0.0, ge=0)
    causal: bool = False
    least: float = Field(0.0, ge=0)
    moment: float | None = Field(default=None, gt=0)
    per: Literal["minute", "hour", "day"] = "day"
    merge: float = Field(90.0, ge=0)
    before: float = Field(30.0, ge=0)
    after: float = Field(60.0, ge=0)
    longest: float = Field(300.0, gt=0)
    random: int = Field(200, ge=0)

    @model_validator(mode="after")
    def _a_moment_looks_ahead(self):
        if self.causal and self.moment is not None:
            raise ValueError(
                "a moment is where a stretch is highest, known once it is over: leave out moment or causal"
            )
        return self


class ForecastSettings(Settings):
    """How probabilities of windows become warnings of events, and how these are judged; see `neuroloom.validation.forecasts`."""

    threshold: Literal["tune"] | Annotated[float, Field(gt=0, lt=1)] = "tune"
    false_per_hour: float | None = Field(default=None, gt=0)
    smooth: float = Field(0.0, ge=0)


class LiveSettings(Settings):
    """How a run answers on a stream: seconds from answer to answer, and over which the feedback is smoothed."""

    step: float = Field(0.2, gt=0)
    smooth: float = Field(0.5, ge=0)


class ValidationSettings(Settings):
    """Who may sit together, and what stands beside the score."""

    unit: Literal["participant", "family", "site", "session", "run", "block", "sample"] = "participant"
    within: Literal["participant"] | None = None
    gap: float = Field(0.0, ge=0)
    split: Literal["kfold", "leave_site_out", "leave_one_out", "holdout"] = "kfold"
    folds: int = Field(5, ge=2)
    repeats: int = Field(1, ge=1)
    tune: float = Field(0.15, ge=0, lt=0.5)
    confounds: tuple[str, ...] = ()
    primary: str | None = None  # the score that the page is about
    permutations: int = Field(200, ge=0)
    refit: int = Field(0, ge=0)
    groups: tuple[str, ...] = ("site", "sex", "age")
    spelling: SpellingSettings | None = None
    events: EventSettings | None = None
    forecast: ForecastSettings | None = None

    @field_validator("refit")
    @classmethod
    def _enough_refits(cls, refit):
        if 0 < refit < 19:
            raise ValueError("0, or 19 and more: with fewer refits no p can be below .05")
        return refit

    @property
    def keeps_tune(self):
        """Whether predictions of the tune part are kept, as a threshold may be chosen on them."""
        return self.events is not None or self.forecast is not None


class Recipe(Settings):
    """One application, whole: every key has one meaning, unknown keys are refused."""

    id: str
    title: str
    purpose: str = ""
    source: str
    expected: dict[str, Any] = {}
    seed: int = 0
    cohort: CohortSettings
    inputs: dict[str, InputSettings]
    trials: TrialSettings | None = None
    sampling: Part = Part(name="whole")
    target: TargetSettings
    task: Part
    model: LearnerSettings
    baselines: tuple[LearnerSettings, ...] = ()
    training: TrainingSettings = TrainingSettings()
    tuning: TuningSettings | None = None
    validation: ValidationSettings = ValidationSettings()
    explanation: tuple[Part, ...] = ()
    live: LiveSettings | None = None
    variants: dict[str, dict[str, Any]] = {}
    variant: str | None = None

    @field_validator("inputs", mode="before")
    @classmethod
    def _lists_are_chains(cls, inputs):
        return with_chains(inputs)

    def source_of(self, name):
        """Return the cohort's input that a recipe's input is made from."""
        return self.inputs[name].source or name

    def inputs_of(self, learner):
        """Return the names of the inputs that a learner sees: its own, else the model's, else the first."""
        named = learner.inputs or self.model.inputs or (next(iter(self.inputs)),)
        for name in named:
            check_known(f"input of {learner.name!r}", name, self.inputs)
        return tuple(named)

    def as_yaml(self):
        """Return the resolved recipe as text, the same text for the same recipe."""
        return yaml.safe_dump(self.as_dict(), sort_keys=False, allow_unicode=True, width=110)

    def as_dict(self):
        content = self.model_dump(mode="json", by_alias=True, exclude={"variants"})
        return content


def recipe_names():
    """Return the ids of the packaged recipes."""
    return sorted(path.stem for path in RECIPES.glob("*.yaml"))


def read_recipe(name, variant=None, overrides=()):
    """Return a packaged recipe by id, or a recipe file by path.

    Parameters
    ----------
    name : str or Path
        Id such as ``brain-age-table``, or a path that ends in ``.yaml``.
    variant : str or None
        Name of one of its variants.
    overrides : iterable of (str, value)
        Dotted keys and values, for example ``("training.epochs", 5)``.

    Returns
    -------
    Recipe
    """
    path = Path(name)
    if path.suffix not in (".yaml", ".yml"):
        check_known("recipe", str(name), recipe_names())
        path = RECIPES / f"{name}.yaml"
    elif not path.is_file():
        raise NeuroloomError(f"{path}: there is no such recipe file.")
    content = load_yaml(path, "recipe")
    if not isinstance(content, dict):
        raise NeuroloomError(f"{path}: a recipe is a mapping of keys such as title, cohort, inputs, model.")
    content.setdefault("id", path.stem)
    return resolved(content, variant, overrides)


def resolved(content, variant=None, overrides=()):
    """Return a `Recipe` from its content, a variant of it and overrides, in this order."""
    content = copy.deepcopy(content)
    if variant is not None:
        variants = content.get("variants") or {}
        check_known(f"variant of {content['id']}", variant, variants)
        content = _merged(content, variants[variant])
        content["variant"] = variant
    if "inputs" in content:
        content["inputs"] = with_chains(content["inputs"])  # so that an override finds the keys of an input
    for key, value in overrides:
        _set(content, key, value)
    return _validated(content)


def with_chains(inputs):
    """Return the inputs of a recipe, each that is a list written as ``{chain: list}``."""
    if not isinstance(inputs, dict):
        return inputs
    return {name: {"chain": how} if isinstance(how, list | tuple) else how for name, how in inputs.items()}


def parse_override(text):
    """Return (key, value) of ``key=value`` as typed on the command line; the value is read as YAML."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise NeuroloomError(f"--set takes key=value, for example --set training.epochs=5; it got {text!r}.")
    return key.strip(), load_yaml(value, f"--set {key.strip()}")


def _merged(base, change):
    """Return base with change laid over it: mappings join, unless the part's name changes; else replaced."""
    if not (isinstance(base, dict) and isinstance(change, dict)):
        return change
    if "name" in change and change["name"] != base.get("name"):
        return change
    return {**base, **{key: _merged(base.get(key), value) for key, value in change.items()}}


def _set(content, dotted, value):
    keys = dotted.split(".")
    check_known("recipe key", keys[0], Recipe.model_fields)
    place = content
    for depth, key in enumerate(keys[:-1]):
        here = ".".join(keys[: depth + 1])
        if isinstance(place, list):
            key = _index(key, place, here)
        elif place.get(key) is None:
            place[key] = {}
        if not isinstance(place[key], dict | list):
            raise NeuroloomError(f"--set {dotted}: {here} is {place[key]!r} and has no keys below it.")
        place = place[key]
    if isinstance(place, list):
        place[_index(keys[-1], place, dotted)] = value
    elif keys[-1] == "name" and isinstance(place.get("name"), str) and place["name"] != value:
        inputs = {"inputs": place["inputs"]} if "inputs" in place else {}
        place.clear()  # another part: the old one's arguments and label do not go with it
        place.update(name=value, **inputs)
    else:
        place[keys[-1]] = value


def _index(key, place, here):
    if not key.isdigit() or int(key) >= len(place):
        raise NeuroloomError(f"--set {here}: this is a list of {len(place)}; name an entry by 0 to {len(place) - 1}.")
    return int(key)


def _validated(content):
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise NeuroloomError(_told(first, content.get("id", "recipe"))) from None


def _told(problem, recipe):
    """Return a validation problem as a sentence: key, what was expected, what was found."""
    where = ".".join(str(step) for step in problem["loc"])
    if problem["type"] == "extra_forbidden":
        check_known(f"key in {recipe}", where.rsplit(".", 1)[-1], _siblings(problem["loc"]))
    if problem["type"] == "missing":
        return f"{recipe}: the key {where!r} is missing."
    expected = problem["msg"][0].lower() + problem["msg"][1:]
    return f"{recipe}: {where} = {problem['input']!r}: {expected}."


def _siblings(location):
    """Return the keys that may stand where an unknown one was found."""
    model = Recipe
    for step in location[:-1]:
        field = model.model_fields.get(step) if isinstance(step, str) and hasattr(model, "model_fields") else None
        inner = (
            [a for a in _annotations(field.annotation) if isinstance(a, type) and issubclass(a, BaseModel)]
            if field
            else []
        )
        model = inner[0] if inner else model
    return [field.alias or name for name, field in model.model_fields.items()]


def _annotations(annotation):
    """Return a type and the types inside it (``dict[str, X]``, ``X | None``, ``tuple[X, ...]``)."""
    inside = getattr(annotation, "__args__", ())
    return [annotation, *(found for inner in inside for found in _annotations(inner))]
