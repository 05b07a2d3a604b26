"""Scans and matrices as SimpleITK takes them: world axes to the left, back and top (LPS), where ours are RAS."""

import numpy as np

from neuroloom.errors import NeuroloomError
from neuroloom.transforms.volume_grid import affine_of, voxel_sizes

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])  # from RAS mm to LPS mm, and back


def simpleitk():
    """Return SimpleITK, or say which extra of the package brings it."""
    try:
        import SimpleITK  # noqa: N813
    except ImportError:
        raise NeuroloomError("registration needs SimpleITK: pip install 'neuroloom[register]'.") from None
    return SimpleITK


def to_image(data, affine):
    """Return a SimpleITK image of an array.

    Parameters
    ----------
    data : ndarray of shape (i, j, k)
    affine : ndarray of shape (4, 4)
        Voxel numbers to RAS mm; it may be sheared or left-handed.
    """
    image = simpleitk().GetImageFromArray(np.ascontiguousarray(data.T))  # SimpleITK counts (k, j, i)
    world = LPS @ affine
    sizes = voxel_sizes(world)
    image.SetSpacing(sizes.tolist())
    image.SetDirection((world[:3, :3] / sizes).ravel().tolist())
    image.SetOrigin(world[:3, 3].tolist())
    return image


def mask_image(mask):
    """Return a label map (`Scan`) as the SimpleITK image of a mask: 1 wherever a label is not 0."""
    return to_image((mask.data != 0).astype(np.uint8), affine_of(mask))


def to_matrix(transform):
    """Return the (4, 4) matrix in RAS mm of one of SimpleITK's transforms that has a matrix and a centre."""
    linear = np.array(transform.GetMatrix()).reshape(3, 3)
    centre = np.array(transform.GetCenter())
    matrix = np.eye(4)
    matrix[:3, :3] = linear
    matrix[:3, 3] = centre + np.array(transform.GetTranslation()) - linear @ centre
    return LPS @ matrix @ LPS


def set_matrix(transform, matrix):
    """Give one of SimpleITK's transforms, whose centre stays, the (4, 4) matrix in RAS mm."""
    matrix = LPS @ matrix @ LPS
    centre = np.array(transform.GetCenter())
    transform.SetMatrix(matrix[:3, :3].ravel().tolist())
    transform.SetTranslation((matrix[:3, 3] + matrix[:3, :3] @ centre - centre).tolist())
    return transform
