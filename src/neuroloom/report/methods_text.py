"""A methods section ready for a paper, written from the run's own files and from nothing else."""

import pandas as pd

from neuroloom.cohort.folds import WITHIN_PERSON
from neuroloom.estimators import ESTIMATORS
from neuroloom.explanation import EXPLANATIONS
from neuroloom.models import FUSIONS, MODELS, ROW_MODELS, VOXEL_MODELS
from neuroloom.report.cohort_tables import class_names
from neuroloom.report.figures_cohort import holders_of_target, people_of
from neuroloom.report.references import reference_in, references_of
from neuroloom.report.wording import counted, joined, metric_words, number, without_paths
from neuroloom.simulators import SIMULATORS
from neuroloom.tasks import TASKS
from neuroloom.transforms import AUGMENTATIONS, FITTED_TRANSFORMS, SCAN_TRANSFORMS
from neuroloom.validation.words import WHO_UNKNOWN

TABLES = (
    MODELS,
    ROW_MODELS,
    VOXEL_MODELS,
    FUSIONS,
    ESTIMATORS,
    SIMULATORS,
    TASKS,
    SCAN_TRANSFORMS,
    FITTED_TRANSFORMS,
    AUGMENTATIONS,
    EXPLANATIONS,
)
NOT_ARGUMENTS = {"name", "inputs", "label", "where"}
OPTIMIZERS = {"adamw": "AdamW", "sgd": "stochastic gradient descent"}
SOFTWARE = ("torch", "numpy", "scipy", "scikit-learn", "pandas", "nibabel", "nilearn")


class References:
    """Numbered references in the order of their first mention."""

    def __init__(self):
        self.listed = []

    def cite(self, name):
        """Return `` [1, 2]`` for the sources of a named part, or nothing where it names none."""
        found = [pair for table in TABLES for pair in references_of(table, name)]
        return self.mark(found)

    def mark(self, pairs):
        """Return the numbers of (who and when, DOI) pairs, listing those that are new."""
        dois = [doi for _, doi in self.listed]
        for who, doi in pairs:
            if doi not in dois:
                self.listed.append((who, doi))
                dois.append(doi)
            elif who and not self.listed[dois.index(doi)][0]:
                self.listed[dois.index(doi)] = (who, doi)
        numbers = dict.fromkeys(dois.index(doi) + 1 for _, doi in pairs)
        return f" [{', '.join(map(str, numbers))}]" if numbers else ""

    def entries(self):
        return [{"number": place, "who": who, "doi": doi} for place, (who, doi) in enumerate(self.listed, 1)]


def methods_text(record):
    """Return the methods of a run.

    Returns
    -------
    dict
        ``paragraphs`` (list of str) and ``references`` (list of dict: number, who, doi).
    """
    references = References()
    parts = (_data, _processing, _models, _validation, _statistics, _explanation, _software)
    paragraphs = [" ".join(part(record, references)) for part in parts]
    return {"paragraphs": [text for text in paragraphs if text], "references": references.entries()}


def disjoint_in(folds, column="participant_id"):
    """Return whether nobody stands in two parts of one fold, by the folds table itself."""
    parts = folds.groupby(["repeat", "fold", column])["part"].nunique()
    return bool((parts == 1).all())


def part_text(part):
    """Return a part of a recipe as words: ``covariance (kind = ledoit_wolf)``."""
    told = [f"{key} = {_plain(value)}" for key, value in part.items() if key not in NOT_ARGUMENTS and value is not None]
    name = part.get("label") or str(part.get("name")).replace("_", " ")
    return f"{name} ({', '.join(told)})" if told else name


def _plain(value):
    if isinstance(value, dict):
        return "; ".join(f"{key} {_plain(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_plain, value)) + "]"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return without_paths(f"{value:g}" if isinstance(value, float) else value)


