"""XDF, what the Lab Streaming Layer records: streams of samples and of markers on one clock.

Source: https://github.com/sccn/xdf/wiki/Specifications (XDF 1.0).
"""

import logging
import struct
import threading
from dataclasses import replace
from xml.etree.ElementTree import fromstring

import numpy as np

from neuroloom.errors import FileProblem, NeuroloomError, listed
from neuroloom.formats import limits
from neuroloom.formats.channels import UNITS, known_type, plain_unit
from neuroloom.formats.recordings import Opened, RecordingMeaning
from neuroloom.formats.signals_extra import library
from neuroloom.known import check_known

STREAM_HEADER, SAMPLES = 2, 3  # tags of chunks
MAX_CHUNKS, MAX_XML = 5_000_000, 16 * 1024**2
WIDTHS = {"double64": 8, "float32": 4, "int64": 8, "int32": 4, "int16": 2, "int8": 1, "string": 1}  # bytes, at least
MAX_CHANNELS = 10_000
UNIT_WORDS = {"microvolts": "uV", "microvolt": "uV", "millivolts": "mV", "volts": "V", "volt": "V"}


def read_xdf(path, kind=None, *, stream=None, meaning=RecordingMeaning()):
    """Read one stream of signals from .xdf, with all markers on its clock.

    Time stamps are put on one clock and freed of jitter as pyxdf does it; a stream with a gap is refused.

    Parameters
    ----------
    path : str or Path
    kind : {"series"}
    stream : str or None
        Name of the stream; needed where several may be meant.
    meaning : RecordingMeaning
        Its ``events`` may also be the name of a marker stream; None is all of them.

    Returns
    -------
    Scan
        series (channel, time) float32 in V.
    """
    meaning.check_kind(path, kind)
    _check_chunks(path)
    streams = _loaded(path)
    chosen = _chosen(path, streams, stream)
    markers = [one for one in streams if one["info"]["channel_format"][0] == "string"]
    named = {one["info"]["name"][0]: one for one in markers}
    if meaning.events in named:
        markers, meaning = [named[meaning.events]], replace(meaning, events=None)
    with limits.parsing(path, "XDF file"):
        opened = _opened(path, chosen, markers)
    return meaning.scan(path, opened)


def _loaded(path):
    """Return the streams as pyxdf reads them; where it would go on behind a damaged place, that is an error."""
    reader, said = library("pyxdf"), _Said()
    logger = logging.getLogger("pyxdf.pyxdf")
    logger.addHandler(said)
    try:
        with limits.parsing(path, "XDF file"):
            streams, _ = reader.load_xdf(str(path))
    finally:
        logger.removeHandler(said)
    if said.errors:
        raise FileProblem(path, f"it is damaged: {said.errors[0][:200]}.", "Copy it again.")
    return streams


class _Said(logging.Handler):
    """Keeps the errors that a library logs in the thread that made it."""

    def __init__(self):
        super().__init__()
        self.errors, self.of = [], threading.get_ident()

    def emit(self, record):
        if record.levelno >= logging.ERROR and record.thread == self.of:
            self.errors.append(record.getMessage())


def _chosen(path, streams, wanted):
    """Return the stream that is meant: as named, else the only one of type EEG, else the only one of signals."""
    signals = {one["info"]["name"][0]: one for one in streams if float(one["info"]["nominal_srate"][0]) > 0}
    signals = {name: one for name, one in signals.items() if one["info"]["channel_format"][0] != "string"}
    if not signals:
        raise FileProblem(path, f"none of its {len(streams)} streams holds signals.", "Record the EEG's stream too.")
    if wanted is not None:
        try:
            check_known("stream", wanted, signals)
        except NeuroloomError as error:
            raise FileProblem(path, str(error)) from None
        return signals[wanted]
    eeg = [one for one in signals.values() if (one["info"]["type"][0] or "").upper() == "EEG"]
    fitting = eeg or list(signals.values())
    if len(fitting) > 1:
        names = listed(one["info"]["name"][0] for one in fitting)
        raise FileProblem(path, f"which stream is meant? It has {names}.", "Name it with stream: NAME.")
    return fitting[0]


