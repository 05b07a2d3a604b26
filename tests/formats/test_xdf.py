"""XDF: streams written byte by byte as the specification says, read back on one clock."""

import struct

import numpy as np
import pytest

from neuroloom.errors import NeuroloomError
from neuroloom.formats import read

HEADER = (
    "<info><name>{name}</name><type>{kind}</type><channel_count>{n}</channel_count><nominal_srate>{rate}</nominal_srate>"
    "<channel_format>{form}</channel_format>{more}</info>"
)
CHANNELS = "<desc><channels>{}</channels></desc>"
CHANNEL = "<channel><label>{}</label><type>EEG</type><unit>microvolts</unit></channel>"


def chunk(tag, content):
    body = struct.pack("<H", tag) + content
    return b"\x04" + struct.pack("<I", len(body)) + body


def stream(number, name, kind, rate, values, times, offset=0.0, more="", per_chunk=50):
    """Return the chunks of one stream whose own clock is ``offset`` s behind the recorder's."""
    words = isinstance(values[0], str)
    form, n = ("string", 1) if words else ("float32", values.shape[1])
    identity = struct.pack("<I", number)
    head = HEADER.format(name=name, kind=kind, n=n, rate=rate, form=form, more=more)
    out = chunk(2, identity + head.encode())
    for start in range(0, len(times), per_chunk):
        part = range(start, min(start + per_chunk, len(times)))
        held = b"".join(b"\x08" + struct.pack("<d", times[k] - offset) + packed(values[k], words) for k in part)
        out += chunk(3, identity + b"\x04" + struct.pack("<I", len(part)) + held)
    for time in np.linspace(times[0], times[-1], 5):
        out += chunk(4, identity + struct.pack("<dd", time - offset, offset))
    return out + chunk(6, identity + b"<info></info>")


def packed(value, words):
    if words:
        return b"\x01" + bytes([len(value)]) + value.encode()
    return np.asarray(value, "<f4").tobytes()


def xdf(*streams):
    return b"XDF:" + chunk(1, b"<info><version>1.0</version></info>") + b"".join(streams)


TIMES = 100 + np.arange(2000) / 250
VALUES = np.random.default_rng(0).standard_normal((2000, 2)).astype(np.float32) * 10
NAMED = CHANNELS.format(CHANNEL.format("C3") + CHANNEL.format("C4"))


@pytest.fixture
def recorded(tmp_path):
    path = tmp_path / "a.xdf"
    eeg = stream(1, "amp", "EEG", 250, VALUES, TIMES, more=NAMED)
    other = stream(2, "spare", "EEG", 250, VALUES[:, ::-1], TIMES, more=NAMED)
    marks = stream(3, "game", "Markers", 0, ["left", "right"], np.array([102.0, 105.5]), offset=40.0)
    path.write_bytes(xdf(eeg, other, marks))
    return path


def test_a_stream_comes_back_in_volts_with_markers_on_its_clock(recorded):
    scan = read(recorded, stream="amp")
    np.testing.assert_allclose(scan.data, VALUES.T * 1e-6, rtol=1e-5)
    assert scan.geometry["names"] == ["C3", "C4"]
    assert scan.geometry["sampling_rate"] == pytest.approx(250, rel=1e-6)
    onsets, _, labels = zip(*scan.geometry["events"], strict=True)
    assert labels == ("left", "right")
    np.testing.assert_allclose(onsets, [2.0, 5.5], atol=0.5 / 250)  # although the marker's own clock was 40 s behind


def test_which_stream_is_asked_where_there_are_two(recorded):
    with pytest.raises(NeuroloomError, match=r"which stream is meant\? It has amp, spare"):
        read(recorded)
    with pytest.raises(NeuroloomError, match="Did you mean 'spare'"):
        read(recorded, stream="sparee")
    np.testing.assert_allclose(read(recorded, stream="spare").data, VALUES.T[::-1] * 1e-6, rtol=1e-5)


def test_a_gap_is_refused(tmp_path):
    times = TIMES + np.where(np.arange(2000) >= 1000, 3.0, 0.0)
    (tmp_path / "a.xdf").write_bytes(xdf(stream(1, "amp", "EEG", 250, VALUES, times, more=NAMED)))
    with pytest.raises(NeuroloomError, match=r"1 gaps; the first lasts 3\.0\d+ s, (3\.99|4)"):
        read(tmp_path / "a.xdf")


@pytest.mark.real_data
def test_real_xdf_needs_its_unit(real_data):
    path = real_data / "eeg" / "eeglab_sample" / "test_data" / "test.xdf"
    with pytest.raises(NeuroloomError, match="does not say the unit of 8 channels"):
        read(path)
    import pyxdf

    streams, _ = pyxdf.load_xdf(str(path))
    scan = read(path, unit="uV")
    np.testing.assert_allclose(scan.data, streams[0]["time_series"].T * 1e-6, rtol=1e-5)
    assert scan.geometry["sampling_rate"] == pytest.approx(1000, rel=0.01)
