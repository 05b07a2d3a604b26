"""Checks of an input's shape against what an architecture can take."""

from neuroloom.errors import NeuroloomError


def as_text(shape):
    """Return a shape as people write it: 28 x 22 x 16."""
    return " x ".join(str(size) for size in shape)


def check_axes(model, in_shape, axes):
    """Raise an error unless the sample has the axes that the model reads, for example (region, time)."""
    if len(in_shape) != len(axes):
        raise NeuroloomError(
            f"{model} takes samples of shape ({', '.join(axes)}), but this input is {as_text(in_shape)}."
        )


def check_smallest(model, in_shape, smallest, way_out):
    """Raise an error when an axis of a volume is too short for the halvings of the network."""
    if min(in_shape[1:]) < smallest:
        raise NeuroloomError(
            f"{model} halves the volume until nothing would be left: with these settings every axis needs at "
            f"least {smallest} voxels, and this input is {as_text(in_shape[1:])}. {way_out}"
        )


def square_side(model, in_shape):
    """Return the number of regions of a connectome, or raise when the matrix is not square."""
    check_axes(model, in_shape, ("region", "region"))
    if in_shape[0] != in_shape[1]:
        raise NeuroloomError(
            f"{model} takes a square connectome (region, region), but this input is {as_text(in_shape)}. "
            "Regional series become one by {name: covariance}."
        )
    return in_shape[0]
