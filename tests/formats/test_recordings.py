"""Recordings read back: numbers to the digital resolution, events to the sample, and what is refused."""

import json

import made_recordings as made
import mne
import numpy as np
import pandas as pd
import pytest

from neuroloom.errors import NeuroloomError
from neuroloom.formats import read, spacious
from neuroloom.formats.recording_events import trigger_events

RESOLUTION = {".edf": 500 / 2**16, ".bdf": 500 / 2**24}  # µV of a step, of a range of 500 µV


@pytest.mark.parametrize("ending", [".edf", ".bdf"])
def test_edf_and_bdf_come_back_to_half_a_step(tmp_path, ending):
    scan = read(made.write_edf(tmp_path / f"a{ending}"))
    assert scan.geometry["names"] == made.NAMES
    assert scan.geometry["types"] == ["eeg"] * 7
    assert scan.geometry["unit"] == "V"
    assert scan.geometry["sampling_rate"] == made.RATE
    error = np.abs(scan.data * 1e6 - made.microvolts()).max()
    assert error < 0.51 * RESOLUTION[ending] + 1e-5  # float32 of 100 µV has 8e-6
    assert scan.data.dtype == np.float32


@pytest.mark.parametrize("ending", [".edf", ".bdf"])
def test_annotations_of_edf_plus_come_back(tmp_path, ending):
    scan = read(made.write_edf(tmp_path / f"a{ending}"))
    assert scan.geometry["events"] == [list(event) for event in made.EVENTS]


def test_brainvision_comes_back_with_its_markers_to_the_sample(tmp_path):
    mne.export.export_raw(tmp_path / "a.vhdr", made.mne_raw(), verbose="error")
    scan = read(tmp_path / "a.vhdr")
    np.testing.assert_allclose(scan.data * 1e6, made.microvolts(), atol=0.1)  # pybv's resolution
    told = [event for event in scan.geometry["events"] if not event[2].startswith("New Segment")]
    assert [label for _, _, label in told] == ["Comment/T1", "Comment/T2", "Comment/T0"]
    np.testing.assert_allclose([onset for onset, _, _ in told], [1.0, 3.25, 6.0], atol=0.5 / made.RATE)


