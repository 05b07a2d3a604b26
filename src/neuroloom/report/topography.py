"""Values of electrodes on the head, drawn by MNE-Python: nose up, the person's left at the left."""

import numpy as np

from neuroloom.errors import NeuroloomError
from neuroloom.formats.signals_extra import mne
from neuroloom.report.svg import INK

NO_LIBRARY = "Topographies need MNE-Python (pip install 'neuroloom[signals]'), which is not installed here"
NO_POSITIONS = "Where the channels lie on the head is not known"
FEWEST = 4  # electrodes between which values can be drawn


def why_not(positions):
    """Return why topographies cannot be drawn, None where they can.

    Parameters
    ----------
    positions : ndarray of shape (channel, 3) or None
        In m, head frame (x to the right ear, y to the nose).
    """
    if positions is None or len(positions) < FEWEST:
        return NO_POSITIONS
    try:
        mne()
    except NeuroloomError:
        return NO_LIBRARY
    return None


def draw_topography(axes, values, positions, limits, cmap):
    """Draw values of electrodes on a head seen from above; nothing is drawn far from electrodes.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    values : ndarray of shape (channel,)
    positions : ndarray of shape (channel, 3)
        In m, head frame.
    limits : (float, float)
        Of the colours.
    cmap : str
    """
    library, names = mne(), [str(number) for number in range(len(values))]
    info = library.create_info(names, 1.0, "eeg", verbose="error")
    placed = dict(zip(names, np.asarray(positions, dtype=float), strict=True))
    info.set_montage(library.channels.make_dig_montage(placed, coord_frame="head"), verbose="error")
    library.viz.plot_topomap(
        values, info, axes=axes, show=False, vlim=limits, cmap=cmap, contours=0, sensors=False, extrapolate="local",
    )  # fmt: skip
    for line in axes.lines:
        line.set_color(INK["muted"])
