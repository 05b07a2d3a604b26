"""The loop closed on simulated people: what somebody learns from the decoder's feedback, and from somebody else's."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from neuroloom.cohort.trials import class_of
from neuroloom.errors import NeuroloomError
from neuroloom.live.decoder import Decoder
from neuroloom.live.feedback import Feedback
from neuroloom.parallel import side_by_side
from neuroloom.preparation import read_cohort
from neuroloom.simulators.eeg_motor_imagery import NAME
from neuroloom.simulators.eeg_neurofeedback import LEARNING, Trainee, with_feedback

LEVEL = 0.95
PARTS = 3  # what the last third of the trials reached is held against the first
ROUNDING = 1e-9  # s
MEASURES = {  # what is measured of each trial
    "gain": "planted size of the change of log power, times that of the calibration",
    "reward": "mean feedback towards the cue, -1 to 1",
    "right": "share of trials with feedback towards the cue",
}


@dataclass(frozen=True)
class Loop:
    """How the feedback runs are made.

    Parameters
    ----------
    n_participants : int or None
        Of the run's simulated people, the first ones; None is all.
    n_runs, n_trials : int
        Feedback runs of each, and trials of a run.
    learning : float
        See `neuroloom.simulators.eeg_neurofeedback.Trainee`; 0 plants nothing.
    """

    n_participants: int | None = None
    n_runs: int = 8
    n_trials: int = 48
    learning: float = LEARNING

    def __post_init__(self):
        for name, least in (("n_participants", 2), ("n_runs", 1), ("n_trials", PARTS)):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
                raise NeuroloomError(f"closed loop: {name} is a whole number, {least} or more, not {value!r}.")
        if isinstance(self.learning, bool) or not isinstance(self.learning, int | float) or not 0 <= self.learning <= 1:
            raise NeuroloomError(f"closed loop: learning is a rate from 0 to 1, not {self.learning!r}.")


def closed_loop(run, loop=Loop(), *, learner=None, step=0.2, smooth=0.5, jobs=1, on_progress=None):
    """Return what simulated people learn with feedback of their own decoder, and with sham.

    Each of the run's people does feedback runs on another day, twice, with the same draws: once they see what the decoder
    makes of them; once (sham) what it made of the next one, in the same trials, towards their own cue. What differs is
    what the feedback knows.

    Parameters
    ----------
    run : Run
        Finished, on `simulated_motor_imagery`.
    loop : Loop
    learner : str or None
        As in `Decoder`.
    step, smooth : float
        s; see `Feedback`.
    jobs : int
        People side by side.
    on_progress : callable or None
        Called with (what, done, of).

    Returns
    -------
    dict
        As JSON has it: ``change`` (last third of the trials minus the first, mean over people with its interval) of each
        of ``MEASURES`` with ``feedback``, ``sham``, and their ``difference``; ``curves``, means over people by trial;
        ``people``, the change of each.
    """
    draw, samples = _people(run, loop)
    within, people = run.recipe.validation.within, list(samples)
    told = {
        person: (run, draw, samples[person], loop.learning, learner, person if within else None, step, smooth)
        for person in people
    }
    tell = _teller(on_progress, 2 * len(people))
    real = _each(told, {}, jobs, tell)
    shown = {person: real[people[(n + 1) % len(people)]]["reward"] for n, person in enumerate(people)}
    sham = _each(told, shown, jobs, tell)
    decoder = Decoder(run, learner, people[0] if within else None)
    return {
        "settings": {
            "n_participants": len(people), "n_runs": loop.n_runs, "n_trials": loop.n_trials, "learning": loop.learning,
            "effect": draw.effect, "step": step, "smooth": smooth, "decoder": decoder.name,
        },
        **_compared(real, sham),
    }  # fmt: skip


def _people(run, loop):
    """Return the draw of feedback runs, and person -> samples, of a run's simulated people."""
    cohort = read_cohort(run.recipe) if run.recipe.cohort.name == NAME else None
    if cohort is None or run.recipe.trials is None:
        raise NeuroloomError(
            f"{run.folder}: the loop is closed on simulated imagined movements, and this run was made of "
            f"{run.recipe.cohort.name}. Run 'neurofeedback' without --data first."
        )
    draw = cohort.inputs["eeg"].draw
    people = list(cohort.table["participant_id"].unique())
    asked = loop.n_participants or len(people)
    if not 2 <= asked <= len(people):
        raise NeuroloomError(
            f"{run.folder}: {asked} people were asked for, and the run has {len(people)}; sham feedback needs two."
        )
    draw = replace(draw, cap=replace(draw.cap, bad_channels=0.0))
    return with_feedback(draw, people[:asked], loop.n_runs, loop.n_trials)


