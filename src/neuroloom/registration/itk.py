"""Scans and matrices as SimpleITK takes them."""

from contextlib import contextmanager

import numpy as np

from neuroloom.errors import NeuroloomError
from neuroloom.transforms.volume_grid import affine_of, voxel_sizes

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])  # from RAS mm, as all of ours are, to LPS mm (left, back, top), and back


def simpleitk():
    """Return SimpleITK, or say which extra of the package brings it."""
    try:
        import SimpleITK
    except ImportError:
        raise NeuroloomError("registration needs SimpleITK: pip install 'neuroloom[register]'.") from None
    return SimpleITK


@contextmanager
def one_thread():
    """Let SimpleITK work in one thread: the sums of several come in any order, and end in other bytes."""
    process = simpleitk().ProcessObject
    before = process.GetGlobalDefaultNumberOfThreads()  # a method's own SetNumberOfThreads does not reach its metric
    process.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        process.SetGlobalDefaultNumberOfThreads(before)


def to_image(scan, world=LPS):
    """Return a scan of one channel, or a label map, as a SimpleITK image.

    Parameters
    ----------
    scan : Scan
        Its affine may be sheared or left-handed.
    world : ndarray of shape (4, 4)
        From RAS mm to the coordinates that the image is to have.
    """
    data = scan.data if scan.kind == "labels" else scan.data[0]
    image = simpleitk().GetImageFromArray(np.ascontiguousarray(data.T))  # SimpleITK counts (k, j, i)
    affine = world @ affine_of(scan)
    sizes = voxel_sizes(affine)
    image.SetSpacing(sizes.tolist())
    image.SetDirection((affine[:3, :3] / sizes).ravel().tolist())
    image.SetOrigin(affine[:3, 3].tolist())
    return image


def to_matrix(transform):
    """Return the (4, 4) matrix of one of SimpleITK's transforms whose centre is 0."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(transform.GetMatrix()).reshape(3, 3)
    matrix[:3, 3] = transform.GetTranslation()
    return matrix


def set_matrix(transform, matrix):
    """Return one of SimpleITK's transforms whose centre is 0 with the (4, 4) matrix."""
    transform.SetMatrix(matrix[:3, :3].ravel().tolist())
    transform.SetTranslation(matrix[:3, 3].tolist())
    return transform
