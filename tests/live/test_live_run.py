"""A run on a stream: the answers of `predict`, whatever way the samples came, and what ends a session."""

import json
import math
import shutil

import numpy as np
import pytest
from made_live import CONTENT, NAMES, RATE, STOP, Sender, frames, over, recording, saved

from neuroloom.api import answer_live, predict_files
from neuroloom.errors import NeuroloomError
from neuroloom.live.replay_source import ReplaySource
from neuroloom.preparation import check_parts
from neuroloom.recipe import resolved
from neuroloom.scan import Scan

ANNA = {"person": "anna", "learner": "csp_lda", "every": True}


@pytest.fixture(scope="module")
def scan():
    return recording("carla")


def lines_of(run, source, **options):
    """Return the lines and the summary of a session."""
    lines = []
    summary = answer_live(run.folder, source, on_line=lines.append, **{**ANNA, **options})
    return lines, summary


def answers(lines, after=0.0):
    """Return time -> probability of right, from the answers after a time."""
    return {
        round(line["time"], 6): line["probability"]["right"]
        for line in lines
        if line["event"] == "answer" and line["time"] > after
    }


def cut(scan, first):
    """Return a recording without its first samples."""
    return Scan(scan.data[:, first:], "series", {**scan.geometry, "events": []})


@pytest.mark.parametrize("learner", ["conv1d", "csp_lda", "band_power"])
def test_live_answers_are_those_that_predict_gives_for_the_whole_recording(hands_run, scan, learner, tmp_path):
    file = saved(scan, tmp_path / "carla_eeg.fif")
    offline = predict_files(hands_run.folder, [file], learner=learner, person="anna")
    lines, summary = lines_of(hands_run, file, learner=learner, fast=True)
    live = answers(lines)
    ends = np.round(offline["onset"] + STOP, 6)
    assert len(offline) == 12
    np.testing.assert_allclose([live[end] for end in ends], offline["prediction_p_right"], atol=1e-5)
    assert (
        summary["answers"] == len(live) == round((scan.data.shape[1] / RATE - 1.8) / 0.2) + 1
    )  # each 0.2 s from 1.8 s on


def test_a_socket_gives_the_same_whatever_the_order_of_channels_their_unit_and_the_frames(hands_run, scan):
    order = [3, 1, 0, 2]
    data = np.vstack(
        [scan.data[order], scan.data[:1] * np.nan]
    )  # one that the run does not know, and that measures nothing
    with Sender(*frames(data), over(data), names=[*(NAMES[k] for k in order), "Fp1"]) as address:
        sent, summary = lines_of(hands_run, address)
    replayed, _ = lines_of(hands_run, ReplaySource(scan, fast=True))
    expected = answers(replayed)
    assert answers(sent) == pytest.approx(expected, abs=1e-5)
    assert len(expected) > 150
    assert summary["ended"] == "end of the stream"
    assert summary["gaps"] == summary["lost_samples"] == 0


def test_after_lost_frames_it_answers_as_one_that_began_there(hands_run, scan):
    lost = slice(1000, 1200)  # multiples of the step, 20 samples
    pieces = [*frames(scan.data[:, : lost.start]), *frames(scan.data[:, lost.stop :], first=lost.stop), over(scan.data)]
    with Sender(*pieces) as address:
        lines, summary = lines_of(hands_run, address)
    fresh, _ = lines_of(hands_run, ReplaySource(cut(scan, lost.stop), fast=True))
    shifted = {round(time + lost.stop / RATE, 6): value for time, value in answers(fresh).items()}
    assert answers(lines, after=lost.stop / RATE) == pytest.approx(shifted, abs=1e-5)
    [gap] = [line for line in lines if line["event"] == "gap"]
    assert (gap["time"], gap["seconds"]) == (10.0, 2.0)
    assert (summary["gaps"], summary["lost_samples"]) == (1, 200)


def test_frames_that_come_late_or_twice_change_nothing(hands_run, scan):
    pieces = frames(scan.data, lengths=(20,))
    with Sender(*pieces[:50], pieces[30], pieces[49], *pieces[50:], over(scan.data)) as address:
        lines, summary = lines_of(hands_run, address)
    replayed, _ = lines_of(hands_run, ReplaySource(scan, fast=True))
    assert answers(lines) == pytest.approx(answers(replayed), abs=1e-5)
    assert (summary["late_samples"], summary["gaps"]) == (40, 0)


def test_a_sender_that_starts_anew_meanwhile_ends_the_session(hands_run, scan):
    twice = [*frames(scan.data, lengths=(20,)), *frames(scan.data, lengths=(20,))]
    told = r"numbers of samples went back, from 3800 to 980, .* Start the session anew"
    with Sender(*twice, over(scan.data)) as address, pytest.raises(NeuroloomError, match=told):
        lines_of(hands_run, address)


def test_samples_may_be_numbered_from_anywhere(hands_run, scan):
    first = 10**9 + 7
    with Sender(*frames(scan.data, first=first), over(scan.data)) as address:
        lines, _ = lines_of(hands_run, address)
    replayed, _ = lines_of(hands_run, ReplaySource(scan, fast=True))
    assert answers(lines) == pytest.approx(answers(replayed), abs=1e-5)


def test_values_that_are_not_numbers_are_a_gap_and_named(hands_run, scan):
    data = scan.data.copy()
    data[1, 1000:1100] = np.nan
    with Sender(*frames(data, lengths=(20,)), over(data)) as address:
        lines, summary = lines_of(hands_run, address)
    fresh, _ = lines_of(hands_run, ReplaySource(cut(scan, 1100), fast=True))
    shifted = {round(time + 11.0, 6): value for time, value in answers(fresh).items()}
    assert answers(lines, after=10.0) == pytest.approx(shifted, abs=1e-5)
    [gap] = [line for line in lines if line["event"] == "gap"]
    assert gap["why"] == "values that are not numbers in Cz"
    assert (summary["unusable_samples"], summary["lost_samples"]) == (100, 0)


