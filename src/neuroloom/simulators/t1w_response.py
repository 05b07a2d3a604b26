"""How strongly each region must be pushed for its volume to change as meant: measured on the template."""

import functools

import numpy as np
from scipy.interpolate import PchipInterpolator

from neuroloom.simulators.t1w_regions import REGIONS
from neuroloom.simulators.t1w_warp import SHAPE, displacement, mode, volumes

PUSHES = {  # amplitudes of a mode at which the volume is measured, by the direction of the disease
    -1: (-1.6, -0.8, -0.4, -0.15, 0.0, 0.15, 0.4),
    +1: (-1.2, -0.5, 0.0, 0.5, 1.2, 2.2, 3.2, 4.5),
}
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
    """Return amplitudes of one mode, and the change of log volume of every region at each, (n, n_regions)."""
    pushes = PUSHES[REGIONS[name].sign]
    return pushes, np.array([change_of({name: push}, list(REGIONS)) for push in pushes])


@functools.cache
def curve(name, region):
    """Return the change of a region's log volume as a smooth function of the amplitude of one mode."""
    pushes, changes = response(name)
    return PchipInterpolator(pushes, changes[:, list(REGIONS).index(region)])


@functools.cache
def inverse_curve(name):
    """Return the amplitude of a mode as a smooth function of the change of its own region's log volume."""
    pushes, changes = response(name)
    return PchipInterpolator(changes[:, list(REGIONS).index(name)], pushes)


def amplitudes_for(change):
    """Return region -> amplitude of its mode, so that each region's log volume changes as meant.

    Parameters
    ----------
    change : dict of float
        Region -> change of log volume, together with what the other regions' modes do to it.
    """
    sizes = dict.fromkeys(change, 0.0)
    for _ in range(ROUNDS):
        for name in change:
            others = sum(float(curve(other, name)(sizes[other])) for other in change if other != name)
            curve_back = inverse_curve(name)
            wanted = np.clip(change[name] / REGIONS[name].gain - others, curve_back.x[0], curve_back.x[-1])
            sizes[name] = float(curve_back(wanted))
    return sizes