def test_fif_comes_back_whole_also_when_its_first_sample_is_not_the_first(tmp_path):
    raw = made.mne_raw(montage="standard_1020").crop(2.0)
    raw.save(tmp_path / "a_raw.fif", verbose="error")
    scan = read(tmp_path / "a_raw.fif")
    np.testing.assert_allclose(scan.data * 1e6, made.microvolts()[:, 400:], rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose([event[0] for event in scan.geometry["events"]], [1.25, 4.0], atol=1e-6)
    told = [channel["loc"][:3] for channel in raw.info["chs"]]
    np.testing.assert_allclose(scan.geometry["positions"], told, atol=1e-6)


def test_fif_in_parts_comes_back_whole(tmp_path):
    data = made.microvolts(32, 40_000)
    raw = made.mne_raw(data, [f"E{n}" for n in range(32)], events=[(1.0, 0.0, "first"), (199.0, 0.0, "last")])
    raw.save(tmp_path / "a_raw.fif", split_size="3MB", buffer_size_sec=1.0, verbose="error")
    assert len(list(tmp_path.iterdir())) > 1
    scan = read(tmp_path / "a_raw.fif")
    np.testing.assert_allclose(scan.data * 1e6, data, rtol=1e-5, atol=1e-4)
    assert [event[2] for event in scan.geometry["events"]] == ["first", "last"]
    (tmp_path / "a_raw-1.fif").unlink()
    with pytest.raises(NeuroloomError, match=r"a_raw\.fif"):
        read(tmp_path / "a_raw.fif")


def test_eeglab_comes_back_with_its_events(tmp_path):
    from scipy.io import savemat

    data, events = made.microvolts().astype(np.float32), made.EVENTS
    struct = {
        "setname": "a", "nbchan": 7, "pnts": 2000, "trials": 1, "srate": float(made.RATE), "xmin": 0.0, "xmax": 9.995,
        "data": data, "icawinv": [], "icasphere": [], "icaweights": [],
        "chanlocs": np.array([(name,) for name in made.NAMES], dtype=[("labels", object)]),
        "event": np.array([(label, onset * made.RATE + 1.0) for onset, _, label in events], dtype=[("type", object), ("latency", object)]),
    }  # fmt: skip
    savemat(tmp_path / "a.set", {"EEG": struct}, do_compression=True)
    scan = read(tmp_path / "a.set")
    np.testing.assert_allclose(scan.data * 1e6, data, rtol=1e-5, atol=1e-5)
    assert [event[2] for event in scan.geometry["events"]] == ["T1", "T2", "T0"]
    np.testing.assert_allclose([event[0] for event in scan.geometry["events"]], [1.0, 3.25, 6.0], atol=1e-9)


def test_channels_are_kept_by_name_type_or_all(tmp_path):
    path = made.write_edf(tmp_path / "a.edf", names=["Fp1", "Fc5.", "EOG left", "ECG", "C4", "Status", "O2"], prefix="")
    assert read(path).geometry["names"] == ["Fp1", "Fc5.", "C4", "O2"]
    assert read(path, channels=["eog", "o2"]).geometry["names"] == ["EOG left", "O2"]
    turned = read(path, channels=["O2", "Fp1"])
    assert turned.geometry["names"] == ["O2", "Fp1"]
    np.testing.assert_allclose(turned.data * 1e6, made.microvolts()[[6, 0]], atol=RESOLUTION[".edf"])
    assert read(path, channels="all").geometry["types"] == ["eeg", "eeg", "eog", "ecg", "eeg", "eeg"]
    assert read(path, channels=["FC5"]).geometry["names"] == ["Fc5."]
    with pytest.raises(NeuroloomError, match="Did you mean 'Fp1'"):
        read(path, channels=["Fp11"])


def test_a_montage_gives_places_by_name_whatever_the_case_and_dots(tmp_path):
    path = made.write_edf(tmp_path / "a.edf", names=["FP1", "fp2", "C3..", "Cz.", "C4", "nobody", "O2"], prefix="")
    scan = read(path, montage="standard_1020")
    raw = made.mne_raw(montage="standard_1020")  # mne's own places in the head's frame
    place = {name: channel["loc"][:3] for name, channel in zip(made.NAMES, raw.info["chs"], strict=True)}
    told = scan.geometry["positions"]
    assert told[5] is None
    for number, name in enumerate(["Fp1", "Fp2", "C3", "Cz", "C4", None, "O2"]):
        if name:
            np.testing.assert_allclose(
                told[number], place[name], atol=2e-3
            )  # the head's sphere is fitted to all channels
    assert told[2][0] < 0 < told[4][0]  # left is minus


def test_a_montage_that_fits_no_channel_is_refused(tmp_path):
    path = made.write_edf(tmp_path / "a.edf", names=list("abcdefg"), prefix="")
    with pytest.raises(NeuroloomError, match=r"a\.edf: none of its channels is in the montage standard_1020"):
        read(path, montage="standard_1020")
    with pytest.raises(NeuroloomError, match="no montage 'standard_10'"):
        read(path, montage="standard_10")


def test_the_unit_is_believed_refused_or_replaced(tmp_path):
    in_mv = read(made.write_edf(tmp_path / "m.edf", made.microvolts() / 1000, unit="mV", span=0.25)).data
    np.testing.assert_allclose(in_mv * 1e6, made.microvolts(), atol=RESOLUTION[".edf"])
    path = made.write_edf(tmp_path / "u.edf", unit="")
    with pytest.raises(NeuroloomError, match="does not say the unit of 7 channels"):
        read(path)
    np.testing.assert_allclose(read(path, unit="uV").data * 1e6, made.microvolts(), atol=RESOLUTION[".edf"])
    wrong = made.write_edf(tmp_path / "w.edf", unit="mV")  # microvolts under the wrong name
    np.testing.assert_allclose(read(wrong, unit="uV").data * 1e6, made.microvolts(), atol=RESOLUTION[".edf"])


def test_triggers_are_what_mne_finds(tmp_path):
    rng = np.random.default_rng(3)
    stim = np.zeros((1, 2000))
    for start in np.sort(rng.choice(190, 40, replace=False)) * 10 + 20:
        stim[0, start : start + rng.integers(2, 10)] = rng.integers(1, 200)
    raw = made.mne_raw(
        np.concatenate([made.microvolts(), stim * 1e6]), [*made.NAMES, "STI 014"], ["eeg"] * 7 + ["stim"], None
    )
    raw.save(tmp_path / "a_raw.fif", verbose="error")
    found = mne.find_events(raw, consecutive=True, shortest_event=1, verbose="error")
    told = read(tmp_path / "a_raw.fif").geometry["events"]
    assert [[round(onset * made.RATE), label] for onset, _, label in told] == [
        [int(at), str(int(to))] for at, _, to in found
    ]


def test_triggers_are_found_across_pieces():
    channel = np.repeat([0, 5, 5, 0, 7, 8, 0], 10)
    whole = trigger_events([channel], 10.0, 2**16 - 1)
    assert whole == [[1.0, 0.0, "5"], [4.0, 0.0, "7"], [5.0, 0.0, "8"]]
    assert trigger_events(np.array_split(channel, 9), 10.0, 2**16 - 1) == whole
    assert trigger_events([channel + 2**16], 10.0, 2**16 - 1) == whole  # an amplifier's own bits


def test_events_of_a_table_beside_the_recording(tmp_path):
    path = made.write_edf(tmp_path / "a.edf")
    table = {
        "onset": [4.0, 1.5, 2.0],
        "duration": ["n/a", 0.5, 1.0],
        "trial_type": ["left", "right", "n/a"],
        "stim": ["x", "y", "z"],
    }
    pd.DataFrame(table).to_csv(tmp_path / "a.tsv", sep="\t", index=False)
    assert read(path, events="a.tsv").geometry["events"] == [[1.5, 0.5, "right"], [4.0, 0.0, "left"]]
    by_stim = read(path, events="a.tsv", event_label="stim").geometry["events"]
    assert [event[2] for event in by_stim] == ["y", "z", "x"]
    with pytest.raises(NeuroloomError, match=r"a\.tsv: Unknown column \(event_label\): 'stimm'"):
        read(path, events="a.tsv", event_label="stimm")
    with pytest.raises(NeuroloomError, match="expected annotations, stim, or a table"):
        read(path, events="annotation")


def test_bids_tables_say_type_bad_and_place(tmp_path):
    path = made.write_edf(tmp_path / "a.edf")
    rows = [(name, "VEOG" if name == "Fp2" else "EEG", "bad" if name == "O2" else "good") for name in made.NAMES]
    pd.DataFrame(rows, columns=["name", "type", "status"]).to_csv(tmp_path / "a_channels.tsv", sep="\t", index=False)
    places = pd.DataFrame(
        [(name, 10.0 * n, 20, 30) for n, name in enumerate(made.NAMES)], columns=["name", "x", "y", "z"]
    )
    places.to_csv(tmp_path / "a_electrodes.tsv", sep="\t", index=False)
    system = tmp_path / "a_coordsystem.json"
    system.write_text(json.dumps({"EEGCoordinateSystem": "CTF", "EEGCoordinateUnits": "mm"}))
    told = {"channel_table": "a_channels.tsv", "electrodes": "a_electrodes.tsv"}
    geometry = read(path, **told, channels=["Fp2", "C3", "O2"]).geometry
    assert geometry["types"] == ["eog", "eeg", "eeg"]
    assert geometry["bad"] == ["O2"]
    np.testing.assert_allclose(geometry["positions"][1], [-0.02, 0.02, 0.03])  # CTF's x is our y, its y our minus x
    system.write_text(json.dumps({"EEGCoordinateSystem": "ACPC", "EEGCoordinateUnits": "mm"}))
    assert "positions" not in read(path, **told).geometry


def test_pieces_make_the_same_recording_as_one(tmp_path, monkeypatch):
    path = made.write_edf(tmp_path / "a.edf")
    whole = read(path).data
    monkeypatch.setattr(spacious, "BLOCK_BYTES", 8 * 7 * 333)  # a piece ends within a record
    monkeypatch.setattr(spacious, "HELD_BYTES", 100)
    pieces = read(path).data
    assert isinstance(pieces, np.memmap)
    np.testing.assert_array_equal(pieces, whole)


def test_signals_of_two_rates_are_never_brought_to_one_in_silence(tmp_path):
    import edfio

    slow = edfio.EdfSignal(np.linspace(90, 99, 100), 10, label="SaO2", physical_dimension="%")
    fast = edfio.EdfSignal(
        made.microvolts()[0], 200, label="EEG Fp1", physical_dimension="uV", physical_range=(-250, 250)
    )
    edfio.Edf([slow, fast]).write(tmp_path / "a.edf")
    scan = read(tmp_path / "a.edf")
    assert (scan.geometry["names"], scan.geometry["sampling_rate"]) == (["Fp1"], 200)
    np.testing.assert_allclose(scan.data[0] * 1e6, made.microvolts()[0], atol=RESOLUTION[".edf"])
    assert read(tmp_path / "a.edf", channels=["SaO2"]).geometry["sampling_rate"] == 10
    with pytest.raises(NeuroloomError, match="sampled at 10, 200 Hz"):
        read(tmp_path / "a.edf", channels="all")


# ---- files that are not whole ------------------------------------------------------------------------------


def test_an_edf_cut_in_the_middle_says_how_much_is_missing(tmp_path):
    path = made.write_edf(tmp_path / "a.edf")
    content = path.read_bytes()
    start = int(content[184:192])
    path.write_bytes(content[: start + (len(content) - start) // 2])
    with pytest.raises(NeuroloomError, match=r"a\.edf: it is cut: .* declares 10 records .* 5 are whole \(50 %"):
        read(path)


def test_an_edf_that_was_never_closed_is_read_and_said_to_be(tmp_path):
    path = made.write_edf(tmp_path / "a.edf")
    content = path.read_bytes()
    path.write_bytes(content[:236] + b"-1      " + content[244:])
    scan = read(path)
    assert scan.data.shape == (7, 2000)
    assert "never closed: 10 whole records" in scan.geometry["notes"][0]


@pytest.mark.parametrize("shift", [0, 5])
def test_edf_d_is_read_where_it_has_no_gap(tmp_path, shift):
    path = made.write_edf(tmp_path / "a.edf")
    content = path.read_bytes().replace(b"EDF+C", b"EDF+D")
    path.write_bytes(
        content.replace(b"+7\x14\x14", b"+%d\x14\x14" % (7 + shift))
        if shift == 0
        else content.replace(b"+9\x14\x14", b"+8\x14\x14")
    )
    if shift == 0:
        assert read(path).data.shape == (7, 2000)
        return
    with pytest.raises(NeuroloomError, match=r"EDF\+D with a gap: record 9 begins at 8 s and the next at 8 s"):
        read(path)


def test_brainvision_without_or_with_half_of_its_numbers(tmp_path):
    mne.export.export_raw(tmp_path / "a.vhdr", made.mne_raw(), verbose="error")
    numbers = tmp_path / "a.eeg"
    content = numbers.read_bytes()
    numbers.write_bytes(content[: len(content) // 2 + 1])
    with pytest.raises(NeuroloomError, match=r"a\.eeg"):
        read(tmp_path / "a.vhdr")
    numbers.rename(tmp_path / "b.eeg")
    with pytest.raises(NeuroloomError, match=r"a\.vhdr: it names the file 'a\.eeg', which is not there"):
        read(tmp_path / "a.vhdr")


# ---- real recordings ---------------------------------------------------------------------------------------


@pytest.fixture
def sample(real_data):
    return real_data / "eeg" / "eeglab_sample"


@pytest.mark.real_data
def test_real_eeglab_recording(sample):
    scan = read(sample / "eeglab_data.set", channels="all")
    stored = (
        np.fromfile(sample / "eeglab_data.fdt", dtype="<f4").reshape(-1, 32).T
    )  # EEGLAB: channels of a sample together
    np.testing.assert_allclose(scan.data, stored * 1e-6, rtol=1e-5)
    assert scan.geometry["sampling_rate"] == 128
    assert scan.geometry["types"].count("eog") == 2  # EOG1 and EOG2, which the file takes for EEG
    labels = [event[2] for event in scan.geometry["events"]]
    assert (labels.count("square"), labels.count("rt"), len(labels)) == (80, 74, 154)
    places = dict(zip(scan.geometry["names"], scan.geometry["positions"], strict=True))
    assert places["C3"][0] < 0 < places["C4"][0]
    assert places["Fz"][1] > places["Pz"][1]


@pytest.mark.real_data
@pytest.mark.parametrize("ending", ["edf", "bdf"])
def test_real_edf_and_bdf_are_their_stored_numbers(sample, ending):
    path = sample / "test_data" / f"test.{ending}"
    content, width = path.read_bytes(), 2 if ending == "edf" else 3
    n = int(content[252:256])

    def field(before, k):
        return [float(content[256 + before * n + 8 * i : 264 + before * n + 8 * i]) for i in range(k)]

    low, high, bottom, top, n_samples = (field(before, n) for before in (104, 112, 120, 128, 216))
    raw = (
        np.frombuffer(content, np.uint8, offset=256 * (n + 1)).reshape(-1, int(sum(n_samples)), width).astype(np.int64)
    )
    stored = (raw * 256 ** np.arange(width)).sum(axis=-1)
    stored = np.where(stored >= 2 ** (8 * width - 1), stored - 2 ** (8 * width), stored)
    first = stored[:, : int(n_samples[0])].ravel()
    physical = (first - bottom[0]) * (high[0] - low[0]) / (top[0] - bottom[0]) + low[0]
    scan = read(path)
    np.testing.assert_allclose(scan.data[0] * 1e6, physical, rtol=1e-5, atol=1e-3)