def _opened(path, stream, markers):
    times, values = stream["time_stamps"], stream["time_series"]
    segments = stream["info"]["segments"]
    if len(segments) > 1:
        end, start = segments[0][1], segments[1][0]
        raise FileProblem(
            path,
            f"its stream has {len(segments) - 1} gaps; the first lasts {times[start] - times[end]:.4g} s, "
            f"{times[end] - times[0]:.4g} s after the start.",
            "Cut it there into files of their own.",
        )
    if len(times) < 2:
        raise FileProblem(path, f"its stream holds {len(times)} samples.", "Record it again.")
    channels = _channels(stream, values.shape[1])
    return Opened(
        names=[channel["label"] for channel in channels],
        rate=(len(times) - 1) / float(times[-1] - times[0]),
        n_times=len(times),
        block=lambda keep, span: _in_volts(values[span][:, list(keep)].T.astype(np.float64), channels, keep),
        types=[channel["type"] for channel in channels],
        units=[channel["unit"] for channel in channels],
        annotations=[event for one in markers for event in _events(one, float(times[0]))],
    )


def _in_volts(block, channels, keep):
    return block * np.array([UNITS.get(plain_unit(channels[number]["unit"]), 1.0) for number in keep])[:, None]


def _events(markers, start):
    for time, values in zip(markers["time_stamps"], markers["time_series"], strict=True):
        yield [float(time) - start, 0.0, " ".join(str(value) for value in values)]


def _channels(stream, n):
    """Return label, type and unit of each channel; a stream that names none has ch1, ch2 ..."""
    described = (stream["info"].get("desc") or [None])[0] or {}
    held = ((described.get("channels") or [None])[0] or {}).get("channel", [])
    told = held if len(held) == n else [{}] * n
    return [
        {
            "label": _word(one, "label") or f"ch{number}",
            "type": known_type(_word(one, "type")) if _word(one, "type") else None,
            "unit": UNIT_WORDS.get(_word(one, "unit").lower(), _word(one, "unit")),
        }
        for number, one in enumerate(told, start=1)
    ]


def _word(channel, key):
    return str((channel.get(key) or [""])[0] or "").strip()


# ---- before it is read -------------------------------------------------------------------------------------


def _check_chunks(path):
    """Raise where a chunk, or the samples that it declares, cannot lie in the file; or where its XML has entities."""
    with limits.open_file(path) as (file, n_file):
        if file.read(4) != b"XDF:":
            raise FileProblem(path, "it does not begin as XDF does.", "Is its ending right?")
        limits.check_memory(path, 4 * n_file, "its streams")  # pyxdf holds them all
        widths = {}
        for _ in range(MAX_CHUNKS):
            place = file.tell()
            if place == n_file:
                return
            n_bytes = _length(path, file)
            start = file.tell()
            if n_bytes < 2 or start + n_bytes > n_file:
                raise FileProblem(path, f"it is cut or damaged at byte {place} of {n_file}.", "Copy it again.")
            tag = struct.unpack("<H", file.read(2))[0]
            if tag == STREAM_HEADER:
                widths |= _stream_width(path, file, n_bytes - 2)
            elif tag == SAMPLES:
                _check_samples(path, file, n_bytes - 2, widths)
            file.seek(start + n_bytes)
    raise FileProblem(path, f"it holds more than {MAX_CHUNKS} chunks.", "Record it in parts.")


def _length(path, file):
    n = file.read(1)[:1]
    if n not in (b"\x01", b"\x04", b"\x08"):
        raise FileProblem(path, f"it is damaged before byte {file.tell()}.", "Copy it again.")
    return int.from_bytes(file.read(n[0]), "little")


def _stream_width(path, file, n_bytes):
    """Return stream -> fewest bytes of a sample, from the header of a stream."""
    if n_bytes > MAX_XML:
        raise FileProblem(path, f"a stream's header has {limits.in_words(n_bytes)}.", "Record it again.")
    stream, xml = struct.unpack("<I", file.read(4))[0], file.read(n_bytes - 4)
    if b"<!" in xml:
        raise FileProblem(
            path, "the header of a stream defines entities.", "No recorder writes these: do not trust it."
        )
    with limits.parsing(path, "XDF file"):
        info = fromstring(xml.decode("utf-8", errors="replace"))
        n_channels = int(info.findtext("channel_count"))
        width = WIDTHS[info.findtext("channel_format")]
    if not 0 < n_channels <= MAX_CHANNELS:
        raise FileProblem(path, f"a stream declares {n_channels} channels.", "Record it again.")
    return {stream: 1 + n_channels * width}


def _check_samples(path, file, n_bytes, widths):
    stream = struct.unpack("<I", file.read(4))[0]
    if stream not in widths:
        raise FileProblem(path, f"it has samples of a stream {stream} that it does not describe.", "Copy it again.")
    n_samples = _length(path, file)
    if n_samples * widths[stream] > n_bytes:
        raise FileProblem(
            path, f"a chunk of {n_bytes} bytes declares {n_samples} samples.", "It is damaged: copy it again."
        )
