"""Parameter counts at the papers' sizes, smallest inputs, and what single architectures compute."""

import pytest
import torch

from neuroloom.errors import NeuroloomError
from neuroloom.models.graph_brainnetcnn import BrainNetCNN, EdgeToEdge
from neuroloom.models.network import parameter_count
from neuroloom.models.series_conv1d import Conv1D
from neuroloom.models.series_gru import SeriesGRU
from neuroloom.models.table_mlp import MLP
from neuroloom.models.volume_cnn3d import CNN3D
from neuroloom.models.volume_densenet3d import DenseNet3D
from neuroloom.models.volume_resnet3d import ResNet3D
from neuroloom.models.volume_sfcn import SFCN

BOX = (1, 28, 22, 16)  # medial temporal lobe and ventricles at 4 mm


def test_sfcn_has_the_3_million_parameters_of_the_paper():
    widths, channels, expected = (32, 64, 128, 256, 256, 64), 1, 0
    for width, kernel in zip(widths, (27, 27, 27, 27, 27, 1), strict=True):
        expected += channels * width * kernel + width + 2 * width  # convolution, batch normalisation
        channels = width
    model = SFCN((1, 160, 192, 160), 40)
    assert parameter_count(model) == expected + 64 * 40 + 40 == 2_952_936


# MONAI 1.6.1: resnet10, 18, 34 (feed_forward=False) less the biases of their shortcuts; DenseNet121 whole
@pytest.mark.parametrize(("depth", "monai"), [(10, 14_356_416), (18, 33_160_896), (34, 63_470_528)])
def test_resnet_has_the_parameters_of_monai(depth, monai):
    model = ResNet3D((1, 64, 64, 64), 2, depth=depth)
    assert parameter_count(model) - parameter_count(model.head) == monai - (128 + 256 + 512)


def test_densenet121_has_the_parameters_of_monai():
    assert parameter_count(DenseNet3D((1, 64, 64, 64), 2)) == 11_244_674


@pytest.mark.parametrize(("d", "filters", "dense"), [(90, (32,), ()), (116, (32, 32), (128, 30)), (40, (), (8,))])
def test_brainnetcnn_parameters_follow_the_formula(d, filters, dense):
    n, g, expected, width = 64, 30, 0, 1
    for f in filters:
        expected += 2 * (width * d * f + f)
        width = f
    expected += width * d * n + n
    width = n * d
    for units in (g, *dense, 2):
        expected += width * units + units
        width = units
    assert parameter_count(BrainNetCNN((d, d), 2, edge_to_edge=filters, dense=dense)) == expected
    if (d, filters, dense) == (90, (32,), ()):
        assert expected == 363_100