def test_a_channel_that_stays_without_numbers_ends_the_session(hands_run, scan):
    data = scan.data.copy()
    data[2, 500:] = np.inf
    with (
        Sender(*frames(data, lengths=(20,)), over(data)) as address,
        pytest.raises(NeuroloomError, match=r"not numbers \(NaN or infinite\) in C4 for 10 s, since 5\.000 s"),
    ):
        lines_of(hands_run, address)


def test_a_cut_connection_is_told_and_what_was_answered_is_kept(hands_run, scan, tmp_path):
    pieces = frames(scan.data[:, :1000], lengths=(20,))
    with (
        Sender(*pieces, frames(scan.data[:, 1000:], first=1000)[0][:50]) as address,
        pytest.raises(NeuroloomError, match=r"cut after sample 1000, in the middle of a frame, 34 of 112 bytes"),
    ):
        answer_live(hands_run.folder, address, out=tmp_path / "session", **ANNA)
    summary = json.loads((tmp_path / "session/summary.json").read_text())
    lines = [json.loads(line) for line in (tmp_path / "session/answers.jsonl").read_text().splitlines()]
    assert summary["seconds"] == 10.0
    assert summary["answers"] == sum(line["event"] == "answer" for line in lines) == round((10.0 - 1.8) / 0.2) + 1
    assert "cut after sample 1000" in summary["ended"]
    assert lines[-1]["ended"] == summary["ended"]
    assert "cut after sample 1000" in (tmp_path / "session/live.html").read_text()
    with pytest.raises(NeuroloomError, match="exists already"):
        answer_live(hands_run.folder, address, out=tmp_path / "session", **ANNA)


def test_ctrl_c_ends_a_session_as_its_end_does(hands_run, scan, tmp_path):
    def stop(line):
        if line["time"] >= 5.0:
            raise KeyboardInterrupt

    source = ReplaySource(scan, fast=True)
    summary = answer_live(hands_run.folder, source, on_line=stop, out=tmp_path / "session", **ANNA)
    assert (summary["ended"], summary["seconds"]) == ("stopped", 5.0)
    assert (tmp_path / "session/live.html").is_file()
    assert source.closed


def test_a_missing_channel_is_an_error_before_a_sample_is_answered(hands_run, scan):
    with (
        Sender(*frames(scan.data[:3]), names=["C3", "CZ", "C4"]) as address,
        pytest.raises(NeuroloomError, match=r"no channel 'Pz'.*C3 \(eeg\), CZ \(eeg\), C4 \(eeg\)"),
    ):
        lines_of(hands_run, address)


def test_another_sampling_rate_after_the_chain_is_refused(hands_run, scan):
    source = ReplaySource(Scan(scan.data, "series", {**scan.geometry, "sampling_rate": 120.0}), "cap", fast=True)
    with pytest.raises(NeuroloomError, match=r"cap: resample_series: .* 120 Hz is no multiple of 50 Hz"):
        lines_of(hands_run, source)


def test_a_chain_that_looks_ahead_is_refused_before_the_stream_is_looked_for(hands_run, tmp_path):
    shutil.copytree(hands_run.folder, tmp_path / "run")
    for path in (tmp_path / "run").glob("folds/*/csp_lda/fitted.json"):
        path.write_text(path.read_text().replace('"form": "causal"', '"form": "zero_phase"'))
    with pytest.raises(
        NeuroloomError, match=r"cannot answer live.*with form zero_phase looks into the future; use form"
    ):
        answer_live(tmp_path / "run", "tcp://127.0.0.1:1", **ANNA)


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ({"name": "scale_robust"}, "scale_robust"),
        ({"name": "ica_clean"}, "ica_clean"),
        ({"name": "filter", "high_pass": 1.0}, "use form: causal"),
    ],
)
def test_a_recipe_that_is_to_run_live_takes_no_part_that_looks_ahead(part, told):
    content = {**CONTENT, "inputs": {"eeg": [part]}}
    with pytest.raises(NeuroloomError, match=f"live-hands is to run live, and in the chain of 'eeg': .*{told}"):
        check_parts(resolved(content))


def test_words_that_cannot_be_are_told(hands_run, scan):
    with pytest.raises(NeuroloomError, match="class of this run: 'foot'"):
        lines_of(hands_run, ReplaySource(scan, fast=True), towards="foot")
    with pytest.raises(NeuroloomError, match="Say it with --person, one of anna, ben"):
        lines_of(hands_run, ReplaySource(scan, fast=True), person=None)
    with pytest.raises(NeuroloomError, match="confounds alone"):
        lines_of(hands_run, ReplaySource(scan, fast=True), learner="confounds")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"step": 0.0}, "step must be above 0 s .* not 0.0 and 0.0"),
        ({"step": math.inf, "smooth": math.inf}, "86400 s at most, not inf and inf"),
        ({"step": 1e308}, "86400 s at most, not 1e\\+308"),
        ({"step": math.nan}, "not nan and"),
        ({"smooth": math.inf}, "and inf"),
        ({"smooth": -1.0}, "and -1.0"),
        ({"seconds": -5.0}, "seconds must be a number above 0, not -5.0. Leave it out"),
        ({"seconds": math.inf}, "not inf. Leave it out"),
        ({"seconds": math.nan}, "not nan"),
    ],
)
def test_times_that_cannot_be_are_refused_before_the_stream_is_looked_for(hands_run, wrong, told):
    with pytest.raises(NeuroloomError, match=f"^live: .*{told}"):
        lines_of(hands_run, "tcp://127.0.0.1:1", **wrong)
