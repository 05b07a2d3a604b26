"""Live chains: whatever the chunks, the answers of the whole recording; and what cannot be done live."""

import numpy as np
import pytest
from made_eeg import NAMES, made_recording, with_channel

from neuroloom.errors import NeuroloomError
from neuroloom.parts import Part
from neuroloom.transforms.chain import ScanChain
from neuroloom.transforms.stream import stream_chain

LIVE = {
    "filter": {"name": "filter", "high_pass": 0.5, "low_pass": 40.0, "notch": [50, 100], "form": "causal"},
    "resample_series": {"name": "resample_series", "rate": 64, "form": "causal"},
    "reference": {"name": "reference"},
    "pick": {"name": "pick", "names": ["Cz", "POz", "T3", "EOG", "C3", "C4"], "missing": "interpolate"},
    "bad_channels": {"name": "bad_channels", "rules": [], "do": "interpolate"},
    "exponential_standardize": {"name": "exponential_standardize"},
}
ORDERED = ["bad_channels", "reference", "filter", "resample_series", "pick", "exponential_standardize"]


@pytest.fixture
def scan():
    made = made_recording(seconds=12, bad={"F3": "loose"})
    return with_channel(made, 1e-4 * np.sin(np.arange(12 * 256) / 50), "EOG", "eog")


def chunks(n, seed):
    """Return cuts of n samples into chunks of 0 to 90, and one long one."""
    lengths = np.random.default_rng(seed).integers(0, 90, size=n)
    lengths[:4] = [1, 0, 700, 2]
    ends = np.minimum(np.cumsum(lengths), n)
    return [slice(a, b) for a, b in zip(np.r_[0, ends[:-1]], ends, strict=True)][: int(np.argmax(ends == n)) + 1]


@pytest.mark.parametrize("names", [*([one] for one in LIVE), ORDERED], ids=" ".join)
@pytest.mark.parametrize("seed", [0, 1])
def test_chunks_of_any_length_give_the_whole_recordings_answer(scan, names, seed):
    parts = [LIVE[name] for name in names]
    whole = ScanChain([Part(**part) for part in parts])(scan)
    stream = stream_chain(parts, scan.geometry)
    made = [stream(scan.data[:, some]) for some in chunks(scan.data.shape[1], seed)]
    live = np.concatenate(made, axis=1)
    assert live.shape == whole.data.shape
    np.testing.assert_allclose(live, whole.data, atol=3e-7 * np.abs(whole.data).max())
    told = {key: value for key, value in whole.geometry.items() if key != "rank"}  # measured on a whole recording
    assert {key: value for key, value in stream.geometry.items() if key != "rank"} == told


def test_two_streams_do_not_share_their_state(scan):
    one, other = (stream_chain([LIVE["filter"]], scan.geometry) for _ in range(2))
    one(scan.data[:, 500:900])
    fresh = stream_chain([LIVE["filter"]], scan.geometry)(scan.data[:, :50])
    np.testing.assert_array_equal(other(scan.data[:, :50]), fresh)


@pytest.mark.parametrize(
    ("part", "match"),
    [
        (
            {"name": "filter", "low_pass": 40.0},
            "`filter` with form zero_phase looks into the future; use form: causal.",
        ),
        ({"name": "resample_series", "rate": 64}, "`resample_series` with form zero_phase .* use form: causal."),
        ({"name": "scale_robust"}, "`scale_robust` looks into the future; use exponential_standardize."),
        ({"name": "bad_channels"}, r"`bad_channels` looks into the future; name the bad channels .* rules: \[\]"),
        ({"name": "ica_clean"}, "`ica_clean` cannot be done on a stream"),
        ({"name": "clean_series"}, "`clean_series` cannot be done on a stream"),
        ({"name": "zscore"}, "`zscore` cannot be done on a stream"),
        ({"name": "filtre"}, "Did you mean 'filter'"),
    ],
)
def test_the_first_part_that_cannot_be_done_live_is_named(scan, part, match):
    with pytest.raises(NeuroloomError, match=match):
        stream_chain([LIVE["reference"], part, {"name": "ica_clean"}], scan.geometry)


def test_wrong_chunks_and_streams_are_told(scan):
    stream = stream_chain([LIVE["filter"]], scan.geometry)
    with pytest.raises(NeuroloomError, match=r"shape \(3, 10\), but the stream has 33 channels"):
        stream(scan.data[:3, :10])
    broken = scan.data[:, :10].copy()
    broken[0, 3] = np.nan
    with pytest.raises(NeuroloomError, match=f"not numbers .* in {NAMES[0]}"):
        stream(broken)
    with pytest.raises(NeuroloomError, match="needs the names of the channels"):
        stream_chain([LIVE["filter"]], {"sampling_rate": 256.0})
