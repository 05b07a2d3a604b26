"""Parameters and seconds a training step of the volume networks beside MONAI's.

    python benchmarks/model_sizes.py

Both networks of a line are trained on the same batch in turn; a count that differs from what is stated here
ends with an error.
"""

import statistics
import time

import torch
from monai.networks.nets import DenseNet121, resnet10, resnet18, resnet34

from neuroloom.models.network import parameter_count
from neuroloom.models.volume_densenet3d import DenseNet3D
from neuroloom.models.volume_resnet3d import ResNet3D

SHAPE = (1, 48, 56, 48)  # a brain at 4 mm
SHORTCUT_BIASES = 128 + 256 + 512  # MONAI's shortcuts have biases, which batch normalisation makes void


def pairs():
    """Return name, our network, MONAI's, and by how many parameters MONAI's is larger."""
    rows = [("densenet121", DenseNet3D(SHAPE, 2), DenseNet121(3, 1, 2), 0)]
    for depth, peer in ((10, resnet10), (18, resnet18), (34, resnet34)):
        theirs = peer(spatial_dims=3, n_input_channels=1, num_classes=2, conv1_t_stride=2)
        rows.append((f"resnet{depth}", ResNet3D(SHAPE, 2, depth=depth), theirs, SHORTCUT_BIASES))
    return rows


def seconds_a_step(network, batch, repeats=5):
    """Return the median time of a forward and a backward pass."""
    network.train()
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        network.zero_grad(set_to_none=True)
        network(batch).square().sum().backward()
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def main():
    batch = torch.randn(2, *SHAPE)
    print(f"{'':12}{'parameters':>12}{'MONAI':>12}{'s a step':>10}{'MONAI':>8}")
    for name, ours, theirs, more in pairs():
        counts = parameter_count(ours), parameter_count(theirs)
        seconds = seconds_a_step(ours, batch), seconds_a_step(theirs, batch)
        print(f"{name:12}{counts[0]:12,}{counts[1]:12,}{seconds[0]:10.2f}{seconds[1]:8.2f}")
        if counts[1] - counts[0] != more:
            raise SystemExit(f"{name}: MONAI has {counts[1] - counts[0]} parameters more, where {more} are stated.")


if __name__ == "__main__":
    main()
