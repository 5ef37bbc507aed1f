"""ResNet and ResNet-RS: published sizes, and what each decision changes."""

from __future__ import annotations

import math

import pytest

from autoglyph.hardware_models import record
from autoglyph.search_spaces import Segment, load_space
from autoglyph.search_spaces.architectures.resnet_rs import RS_RESOLUTIONS, ResNet, resnet, resnet_rs
from autoglyph.search_spaces.blocks.bottleneck import Bottleneck
from autoglyph.search_spaces.net import Net, Tensor
from autoglyph.search_spaces.ops import Op, Pool

PARAMETERS = {
    "resnet-50": 25_557_032,
    "resnet-101": 44_549_160,
    "resnet-152": 60_192_808,
    "rs-50": 35_691_912,
    "rs-101": 63_618_696,
    "rs-152": 86_621_576,
    "rs-200": 93_209_992,
    "rs-270": 129_861_448,
    "rs-350": 163_956_168,
    "rs-420": 191_891_656,
}
MODEL_GARDEN_M = {50: 35.7, 101: 63.7, 152: 86.8, 200: 93.4, 270: 130.1, 350: 164.3}


class _Operations(Net):
    """Every operation with the shapes of its inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, Op, tuple[tuple[int, ...], ...]]] = []

    def apply(self, op: Op, *inputs: Tensor) -> Tensor:
        shapes = tuple(each.shape for each in inputs)
        self.seen.append((self.full_name(op), op, shapes))
        return Tensor(op.output(*shapes))


@pytest.mark.parametrize(("name", "parameters"), PARAMETERS.items())
def test_members_have_their_published_parameters(name: str, parameters: int) -> None:
    """Without the moving averages of the normalisations."""
    assert record(load_space("resnet_rs").individual(name)).parameters == parameters


@pytest.mark.parametrize(("depth", "millions"), MODEL_GARDEN_M.items())
def test_parameters_with_moving_averages_are_those_of_the_model_garden(depth: int, millions: float) -> None:
    """tensorflow/models official/vision/MODEL_GARDEN.md counts the averages of the normalisations too."""
    net = _Operations()
    resnet_rs(depth).build(net)
    weights = [w for _, op, inputs in net.seen for w in (op.weights(*inputs), op.statistics(*inputs))]
    assert round(sum(math.prod(shape) for w in weights for shape in w.values()) / 1e6, 1) == millions


@pytest.mark.parametrize(("depth", "madds"), [(50, 4_089_184_256), (101, 7_801_405_440), (152, 11_513_626_624)])
def test_resnets_have_their_published_multiply_adds(depth: int, madds: int) -> None:
    """torchvision prints 4.09, 7.80 and 11.51 G."""
    assert record(resnet(depth)).madds == madds


def test_every_published_resolution_has_a_member() -> None:
    names = load_space("resnet_rs").individual_names
    assert sum(len(sizes) for sizes in RS_RESOLUTIONS.values()) == 11
    assert {f"rs-{depth}-{size}" for depth, sizes in RS_RESOLUTIONS.items() for size in sizes} <= set(names)


def test_resolutions_are_part_of_the_names() -> None:
    space = load_space("resnet_rs")
    assert space.individual("rs-350").resolution == 256
    assert space.individual("rs-350-320").resolution == 320
    assert space.individual("ResNet-RS-152-224").resolution == 224
    with pytest.raises(ValueError, match="rs-420"):
        space.individual("rs-421")


def test_published_members_are_points_of_the_space() -> None:
    """But for the rates of dropout and stochastic depth, which are no decisions."""
    genome = load_space("resnet_rs").genome
    regularisation = {"dropout": 0.25, "drop_path": 0.0}
    for name in load_space("resnet_rs").individual_names:
        member = load_space("resnet_rs").individual(name)
        member.rebind(regularisation, raise_on_no_change=False)
        assert genome.decode(genome.encode(member)) == member


def test_the_stride_of_a_pooled_shortcut_is_in_the_pooling() -> None:
    for pooled in (False, True):
        net = _Operations()
        block = Bottleneck(filters=8, stride=2, se_ratio=0.25, pooled_shortcut=pooled)
        output = block.build(net, net.input((6, 6, 16)))
        assert output.shape == (3, 3, 32)
        pools = [(name, op.size, op.stride) for name, op, _ in net.seen if isinstance(op, Pool)]
        assert pools == ([("shortcut_pool", 2, 2)] if pooled else [])
        (shapes,) = [shapes for name, _, shapes in net.seen if name == "shortcut_conv"]
        assert shapes == ((3, 3, 16) if pooled else (6, 6, 16),)
        squeezed = next(op for name, op, _ in net.seen if name == "se_reduce")
        assert squeezed.output((1, 1, 32)) == (1, 1, 8)


def test_an_equal_shape_is_added_without_projection() -> None:
    net = _Operations()
    Bottleneck(filters=8, pooled_shortcut=True).build(net, net.input((6, 6, 32)))
    names = [name for name, _, _ in net.seen]
    assert not [name for name in names if name.startswith(("shortcut", "se"))]
    assert names[-2:] == ["add", "activation"]


@pytest.mark.parametrize("stem", ["conv7", "resnet_d", "resnet_rs"])
def test_every_stem_reduces_the_image_fourfold(stem: str) -> None:
    network = resnet(50, 64)
    network.rebind(stem=stem, raise_on_no_change=False)
    segment: Segment = network.segments()[0]
    output = segment.build(_Operations(), None, *map(network.part, segment.parts))
    assert output.shape == (16, 16, 64)


def test_stochastic_depth_grows_to_the_published_rate() -> None:
    net = _Operations()
    network: ResNet = resnet_rs(200)
    network.build(net)
    rates = [getattr(op, "rate", None) for name, op, _ in net.seen if name.endswith("block1_drop_path")]
    assert rates == pytest.approx([0.04, 0.06, 0.08, 0.1])


def test_a_proxy_keeps_the_decisions_and_drops_the_dropout() -> None:
    small = resnet_rs(420).proxy(resolution=32, channels=1, classes=10, width=0.25)
    assert (small.resolution, small.channels, small.classes) == (32, 1, 10)
    assert (small.dropout, small.drop_path) == (0.0, 0.0)
    assert [stage.repeats for stage in small.stages] == [4, 44, 87, 4]
    fitted = resnet_rs(50).for_data(channels=4, classes=7)
    assert (fitted.resolution, fitted.channels, fitted.classes) == (160, 4, 7)
    assert fitted.dropout == 0.25