def _data(record, references):
    recipe, people = record.recipe, people_of(record)
    told = []
    source = reference_in(recipe.get("source"))
    follows = f", after the setting of{references.mark([source])}" if source else ""
    if record.is_simulated and recipe.get("cohort"):
        cohort = recipe["cohort"]
        told.append(
            f"The cohort was simulated by neuroloom: {part_text(cohort)}{references.cite(cohort['name'])}{follows}."
        )
    elif recipe:
        told.append(f"The analysis followed the recipe “{recipe.get('title', recipe.get('id', ''))}”{follows}.")
    if len(people):
        samples = len(record.cohort)
        scans = f" ({counted(samples, 'sample')})" if samples != len(people) else ""
        held = f"{counted(len(people), 'participant')}{scans}"
        if record.metrics.get("identity") == "unknown":
            held = f"{counted(samples, 'sample')} of an unknown number of people"
        told.append(f"The cohort held {held}{_sites(people)}{_who(people)}.")
        told += _target_sentence(record, holders_of_target(record))
    return told


def _sites(people):
    n_sites = people["site"].nunique() if "site" in people else 0
    return f" of {counted(n_sites, 'site')}" if n_sites > 1 else ""


def _who(people):
    told = []
    if "age" in people and people["age"].notna().sum() > 1:
        age = people["age"].dropna()
        told.append(
            f"aged {number(age.min(), 1)} to {number(age.max(), 1)} years "
            f"(mean {number(age.mean(), 1)}, SD {number(age.std(), 1)})"
        )
    if "sex" in people:
        counts = people["sex"].dropna().astype(str).value_counts()
        words = {"F": "female", "M": "male"}
        named = [f"{n} {words.get(sex, f'of sex {sex}')}" for sex, n in sorted(counts.items())]
        told += [joined(named)] if named else []
    return ", " + ", ".join(told) if told else ""


def _target_sentence(record, people):
    name = record.target.get("name")
    if name not in people:
        return []
    if record.is_classification:
        counts = class_names(people[name]).value_counts()
        classes = record.target.get("classes") or counts.index
        groups = joined(f"{counts.get(str(label), 0)} {label}" for label in classes)
        return [f"The target was {name}: {groups}{'' if len(people) == len(people_of(record)) else ' samples'}."]
    unit = record.target.get("unit")
    mean, spread = number(people[name].mean()), number(people[name].std())
    return [f"The target was {name}{f' in {unit}' if unit else ''} (mean {mean}, SD {spread})."]


def _processing(record, references):
    told = []
    for name, settings in (record.recipe.get("inputs") or {}).items():
        chain = (settings or {}).get("chain") or []
        per_scan = [part for part in chain if part["name"] not in FITTED_TRANSFORMS]
        fitted = [part for part in chain if part["name"] in FITTED_TRANSFORMS]
        if per_scan:
            steps = joined(part_text(part) + references.cite(part["name"]) for part in per_scan)
            told.append(f"Each {name} input went through {steps}, one scan at a time.")
        if fitted:
            steps = joined(part_text(part) + references.cite(part["name"]) for part in fitted)
            what, verb = ("step that learns", "was") if len(fitted) == 1 else ("steps that learn", "were")
            told.append(f"The {what} from data, {steps}, {verb} fitted on the fit part of each fold only.")
        if not chain:
            told.append(f"The {name} input was used as it was.")
    return told


def _models(record, references):
    recipe = record.recipe
    if not recipe.get("model"):
        return []
    model = recipe["model"]
    task = recipe.get("task") or {}
    told = [
        f"Deep model: {part_text(model)}{references.cite(model['name'])}; task: {part_text(task)}"
        f"{references.cite(task['name']) if task.get('name') == 'soft_bins' else ''}."
    ]
    if record.histories.get(record.deep):
        told += _training(record, references)
    baselines = [part_text(part) + references.cite(part["name"]) for part in recipe.get("baselines") or []]
    if baselines:
        told.append(f"Beside it, on the same folds, stood {joined(baselines)}.")
    confounds = _seen_confounds(record)
    if confounds and any(entry.get("role") == "confounds" for entry in record.learners.values()):
        told.append(f"A further model saw only {joined(confounds)}, to show what confounds alone predict.")
    corrected = f"prediction_{record.target.get('name')}_corrected"
    if corrected in record.predictions:
        mark = references.mark(references_of(TASKS, "regress", of_arguments=True))
        told.append(
            "Predictions are reported as made, and corrected for regression to the mean by a line fitted on the tune "
            f"part of each fold{mark}."
        )
    return told


