"""What a user calls from Python; the command line calls the same."""

import hashlib
import os
from pathlib import Path

from neuroloom.errors import NeuroloomError
from neuroloom.estimators import ESTIMATORS
from neuroloom.experiment import run_experiment
from neuroloom.parallel import processors
from neuroloom.recipe import Recipe, read_recipe
from neuroloom.run_folder import Run
from neuroloom.training.loop import chosen_device
from neuroloom.transforms.cache import Cache


def run_recipe(
    recipe,
    data=None,
    *,
    cohort_file=None,
    variant=None,
    settings=None,
    out=None,
    cache=None,
    jobs=None,
    force=False,
    on_progress=None,
):
    """Run a recipe from files to report.

    Parameters
    ----------
    recipe : str, Path or Recipe
        Id of a packaged recipe, path of a recipe file, or a recipe.
    data : str, Path or None
        Your folder (BIDS, or with a ``cohort.yaml``); None takes the recipe's simulator.
    cohort_file : str, Path or None
        A cohort file that lies elsewhere, or a preset's name.
    variant : str or None
        One of the recipe's variants.
    settings : dict or None
        Dotted recipe keys and their values, ``{"training.epochs": 5}``.
    out : str, Path or None
        The run's folder; by default ``runs/`` and a name made of the recipe and the data.
    cache : str, Path or None
        Where prepared scans are kept; by default `cache_folder`.
    jobs : int or None
        Folds and learners at work side by side; by default one a processor, and one at a time on a GPU.
    force : bool
        Delete a run that is in the folder already, once the recipe and the data are read.
    on_progress : callable or None
        Called with (what, done, of).

    Returns
    -------
    Run
        ``run.metrics``, ``run.predictions``, ``run.folder / "report.html"``.
    """
    if not isinstance(recipe, Recipe):
        recipe = read_recipe(recipe, variant, (settings or {}).items())
    elif variant is not None or settings:
        raise NeuroloomError(
            f"{recipe.id}: a recipe that is read already takes no variant and no settings. Give its id or its file, "
            "or pass them to read_recipe."
        )
    return run_experiment(
        recipe,
        Run(out or default_folder(recipe, data)),
        data=None if data is None else Path(data),
        cohort_file=cohort_file,
        cache=Cache(cache or cache_folder(), jobs or processors()),
        jobs=jobs or usual_jobs(recipe),
        force=force,
        on_progress=on_progress,
    )


def predict_files(run_folder, files, *, learner=None, reader=None, person=None):
    """Answer for new scans: the mean of the folds' learners; see `neuroloom.prediction.predict`."""
    from neuroloom.prediction import predict

    files = [Path(file) for file in files]
    return predict(Run.existing(run_folder), files, learner=learner, reader=reader or {}, person=person)


def check_alarms(run_folder, out, alarms):
    """Raise an error where a run raises no alarms, or where they would be written over its answers."""
    from neuroloom.new_alarms import check_raises

    if out is not None and Path(out).resolve() == Path(alarms).resolve():
        raise NeuroloomError(f"{alarms}: --out and --alarms name one file. Give two.")
    check_raises(Run.existing(run_folder))


def alarms_in(run_folder, answers, *, learner=None, person=None):
    """Return alarms or warnings from the answers for new recordings; see `neuroloom.new_alarms.alarms_in`."""
    from neuroloom.new_alarms import alarms_in

    return alarms_in(Run.existing(run_folder), answers, learner=learner, person=person)


def answer_live(run_folder, source, **options):
    """Answer for a stream with a finished run until it ends; see `neuroloom.live.live_run.live_session`.

    Parameters
    ----------
    run_folder : str or Path
    source : str or Path
        ``tcp://HOST:PORT``, ``lsl://NAME``, or a recording to be replayed.
    **options
        ``out``, ``learner``, ``person``, ``towards``, ``step``, ``smooth``, ``fast``, ``seconds``, ``on_line`` ...

    Returns
    -------
    dict
        Seconds seen, answers, latency.
    """
    from neuroloom.live.live_run import live_session

    return live_session(Run.existing(run_folder), source, **options)


