"""`neuroloom live` as it is typed."""

import json
import signal
import subprocess
import sys
import time

import pytest
from made_live import Sender, frames, over, recording, saved

from neuroloom.cli import app
from neuroloom.errors import NeuroloomError


def typed(*words):
    return app([str(word) for word in words], standalone_mode=False)


def test_lines_go_to_the_standard_output_and_the_summary_beside_it(hands_run, tmp_path, capsys):
    file = saved(recording("dora"), tmp_path / "dora_eeg.fif")
    typed(
        "live", hands_run.folder, "--replay", file, "--fast", "--person", "ben", "--learner", "csp_lda", "--seconds", 4
    )
    out, err = capsys.readouterr()
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["event"] for line in lines] == ["waiting"] * 8 + ["answer"] * 12 + ["end"]  # 1.8 s to fill, each 0.2 s
    assert "csp_lda: 4.0 s seen, 12 answers (latency: median" in err
    assert "Ended: 4 s were asked for." in err


def test_a_folder_gets_lines_summary_and_page(hands_run, tmp_path, capsys):
    scan = recording("dora")
    with Sender(*frames(scan.data), over(scan.data)) as address:
        typed("live", hands_run.folder, "--from", address, "--person", "ben", "--every", "--out", tmp_path / "out")
    out = capsys.readouterr().out
    assert "38.0 s seen, 182 answers" in out
    assert f"Page: {tmp_path / 'out' / 'live.html'}" in out
    page = (tmp_path / "out/live.html").read_text()
    assert "38.0 s seen, 182 answers" in page
    assert "<svg" in page
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["answers.jsonl", "live.html", "summary.json"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "live needs one source"),
        (["--from", "tcp://localhost:5555", "--simulate"], "live needs one source"),
        (["--from", "localhost:5555"], "write tcp://HOST:PORT"),
        (["--replay", "nothing.edf", "--person", "ben"], "nothing.edf: there is no such file"),
        (["--replay", "a.edf", "--set", "n_runs=2"], "--set means nothing with --from, --replay and --lsl"),
        (["--simulate", "--to", "tcp://localhost:5555"], "--to means nothing with --simulate"),
    ],
)
def test_words_that_do_not_fit_are_told(hands_run, words, told):
    with pytest.raises(NeuroloomError, match=told):
        typed("live", hands_run.folder, *words)


@pytest.mark.slow
def test_ctrl_c_at_the_terminal_ends_with_a_summary(hands_run):
    scan = recording("dora")
    with Sender(*frames(scan.data[:, :1000]), hold=True) as address:
        words = ["live", str(hands_run.folder), "--from", address, "--person", "ben", "--learner", "csp_lda"]
        code = f"import sys; sys.argv = ['neuroloom', *{words!r}]\nfrom neuroloom.cli import main\nmain()"
        with subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as done:
            first = done.stdout.readline()
            time.sleep(1.0)
            done.send_signal(signal.SIGINT)
            out, err = done.communicate(timeout=60)
    assert json.loads(first)["event"] == "waiting"
    assert "Traceback" not in err
    assert json.loads(out.splitlines()[-1])["ended"] == "stopped"
    assert "10.0 s seen, " in err
    assert done.returncode == 0
