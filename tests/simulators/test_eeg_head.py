"""The simulated head: frames that agree, fields of the right place and size."""

import socket

import numpy as np
import pytest

from neuroloom.errors import NeuroloomError
from neuroloom.simulators import eeg_head
from neuroloom.simulators.eeg_head import LAYOUTS, head, layout


def other_side(name):
    """Return the electrode's mirror image in the 10-10 system: odd numbers lie left, the next even one right."""
    digits = name.lstrip("AFPpCTOIzM")
    if not digits:
        return name
    number = int(digits)
    return name[: -len(digits)] + str(number + 1 if number % 2 else number - 1)


@pytest.mark.parametrize(
    ("place", "electrodes"),
    [
        ((-38, -22, 56), {"C3", "C1", "CP3", "FC3"}),  # the hand area of the left hemisphere, in MNI space
        ((38, -22, 56), {"C4", "C2", "CP4", "FC4"}),
        ((-20, -96, 2), {"O1", "Oz"}),
        ((20, -96, 2), {"O2", "Oz"}),
        ((-6, -28, 70), {"Cz", "CPz", "C1"}),
        ((-56, -8, 30), {"C5", "FC5", "T7", "C3"}),
    ],
)
def test_cortex_lies_under_the_electrodes_that_the_10_10_system_puts_over_it(place, electrodes):
    topography = head().patch(place, 12.0)
    assert head().names[np.argmax(np.abs(topography))] in electrodes


def test_ten_nanoampere_metres_give_microvolts():
    """Some 0.5 to 10 microvolts at the best electrode (Nunez and Srinivasan 2006, ch. 4; Ahlfors et al. 2010)."""
    largest = 1e-8 * np.abs(head().leadfield).max(axis=0)
    assert 0.5e-6 < np.median(largest) < 5e-6
    assert largest.min() > 0.1e-6
    assert largest.max() < 20e-6


def test_a_mirrored_current_gives_a_mirrored_field():
    names = list(head().names)
    info = eeg_head._montaged(names)
    centre = np.array([0.0, 0.005, 0.045])
    places = centre + np.array([[-0.03, 0.01, 0.05], [0.03, 0.01, 0.05], [-0.05, -0.03, 0.0], [0.05, -0.03, 0.0]])
    along = np.array([[-0.6, 0.0, 0.8], [0.6, 0.0, 0.8], [-1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    field = eeg_head._potentials(info, places, along, centre, 0.09)
    swapped = [names.index(other_side(name)) for name in names]
    for left, right in ((0, 1), (2, 3)):
        assert np.corrcoef(field[:, left], field[swapped, right])[0, 1] > 0.995  # the montage is one man's, not even


def central_field(radius, shells, conductivities):
    """Return the potential on the skin, over the cosine, of 1 A m in the middle of shells: V.

    In each shell it is (a r + b / r^2) cos(angle); potential and current pass every boundary alike, none leaves the
    skin, and in the brain b = 1 / (4 pi sigma) (Frank 1952, doi:10.1063/1.1702037, for shells).
    """
    r, n = np.array(shells) * radius, len(shells)
    matrix, given = np.zeros((2 * n, 2 * n)), np.zeros(2 * n)
    matrix[0, 1], given[0] = 1.0, 1 / (4 * np.pi * conductivities[0])
    for j in range(n - 1):
        a = 2 * j
        matrix[2 * j + 1, a : a + 4] = [r[j], r[j] ** -2, -r[j], -(r[j] ** -2)]
        inner, outer = conductivities[j : j + 2]
        matrix[2 * j + 2, a : a + 4] = [inner, -2 * inner * r[j] ** -3, -outer, 2 * outer * r[j] ** -3]
    matrix[-1, -2:] = [1.0, -2 * r[-1] ** -3]
    a, b = np.linalg.solve(matrix, given)[-2:]
    return a * r[-1] + b * r[-1] ** -2


def test_the_field_of_a_central_dipole_is_that_of_the_closed_form():
    assert central_field(0.09, (0.5, 1.0), (0.33, 0.33)) == pytest.approx(3 / (4 * np.pi * 0.33 * 0.09**2))
    info = eeg_head._montaged(list(head().names))
    centre, radius = np.array([0.0, 0.005, 0.045]), 0.09
    field = eeg_head._potentials(info, centre[None] + [[0, 0, 1e-5]], np.array([[0.0, 0.0, 1.0]]), centre, radius)[:, 0]
    direction = head().positions - centre
    cosine = direction[:, 2] / np.linalg.norm(direction, axis=1)
    expected = cosine * central_field(radius, eeg_head.SHELLS, eeg_head.CONDUCTIVITIES)
    np.testing.assert_allclose(field, expected, atol=0.02 * expected.max())


def test_all_sources_lie_in_the_brain_as_deep_as_they_are():
    to_head = eeg_head._mri_to_head()
    skull = eeg_head._moved(eeg_head._inner_skull(), to_head)
    centre, radius = eeg_head._fitted_sphere(skull[skull[:, 2] > 0])
    assert 0.075 < radius < 0.090  # of a head of 8.5 to 10 cm
    places, _ = eeg_head._cortex()
    inside = eeg_head._as_deep(eeg_head._moved(places / 1000, to_head), skull, centre, radius / 0.9)
    assert np.linalg.norm(inside - centre, axis=1).max() < radius


def test_normals_point_outwards_where_cortex_is_convex():
    places, normals = eeg_head._cortex()
    top = places[:, 2] > 65
    assert (normals[top, 2] > 0).mean() > 0.8
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1.0)


def test_nothing_is_fetched(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    np.testing.assert_array_equal(head.__wrapped__().leadfield, head().leadfield)


def test_layouts_have_the_electrodes_that_they_are_named_for():
    for number in LAYOUTS:
        assert len(set(layout(number))) == number
        assert set(layout(number)) <= set(layout(64))
    with pytest.raises(NeuroloomError, match="19, 22, 32, 64"):
        layout(20)


def test_without_mne_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "mne", None)
    with pytest.raises(NeuroloomError, match=r"pip install 'neuroloom\[signals\]'"):
        head.__wrapped__()
