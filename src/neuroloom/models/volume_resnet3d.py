"""3D residual networks."""

import torch
from torch import nn

from neuroloom.errors import NeuroloomError
from neuroloom.models.shapes import check_axes

BLOCKS = {10: (1, 1, 1, 1), 18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}  # basic blocks in each of the four stages


class ResNet3D(nn.Module):
    """Map a volume to logits with basic residual blocks in 3D.

    He et al. 2016, doi:10.1109/CVPR.2016.90; in 3D: Hara et al. 2018, doi:10.1109/CVPR.2018.00685.
    With one channel and without the head they have 14,355,520 (ResNet-10), 33,160,000 (18) and 63,469,632 (34)
    parameters; MONAI's have 896 more, the biases of its shortcuts.

    Parameters
    ----------
    in_shape : (channel, i, j, k)
        Any size: a stride of 2 rounds up, so that no axis falls below one voxel.
    n_outputs : int
    depth : {10, 18, 34}
    widths : (int, int, int, int)
        Channels of the four stages. Stages two to four halve the volume.
    stem_kernel, stem_stride : int
        First convolution; 7 and 2 as in the papers, 3 and 1 for small boxes.
    stem_pool : bool
        Whether a 3x3x3 max pooling of stride 2 follows the first convolution, as in the papers.
    dropout : float
        Probability of dropping a feature before the head.
    """

    kinds = ("volume",)

    def __init__(
        self,
        in_shape,
        n_outputs,
        *,
        depth=18,
        widths=(64, 128, 256, 512),
        stem_kernel=7,
        stem_stride=2,
        stem_pool=True,
        dropout=0.0,
    ):
        super().__init__()
        check_axes("resnet3d", in_shape, ("channel", "i", "j", "k"))
        if depth not in BLOCKS or len(widths) != 4:
            raise NeuroloomError(
                f"resnet3d has a depth of {', '.join(map(str, BLOCKS))} and four widths; "
                f"this one was given depth {depth} and widths {list(widths)}."
            )
        self.stem = nn.Sequential(
            nn.Conv3d(in_shape[0], widths[0], stem_kernel, stem_stride, padding=stem_kernel // 2, bias=False),
            nn.BatchNorm3d(widths[0]),
            nn.ReLU(),
            nn.MaxPool3d(3, 2, padding=1) if stem_pool else nn.Identity(),
        )
        self.stages = nn.Sequential(*stages(widths, BLOCKS[depth]))
        self.dropout = nn.Dropout(dropout)
        self.n_features = widths[-1]
        self.head = nn.Linear(widths[-1], n_outputs)
        self.apply(he_initialise)

    def embed(self, x, lengths=None):
        """Return features of shape (batch, n_features)."""
        x = self.stages(self.stem(x))  # (batch, channel, i, j, k) -> (batch, last width, i', j', k')
        return self.dropout(x.mean(dim=(2, 3, 4)))

    def forward(self, x, lengths=None):
        return self.head(self.embed(x))


def stages(widths, n_blocks):
    """Return the residual blocks in turn; the first block of stages two to four has stride 2."""
    blocks, channels = [], widths[0]
    for stage, (width, count) in enumerate(zip(widths, n_blocks, strict=True)):
        for number in range(count):
            blocks.append(BasicBlock(channels, width, stride=2 if stage and number == 0 else 1))
            channels = width
    return blocks


class BasicBlock(nn.Module):
    """Two 3x3x3 convolutions beside a shortcut (a strided 1x1x1 convolution where the shape changes)."""

    def __init__(self, in_channels, out_channels, stride):
        super().__init__()
        self.path = nn.Sequential(
            nn.Conv3d(in_channels, out_channels, 3, stride, padding=1, bias=False),
            nn.BatchNorm3d(out_channels),
            nn.ReLU(),
            nn.Conv3d(out_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm3d(out_channels),
        )
        self.shortcut = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            conv = nn.Conv3d(in_channels, out_channels, 1, stride, bias=False)
            self.shortcut = nn.Sequential(conv, nn.BatchNorm3d(out_channels))

    def forward(self, x):
        return torch.relu(self.path(x) + self.shortcut(x))


def he_initialise(module):
    """Draw a convolution's weights for ReLU networks (He et al. 2015, doi:10.1109/ICCV.2015.123)."""
    if isinstance(module, nn.Conv3d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