def close_loop(run_folder, *, settings=None, jobs=None, **options):
    """Close the loop on a run's simulated people; see `neuroloom.live.live_run.live_loop`."""
    from neuroloom.live.live_run import live_loop

    return live_loop(Run.existing(run_folder), settings=settings, jobs=jobs or processors(), **options)


def segment_files(run_folder, files, out, **options):
    """Write label maps of new scans into a folder; see `neuroloom.segmentation.segment`."""
    from neuroloom.segmentation import segment

    files = [Path(file) for file in files]
    return segment(Run.existing(run_folder), files, out, **options)


def segment_scans(scans, out, *, suffix="T1w", device="auto", **options):
    """Find structures in scans with the weights that ship.

    Parameters
    ----------
    scans : str, Path or list of them
        Files, DICOM folders, or BIDS folders.
    out : str or Path
        A folder: label map, brain mask, stripped scan and quality of each scan, and ``scans.tsv``.
    suffix : str
        Of the files that are meant in BIDS folders.
    device : str
        ``cpu``, ``cuda`` or ``auto``.
    options
        Of `neuroloom.anatomy.scans.segment_scans`.

    Returns
    -------
    DataFrame
        A row a scan: what became of it.
    """
    from neuroloom.anatomy.scans import jobs_of, segment_scans

    jobs = jobs_of(paths_of(scans), suffix)
    return segment_scans(jobs, Path(out), device=chosen_device(device), **options)


def measure_scans(
    scans,
    out,
    *,
    age=None,
    sex=None,
    people=None,
    norms=None,
    prior=None,
    years=None,
    suffix="T1w",
    device="auto",
    **options,
):
    """Measure structures in scans with the weights that ship.

    Parameters
    ----------
    scans : str, Path or list of them
        Files, DICOM folders, or BIDS folders.
    out : str or Path
        A folder: images, ``NAME_volumes.json`` and a page a scan, ``volumes.tsv``, ``scans.tsv``.
    age, sex : float, str or None
        Of the person, where one scan is named.
    people : Path or None
        A table with ``participant_id``, ``age``, ``sex``, where several are.
    norms : Path or None
        A reference that `neuroloom.norms` fitted.
    prior : Path or None
        An earlier scan of the person.
    years : float or None
        Between it and the scan.
    suffix : str
        Of the files that are meant in BIDS folders.
    device : str
        ``cpu``, ``cuda`` or ``auto``.
    options
        Of `neuroloom.anatomy.volumes.volumes_of_scans`.

    Returns
    -------
    DataFrame
        A row a scan: what became of it.
    """
    from neuroloom.anatomy.prior import Prior
    from neuroloom.anatomy.scans import jobs_of
    from neuroloom.anatomy.volumes import people_told, volumes_of_scans
    from neuroloom.norms.norms import Norms

    jobs = jobs_of(paths_of(scans), suffix)
    return volumes_of_scans(
        jobs,
        Path(out),
        people=people_told(jobs, age, sex, people),
        norms=None if norms is None else Norms.load(norms),
        prior=Prior.told(prior, years),
        device=chosen_device(device),
        **options,
    )


def register_files(moving, fixed, out, *, degrees=None, deformable=False, labels=None, force=False):
    """Bring one scan onto another and write it into a folder; see `neuroloom.registration.register.register`."""
    from neuroloom.registration.register import register

    moving, fixed, out = Path(moving), Path(fixed), Path(out)
    labels = None if labels is None else Path(labels)
    return register(moving, fixed, out, degrees=degrees, deformable=deformable, labels=labels, force=force)


def paths_of(scans):
    """Return paths of one or several scans."""
    return [Path(scans)] if isinstance(scans, (str, Path)) else [Path(scan) for scan in scans]


