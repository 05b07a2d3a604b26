"""How strongly each region must be pushed for its volume to change as meant: measured on the template."""

import functools

import numpy as np

from neuroloom.simulators.t1w_regions import REGIONS
from neuroloom.simulators.t1w_warp import SHAPE, displacement, mode, volumes

PUSHES = (-1.2, -0.6, -0.3, 0.0, 0.3, 0.6, 1.2, 2.0, 3.0, 4.5)  # amplitudes of a mode at which the volume is measured
ROUNDS = 4  # of allowing for what the other modes do to a region


def velocity_of(amplitudes):
    """Return the velocity field of modes with these amplitudes, mm, shape (3, *SHAPE)."""
    return sum((np.float32(size) * mode(name) for name, size in amplitudes.items()), np.zeros((3, *SHAPE), np.float32))


def change_of(amplitudes, names):
    """Return the change of log volume of each named region that modes of these amplitudes give on the template."""
    return np.log(volumes(displacement(velocity_of(amplitudes)), names) / still(tuple(names)))


@functools.cache
def still(names):
    """Return the volumes of regions in the template itself, mm3."""
    return volumes(displacement(velocity_of({})), names)


@functools.cache
def response(name):
    """Return the change of log volume of every region at each of PUSHES of one mode, (n_pushes, n_regions)."""
    return np.array([change_of({name: push}, list(REGIONS)) for push in PUSHES])


def amplitudes_for(change):
    """Return region -> amplitude of its mode, so that each region's log volume changes as meant.

    Parameters
    ----------
    change : dict of float
        Region -> change of log volume, together with what the other regions' modes do to it.
    """
    names = list(change)
    column = {name: list(REGIONS).index(name) for name in names}
    sizes = dict.fromkeys(names, 0.0)
    for _ in range(ROUNDS):
        for name in names:
            others = sum(_at(other, column[name], sizes[other]) for other in names if other != name)
            sizes[name] = float(np.interp(change[name] - others, response(name)[:, column[name]], PUSHES))
    return sizes


def _at(mode_name, column, size):
    return float(np.interp(size, PUSHES, response(mode_name)[:, column]))
