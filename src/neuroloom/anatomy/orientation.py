"""Whether a scan looks as its header says it lies; left and right cannot be told from a head, so they are not asked about."""

import numpy as np

from neuroloom.anatomy.quality import confidence
from neuroloom.errors import NeuroloomError
from neuroloom.transforms.volume_grid import ras

TURNS = {"top and bottom": (3,), "front and back": (2,), "top and bottom, and front and back,": (2, 3)}
SURER = 0.15  # mean confidence by which another way round must be the better one


def doubt_of_header(answerer, scan, sure):
    """Return a sentence where the scan is much better understood another way round, else None.

    Nothing is turned: which way is right is for the user to find out.

    Parameters
    ----------
    answerer : Answerer
    scan : Scan
    sure : float
        Mean confidence (0 to 1) in the scan as its header says; 0 where no brain was found.
    """
    upright = ras(scan)
    found = {}
    for words, axes in TURNS.items():
        turned = upright.with_data(np.ascontiguousarray(np.flip(upright.data, axes)))
        try:
            found[words] = float(confidence(answerer(turned).posteriors.data)[1:].mean())
        except NeuroloomError:
            continue
    best = max(found, key=found.get, default=None)
    if best is None or found[best] < sure + SURER:
        return None
    return (
        f"with {best} exchanged the scan is understood much better ({found[best]:.2f} against {sure:.2f}): its header may be "
        "wrong. Nothing was turned; look at the scan, and correct its header."
    )