def cache_folder():
    """Return where prepared scans are kept: $NEUROLOOM_CACHE, or the user's cache folder."""
    told = os.environ.get("NEUROLOOM_CACHE")
    if told:
        return Path(told)
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "neuroloom"


def default_folder(recipe, data=None):
    """Return the folder that the same recipe on the same data always gets, so that the same command goes on."""
    told = recipe.as_yaml() + (str(Path(data).resolve()) if data is not None else "")
    name = recipe.id if recipe.variant is None else f"{recipe.id}-{recipe.variant}"
    return Path("runs") / f"{name}-{hashlib.blake2b(told.encode(), digest_size=4).hexdigest()}"


def usual_jobs(recipe):
    """Return how many folds and learners work side by side unless said: one a processor, one at a time on a GPU."""
    trained = recipe.model.name not in ESTIMATORS
    return 1 if trained and chosen_device(recipe.training.device).type == "cuda" else processors()


def red_team_recipe(recipe, data=None, *, cohort_file=None, cache=None, jobs=None, on_progress=None):
    """Attack a recipe; see `neuroloom.redteam.red_team`."""
    from neuroloom.redteam import red_team

    recipe = recipe if isinstance(recipe, Recipe) else read_recipe(recipe)
    kept = Cache(cache or cache_folder(), jobs or processors())
    jobs = jobs or usual_jobs(recipe)
    return red_team(recipe, data=data, cohort_file=cohort_file, cache=kept, jobs=jobs, on_progress=on_progress)


def simulate_files(kind, out, settings=None, *, force=False, on_progress=None):
    """Write a simulated cohort as real files into a new folder; return the number of people."""
    from neuroloom.parts import Part, build
    from neuroloom.simulators import SIMULATORS
    from neuroloom.simulators.bids import write_cohort

    cohort = build("simulator", SIMULATORS, Part(name=kind, **(settings or {})))
    write_cohort(cohort, Path(out), force=force, on_progress=on_progress)
    return cohort.table["participant_id"].nunique()


def fit_norms_table(table, *, name, out=None, measures=None, cohort_file=None, on_note=None, **columns):
    """Fit centile curves on a table of people; see `neuroloom.norms.fit_norms`.

    Parameters
    ----------
    table : str or Path
        A .csv or .tsv, or a data folder; see `neuroloom.norms.people_table.people_table`.
    name : str
        What the reference is called.
    out : str, Path or None
        JSON file to write.
    measures : sequence of str or None
    cohort_file : str, Path or None
        A cohort file that lies elsewhere, or a preset's name; for folders.
    on_note : callable or None
        Called with each text of what was taken for what and who was left out. These may name people, and are not kept.
    **columns
        ``age``, ``sex``, ``person`` and ``on_progress`` of `fit_norms`.

    Returns
    -------
    Norms
    """
    from neuroloom.norms import fit_norms

    norms = fit_norms(_people(table, cohort_file, on_note), measures, name=name, on_note=on_note, **columns)
    if out is not None:
        norms.save(out)
    return norms


def apply_norms_table(norms, table, *, cohort_file=None, on_note=None, **columns):
    """Return where the people of a table lie on norms (a file); see `neuroloom.norms.apply_norms`."""
    from neuroloom.norms import Norms, apply_norms

    return apply_norms(Norms.load(norms), _people(table, cohort_file, on_note), on_note=on_note, **columns)


def draw_norms(norms, out, *, measures=None):
    """Draw the centile curves of norms (a file) as .png or as a page, .html; return the measures drawn."""
    from neuroloom.norms import Norms
    from neuroloom.report.norms_page import write_norms

    return write_norms(Norms.load(norms), out, measures)


def _people(table, cohort_file, on_note):
    from neuroloom.norms.people_table import people_table

    people, notes = people_table(table, cohort_file)
    for note in notes if on_note else ():
        on_note(note)
    return people
