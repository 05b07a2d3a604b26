"""The loop closed: what a decoder that sees the truth teaches, what sham teaches, and what nothing planted leaves."""

import numpy as np
import pytest
from scipy import stats

import neuroloom
from neuroloom.api import answer_live, close_loop, predict_files, simulate_files
from neuroloom.errors import NeuroloomError
from neuroloom.live.closed_loop import Loop, feedback_runs, mean_interval
from neuroloom.recipe import read_recipe
from neuroloom.simulators.eeg_motor_imagery import simulate_motor_imagery
from neuroloom.simulators.eeg_neurofeedback import depths, with_feedback


def test_an_interval_over_people_is_that_of_students_t():
    values = np.random.default_rng(0).normal(0.3, 1.0, 9)
    low, high = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    told = mean_interval(values)
    np.testing.assert_allclose([told["mean"], told["low"], told["high"]], [values.mean(), low, high])


class Oracle:
    """A decoder that is told how deep each trial's imagery is, and answers for the cued hand by it."""

    classes = ("left", "right")

    def __init__(self, recipe, draw):
        self.recipe, self.draw, self.n_times = recipe, draw, 250

    def stream(self, geometry, sample):
        self.cued = [label == "right_hand" for _, _, label in self.draw.events(sample)]
        self.onsets = [onset for onset, _, _ in self.draw.events(sample)]
        self.depths, self.seen = depths(self.draw, sample), 0
        self.geometry = {"sampling_rate": 125.0}
        self.rate = geometry["sampling_rate"]
        return self

    def push(self, data):
        self.seen += data.shape[1]

    def answer(self):
        trial = int(np.searchsorted(self.onsets, self.seen / self.rate)) - 1
        p = 0.5 + 0.1 * np.clip(self.depths[trial], -3, 3)
        return np.array([1 - p, p]) if self.cued[trial] else np.array([p, 1 - p])


def test_what_the_decoder_sees_is_rewarded_towards_the_cue_and_learned_from_over_all_runs():
    draw = simulate_motor_imagery(n_participants=1, bad_channels=0.0).inputs["eeg"].draw
    draw, samples = with_feedback(draw, ["sub-001"], 2, 12)
    runs, oracle = samples["sub-001"], Oracle(read_recipe("neurofeedback"), draw)
    trials = feedback_runs(oracle, draw, runs, learning=0.05)
    deep = np.concatenate([depths(draw, sample) for sample in runs])
    z = np.clip(deep, -3, 3)
    np.testing.assert_allclose(trials["reward"], 0.2 * z, atol=1e-9)  # 2 p - 1
    expected, gain = trials["reward"][0], [1.0]
    for reward, depth in zip(trials["reward"][:-1], deep, strict=False):
        gain.append(gain[-1] + 0.05 * (reward - expected) * depth)
        expected += 0.1 * (reward - expected)
    np.testing.assert_allclose(trials["gain"], gain, atol=1e-9)
    assert trials["gain"][-1] > 1.1
    sham = feedback_runs(oracle, draw, runs, 0.05, shown=np.zeros(24))
    np.testing.assert_array_equal(sham["gain"], 1.0)
    np.testing.assert_allclose(sham["reward"], 0.2 * z, atol=1e-9)


SMALL = {"cohort.n_participants": 2, "cohort.n_trials": 12, "baselines": [], "validation.permutations": 20}


@pytest.fixture(scope="module")
def small_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("loop")
    recipe = read_recipe("neurofeedback", overrides=SMALL.items())
    return neuroloom.run(recipe, out=folder / "run", cache=folder / "cache", jobs=1)


@pytest.mark.slow
def test_with_nothing_planted_nothing_is_learned_and_sham_measures_the_same(small_run, tmp_path):
    told = close_loop(
        small_run.folder, settings={"n_runs": 1, "n_trials": 6, "learning": 0.0}, out=tmp_path / "out", jobs=1
    )
    for name in ("feedback", "sham", "difference"):
        assert told["change"][name]["gain"] == {"mean": 0.0, "low": 0.0, "high": 0.0}
    assert told["curves"]["feedback"]["reward"] == told["curves"]["sham"]["reward"]  # the same draws, to the bit
    assert "No learning from feedback is shown." in (tmp_path / "out/live.html").read_text()
    again = close_loop(small_run.folder, settings={"n_runs": 1, "n_trials": 6, "learning": 0.1}, jobs=2)
    assert again["curves"]["feedback"]["gain"] != again["curves"]["sham"]["gain"]
    assert again["settings"]["learning"] == 0.1


@pytest.mark.slow
def test_live_answers_for_windows_are_those_that_predict_takes_the_mean_of(small_run, tmp_path):
    """A trial of 437 samples at 125 Hz holds windows of 250 from 0, 62, 124 and 186 on; two samples come for each of those."""
    written = write_one(tmp_path / "day")
    offline = predict_files(small_run.folder, [written], person="sub-001")
    lines = []
    told = {"person": "sub-001", "step": 0.008, "smooth": 0.0, "fast": True, "seconds": 14.0, "on_line": lines.append}
    answer_live(small_run.folder, written, **told)
    live = {round(line["time"] * 125): line["probability"]["right"] for line in lines if line["event"] == "answer"}
    first = round((offline["onset"][0] + 0.5) * 125)
    expected = np.mean([live[first + start + 250] for start in (0, 62, 124, 186)])
    assert offline["prediction_p_right"][0] == pytest.approx(expected, abs=1e-5)


def write_one(folder):
    simulate_files(
        "simulated_motor_imagery",
        folder,
        {**dict.fromkeys(("n_participants", "n_sessions", "n_runs"), 1), "n_trials": 2},
    )
    [written] = folder.rglob("*_eeg.vhdr")
    return written


@pytest.mark.slow
def test_what_cannot_be_looped_is_refused(small_run, hands_run):
    with pytest.raises(NeuroloomError, match="3 people were asked for, and the run has 2"):
        close_loop(small_run.folder, settings={"n_participants": 3})
    with pytest.raises(NeuroloomError, match=r"setting of the closed loop: 'n_run'\. Did you mean 'n_runs'"):
        close_loop(small_run.folder, settings={"n_run": 3})
    with pytest.raises(NeuroloomError, match=r"this run was made of live_hands\. Run 'neurofeedback'"):
        close_loop(hands_run.folder)


@pytest.mark.parametrize(
    "wrong", [{"n_participants": 1}, {"n_runs": 0}, {"n_trials": 2}, {"learning": -1}, {"n_runs": "a"}]
)
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(NeuroloomError, match=f"closed loop: {next(iter(wrong))} is a"):
        Loop(**wrong)