def test_other_counts_of_the_docstrings():
    assert parameter_count(MLP((200, 200), 2)) == (200 * 201 // 2 + 1) * 64 + 65 * 2 == 1_286_594
    assert parameter_count(CNN3D(BOX, 2)) == 17_730
    assert parameter_count(Conv1D((200, 100), 2)) == 105_666
    assert parameter_count(SeriesGRU((200, 100), 2)) == 102_402


def test_sfcn_names_the_smallest_volume_and_widths_that_fit():
    with pytest.raises(NeuroloomError, match=r"at least 32 voxels.*28 x 22 x 16.*\[32, 64, 128, 256, 64\]"):
        SFCN(BOX, 2)
    assert SFCN(BOX, 2, widths=[32, 64, 128, 256, 64]).eval()(torch.randn(1, *BOX)).shape == (1, 2)
    assert SFCN((1, 32, 32, 32), 2).eval()(torch.randn(1, 1, 32, 32, 32)).shape == (1, 2)


@pytest.mark.parametrize(
    ("model", "arguments", "smallest"),
    [
        (CNN3D, {"widths": (2, 2, 2, 2)}, 8),
        (CNN3D, {"widths": (2, 2, 2), "stem_stride": 2}, 7),
        (DenseNet3D, {"blocks": (1, 1, 1, 1), "growth": 2, "stem_width": 4}, 29),
        (DenseNet3D, {"blocks": (1, 1), "growth": 2, "stem_width": 4}, 5),
    ],
)
def test_smallest_volume_runs_and_one_voxel_less_is_refused(model, arguments, smallest):
    shape = (1, smallest, smallest, smallest)
    assert model(shape, 2, **arguments).eval()(torch.randn(1, *shape)).shape == (1, 2)
    with pytest.raises(NeuroloomError, match=f"at least {smallest} voxels"):
        model((1, smallest, smallest - 1, smallest), 2, **arguments)


def test_resnet_takes_any_volume():
    model = ResNet3D((1, 2, 1, 3), 2, depth=10, widths=(2, 2, 2, 2)).eval()
    assert model(torch.randn(1, 1, 2, 1, 3)).shape == (1, 2)


def test_mlp_reads_each_edge_once_and_keeps_inner_products():
    x = torch.randn(2, 7, 7, generator=torch.Generator().manual_seed(0))
    x = x + x.mT
    read = MLP((7, 7), 2, widths=()).embed(x)
    assert read.shape == (2, 7 * 8 // 2)
    torch.testing.assert_close(read @ read.T, x.flatten(1) @ x.flatten(1).T)


def test_edge_to_edge_is_the_cross_shaped_filter():
    torch.manual_seed(0)
    layer, x = EdgeToEdge(2, 3, 5).double(), torch.randn(4, 5, 2, 5, dtype=torch.double)  # (batch, i, channel, j)
    along_row = layer.row.weight.view(3, 2, 5)  # (filter, channel, j)
    along_column = layer.column.weight.view(3, 5, 2)  # (filter, i, channel)
    expected = torch.zeros(4, 5, 3, 5, dtype=torch.double)
    for i in range(5):
        for j in range(5):
            row = torch.einsum("bcn,fcn->bf", x[:, i], along_row)
            column = torch.einsum("bnc,fnc->bf", x[:, :, :, j], along_column)
            expected[:, i, :, j] = row + column + layer.row.bias + layer.column.bias
    torch.testing.assert_close(layer(x), expected)


def test_conv1d_is_a_plain_convolution_where_nothing_is_padded():
    torch.manual_seed(0)
    model = Conv1D((4, 20), 2, widths=(5, 6)).eval()
    first, second = model.blocks
    x = torch.randn(3, 4, 20)
    plain = torch.relu(first.norm(first.conv(x)))
    plain = torch.relu(second.norm(second.conv(torch.max_pool1d(plain, 2))))
    torch.testing.assert_close(model.embed(x), plain.mean(dim=2))


def test_gru_last_state_of_each_direction():
    torch.manual_seed(0)
    model = SeriesGRU((4, 20), 2, width=5, pool="last").eval()
    x = torch.randn(2, 4, 20)
    states, _ = model.gru(x.transpose(1, 2))
    expected = torch.cat([states[:, -1, :5], states[:, 0, 5:]], dim=1)
    torch.testing.assert_close(model.embed(x), expected)


def test_instance_norm_cnn_does_not_learn_from_the_batch():
    model = CNN3D(BOX, 2, norm="instance", dropout=0.0).train()
    x = torch.randn(3, *BOX)
    torch.testing.assert_close(model(x)[:1], model(x[:1]))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: CNN3D(BOX, 2, norm="group"), "batch, instance"),
        (lambda: MLP((4,), 2, norm="group"), "none, batch, layer"),
        (lambda: ResNet3D(BOX, 2, depth=50), "10, 18, 34"),
        (lambda: SeriesGRU((4, 20), 2, pool="max"), "mean, last"),
        (lambda: BrainNetCNN((4, 20), 2), r"square.*4 x 20"),
    ],
)
def test_wrong_settings_are_named(build, message):
    with pytest.raises(NeuroloomError, match=message):
        build()