def _seen_confounds(record):
    """Return the recipe's confounds that differ between people of the cohort: the others teach nothing."""
    wanted = (record.recipe.get("validation") or {}).get("confounds") or []
    if record.cohort.empty:
        return wanted
    return [name for name in wanted if name in record.cohort and record.cohort[name].nunique() > 1]


def _training(record, references):
    settings = record.recipe.get("training") or {}
    schedule = str(settings.get("schedule")).replace("_", " ")
    most = "at most " if settings.get("patience") else ""
    told = [
        f"It was trained by {OPTIMIZERS.get(settings.get('optimizer'), 'gradient descent')} (learning rate "
        f"{_plain(settings.get('learning_rate'))}, {schedule} schedule, weight decay "
        f"{_plain(settings.get('weight_decay'))}) for {most}{settings.get('epochs')} epochs in batches of "
        f"{settings.get('batch_size')}."
    ]
    augmentation = settings.get("augmentation") or []
    if augmentation:
        steps = joined(part_text(part) + references.cite(part["name"]) for part in augmentation)
        told.append(f"Training batches were augmented by {steps}.")
    return told + _kept_epochs(record, settings)


def _kept_epochs(record, settings):
    histories = record.histories[record.deep].values()
    if settings.get("choose") != "best_tune" or not all(history["tune_loss"].notna().any() for history in histories):
        return ["The weights of the last epoch were kept."]
    kept = pd.concat([history.loc[history["chosen"] == 1, "epoch"] for history in histories])
    return [
        "The weights of the epoch with the lowest loss on the tune part were kept "
        f"(median epoch {kept.median():g}, {kept.min()} to {kept.max()} over {counted(len(kept), 'fold')})."
    ]


def _validation(record, references):
    validation, folds = record.recipe.get("validation") or {}, record.folds
    told = []
    unit = record.metrics.get("unit") or {}
    if folds.empty:
        return told
    splits = folds.groupby(["repeat", "fold"])
    told.append(
        f"Scores are out of sample, from {_split_words(validation, folds)}. In each fold {_divided(validation, record)} divided into a "
        f"fit part that is learned from, a tune part that only chooses{_tune_use(record)}, and a test part that is "
        f"scored once ({_sizes(splits)} samples)."
    )
    told.append(_who_sat_together(unit, folds, record.metrics.get("identity")))
    if validation.get("gap"):
        told.append(
            f"Between what was learned from and what was tested lay at least {validation['gap']:g} s of each recording."
        )
    return told


def _divided(validation, record):
    unit = validation.get("unit", "participant")
    if record.metrics.get("identity") == "unknown":
        return f"{unit}s, by their names, were"
    if validation.get("within"):
        return f"the {unit}s of one person, from whom alone that fold's learners learned, were"
    return "people were" if unit not in WITHIN_PERSON else f"{unit}s were"


def _split_words(validation, folds):
    if validation.get("within"):
        each = [_split_words({**validation, "within": None}, own) for _, own in folds.groupby("participant_id")]
        return f"{joined(sorted(set(each)))} inside each of {counted(len(each), 'participant')}"
    n_folds, repeats = folds["fold"].nunique(), folds["repeat"].nunique()
    words = {
        "kfold": f"{n_folds}-fold cross-validation",
        "leave_site_out": f"leave-one-site-out cross-validation ({counted(n_folds, 'site')})",
        "leave_one_out": f"leave-one-out cross-validation ({counted(n_folds, 'fold')})",
        "holdout": "a single held-out part",
    }
    told = words.get(validation.get("split"), f"{counted(n_folds, 'fold')}")
    return told + (f", repeated {repeats} times with other folds" if repeats > 1 else "")


def _tune_use(record):
    settings = record.recipe.get("training") or {}
    uses = []
    if record.histories.get(record.deep) and settings.get("choose") == "best_tune":
        uses.append("the epoch")
    if record.recipe.get("tuning"):
        uses.append("the settings")
    if f"prediction_{record.target.get('name')}_corrected" in record.predictions:
        uses.append("the bias correction")
    return f" ({joined(uses)})" if uses else ""