def _each(told, shown, jobs, tell):
    """Return person -> what `feedback_runs` gives; ``shown`` are the rewards of sham feedback."""
    calls = [(_named, person, *about, shown.get(person)) for person, about in told.items()]
    made = {}
    for person, trials in side_by_side(calls, jobs):
        made[person] = trials
        tell()
    return made


def _named(person, run, draw, samples, learning, learner, whose, step, smooth, shown):
    decoder = Decoder(run, learner, whose)
    return person, feedback_runs(decoder, draw, samples, learning, step, smooth, shown)


def feedback_runs(decoder, draw, samples, learning, step=0.2, smooth=0.5, shown=None):
    """Return gain and reward of each trial of somebody's runs, by name, each of shape (trial,).

    Parameters
    ----------
    decoder : Decoder
    draw : MotorImageryDraw
    samples : list of str
        The runs, in order; what was learned in one is there in the next.
    learning, step, smooth : float
    shown : ndarray of shape (trial,) or None
        Rewards that are shown in place of what the decoder makes of this person.
    """
    gain, expected, gains, rewards = 1.0, None, [], []
    for number, sample in enumerate(samples):
        trainee = Trainee(draw, sample, learning, gain, expected)
        part = slice(number * draw.n_trials, (number + 1) * draw.n_trials)
        rewards.append(_one_run(trainee, decoder, step, smooth, None if shown is None else shown[part]))
        gains.append(trainee.gains)
        gain, expected = trainee.gain, trainee.expected
    return {"gain": np.concatenate(gains), "reward": np.concatenate(rewards)}


def _one_run(trainee, decoder, step, smooth, shown):
    """Return what the decoder makes of each trial of a run, while its person learns from what is shown."""
    stream, rule = decoder.stream(trainee.geometry, trainee.sample), Feedback(decoder.classes, smooth)
    rate, at, rewards = trainee.geometry["sampling_rate"], 0, []
    for trial, (onset, _, label) in enumerate(trainee.draw.events(trainee.sample)):
        wanted = class_of(label, decoder.recipe.trials.classes)
        rule.restart()
        values = []
        for time in answer_times(decoder, stream, onset, step):
            end = round(time * rate)
            stream.push(trainee.samples(at, end))
            at = end
            rule.hear(stream.answer(), time)
            values.append(rule.towards(wanted))
        rewards.append(float(np.mean(values)))
        trainee.hear(trial, rewards[-1] if shown is None else shown[trial])
    return np.array(rewards)


def answer_times(decoder, stream, onset, step):
    """Return when a trial is answered for: from the first window that lies in its stretch to the last, s."""
    start, stop = decoder.recipe.trials.stretch
    first = onset + start + stream.n_times / stream.geometry["sampling_rate"]
    return np.arange(first, onset + stop + ROUNDING, step)


def _compared(real, sham):
    """Return changes with intervals, curves and people of both conditions."""
    conditions = {"feedback": real, "sham": sham}
    series = {
        name: {measure: np.stack([_of(trials, measure) for trials in made.values()]) for measure in MEASURES}
        for name, made in conditions.items()
    }  # condition -> measure -> (person, trial)
    change = {name: {one: _change(values) for one, values in made.items()} for name, made in series.items()}
    change["difference"] = {one: change["feedback"][one] - change["sham"][one] for one in MEASURES}
    return {
        "change": {name: {one: mean_interval(each) for one, each in made.items()} for name, made in change.items()},
        "curves": {
            name: {one: made[one].mean(axis=0).tolist() for one in ("gain", "reward")} for name, made in series.items()
        },
        "people": {
            person: {name: {one: float(made[one][row]) for one in MEASURES} for name, made in change.items()}
            for row, person in enumerate(real)
        },
    }


def _of(trials, measure):
    return (trials["reward"] > 0).astype(float) if measure == "right" else trials[measure]


def _change(values):
    """Return the mean of the last third of the trials minus that of the first, (person,)."""
    n = values.shape[1] // PARTS
    return values[:, -n:].mean(axis=1) - values[:, :n].mean(axis=1)


def mean_interval(values, level=LEVEL):
    """Return mean, low and high of values of independent people, by Student's t."""
    half = stats.t.ppf((1 + level) / 2, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    mean = float(np.mean(values))
    return {"mean": mean, "low": mean - float(half), "high": mean + float(half)}


def _teller(on_progress, of):
    done = iter(range(1, of + 1))

    def tell():
        number = next(done)
        if on_progress is not None:
            on_progress("feedback runs", number, of)

    return tell