def _sizes(splits):
    counts = splits["part"].value_counts().unstack(fill_value=0)
    shown = []
    for part in ("fit", "tune", "test"):
        column = counts[part] if part in counts else pd.Series([0])
        low, high = int(column.min()), int(column.max())
        shown.append(f"{part} {low}" if low == high else f"{part} {low} to {high}")
    return ", ".join(shown)


def _who_sat_together(unit, folds, identity):
    name = unit.get("name", "participant")
    if identity == "unknown":
        return f"The unit was the {name}; {WHO_UNKNOWN}, and no score is claimed for new people."
    if disjoint_in(folds):
        return f"No participant stood in two parts of a fold; the unit of claim is the {name}."
    return (
        f"The unit of claim is the {name}: participants stand in several parts of a fold, "
        "so no score is claimed for new people."
    )


def _statistics(record, references):
    if not record.primary:
        return []
    unit = (record.metrics.get("unit") or {}).get("name", "participant")
    told = [f"The primary score was {metric_words(record.primary)}. {_intervals(record, unit, references)}"]
    if record.primary == "auc":
        told.append("AUC counts only pairs inside one test fold; a fold with one class gives none.")
    null = next((entry["null"] for entry in record.learners.values() if entry.get("null")), None)
    if null:
        draws = f" ({null['n']} draws)" if null.get("n") else ""
        mark = references.mark([("Phipson and Smyth 2010", "10.2202/1544-6115.1585")])
        told.append(
            f"Chance was drawn as {null.get('method', 'permuted labels')}{draws}; p is the share of draws at least "
            f"as good as the score, that score counted among them{mark}."
        )
    tuning = record.recipe.get("tuning")
    if tuning:
        trials = counted(tuning.get("trials"), "trial")
        told.append(f"Settings were searched in up to {trials} a fold, judged on the tune part.")
    return told


def _intervals(record, unit, references):
    """Return how the intervals of this task were made, as validation.intervals or validation.segmentation makes them."""
    if record.metrics.get("task") == "segment":
        return (
            f"Overlaps were averaged over structures and over a {unit}'s scans, so that each {unit} counts once; 95 % "
            f"intervals are over {unit}s, by Student's t."
        )
    mark = references.mark([("Nadeau and Bengio 2003", "10.1023/A:1024068626366")])
    twice = f"the variance is multiplied by one plus the share of pairs that cross-validation counts both ways{mark}"
    line = "a jackknife and Student's t on the scale where the score is symmetric (log error, Fisher's z)"
    if not record.is_classification:
        return f"95 % intervals are over {unit}s: {line}; {twice}."
    mark = references.mark([("Newcombe 2006", "10.1002/sim.2324")])
    return (
        f"95 % intervals are over {unit}s. Of AUC and of shares they hold the values that a score test does not "
        f"reject{mark}, with the design effect of a jackknife over {unit}s; of errors and correlations they are "
        f"{line}. In all, {twice}."
    )


def _explanation(record, references):
    """Return by what predictions were explained and which tests the maps were put to; only what was really made."""
    made = list(dict.fromkeys(str(told.get("name")) for told in record.explanation))
    parts = [part for part in record.recipe.get("explanation") or [] if _made(part["name"], made)]
    if not parts:
        return []
    methods = joined(part_text(part) + references.cite(part["name"]) for part in parts)
    tests = dict.fromkeys(str(test["name"]) for told in record.explanation for test in told.get("tests") or [])
    tested = f" Each map was tested: {joined(name.replace('_', ' ') for name in tests)}." if tests else ""
    return [f"Predictions were explained by {methods}.{tested}"]


def _made(name, made):
    return any(entry == name or entry.startswith(f"{name}_") for entry in made)


def _software(record, references):
    environment, recipe = record.environment, record.recipe
    versions = environment.get("versions") or {}
    named = [f"neuroloom {versions['neuroloom']}" if "neuroloom" in versions else "neuroloom"]
    named += [f"Python {environment['python']}"] if environment.get("python") else []
    named += [f"{name} {versions[name]}" for name in SOFTWARE if name in versions]
    told = [f"The analysis ran with {joined(named)}."]
    if "seed" in recipe:
        told.append(f"All random draws follow from seed {recipe['seed']}.")
    return told
