"""Cost and accuracy of a base network under compound scaling."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from autoglyph.child_programs.compound_scaling import built_multipliers, load_scaling_surrogate
from autoglyph.experiments.replaying.replayed import Replayed
from autoglyph.hardware_models import Device, Workload, estimate, load_device
from autoglyph.hardware_models.device import WITHOUT_HOST
from autoglyph.hardware_models.recorder import BlockKey, ReadBlock, read_segment
from autoglyph.hardware_models.workload import kernel_array
from autoglyph.search_spaces.architecture import Segment
from autoglyph.search_spaces.architectures.efficientnet import EfficientNet, Scaling
from autoglyph.search_spaces.net import Shapes

if TYPE_CHECKING:
    from autoglyph.child_programs import Dataset


class NetworkCost(NamedTuple):
    """What a scaled network costs.

    Attributes:
        latency_s: of one batch on the chip.
        madds: multiply-adds an image.
        parameters: trainable.
    """

    latency_s: float
    madds: int
    parameters: int


@dataclass(frozen=True)
class ScaledNetworks:
    """The networks that scaling makes of a base, each costed once.

    Attributes:
        base: the network that is scaled.
        device: where latency is estimated; its chip alone counts, without the host that feeds it.
        batch: images at once.
    """

    base: EfficientNet
    device: Device
    batch: int

    _blocks: dict[BlockKey, ReadBlock] = field(default_factory=dict, repr=False)
    _costs: dict[tuple[int, ...], NetworkCost] = field(default_factory=dict, repr=False)

    def network(self, scaling: Scaling) -> EfficientNet:
        """The base at another scaling."""
        scaled: EfficientNet = self.base.clone()
        scaled.rebind(scaling=scaling.clone(), raise_on_no_change=False)
        return scaled

    @functools.cached_property
    def _sizes(self) -> list[tuple[int, int]]:
        """Repeats and filters of the stages before scaling."""
        return [(int(s.repeats), int(s.filters)) for s in self.base.stages]

    def cost(self, scaling: Scaling) -> NetworkCost:
        """What the network of that scaling costs."""
        key = (scaling.resolution, *(n for r, f in self._sizes for n in (scaling.repeats(r), scaling.filters(f))))
        key += (scaling.filters(self.base.stem_filters), scaling.filters(self.base.head_filters))
        if key not in self._costs:
            workload = self._workload(scaling)
            latency_s = estimate(workload, self.device, batch=self.batch).latency_s
            self._costs[key] = NetworkCost(latency_s, workload.madds, workload.parameters)
        return self._costs[key]

    @functools.cached_property
    def _segments(self) -> list[tuple[Segment, list[Any]]]:
        return [(segment, [*map(self.base.part, segment.parts)]) for segment in self.base.segments()]

    def _workload(self, scaling: Scaling) -> Workload:
        """Equal to `record(self.network(scaling))`, with blocks that are shared by all networks."""
        shape: Shapes | None = None
        kernels: list[Any] = []
        for segment, values in self._segments:
            parts = [scaling if at == "scaling" else v for at, v in zip(segment.parts, values, strict=True)]
            reading = read_segment(segment, parts, shape, self.device.fusion, self._blocks)
            kernels += itertools.chain.from_iterable(placed.kernels() for placed in reading.pieces)
            shape = reading.output
        return Workload(kernel_array(kernels), self.device.fusion)

    def latency_s(self, scaling: Scaling) -> float:
        """Seconds of one batch."""
        return self.cost(scaling).latency_s

    def madds(self, scaling: Scaling) -> float:
        """Multiply-adds of an image."""
        return float(self.cost(scaling).madds)


@dataclass(frozen=True)
class SurrogateAccuracy:
    """Top-1 by the compound scaling surrogate, at the level and recipe of EfficientNet."""

    networks: ScaledNetworks

    @property
    def source(self) -> str:
        """Where the accuracy comes from, in one line."""
        surrogate = load_scaling_surrogate()
        return (
            f"surrogate {surrogate.name!r}: {surrogate.source}; leave-one-out error "
            f"{surrogate.held_out['leave_one_out']:.2f} points; at the level of EfficientNet's recipe"
        )

    def __call__(self, scaling: Scaling) -> float | None:
        """Percent, None outside the ranges of the surrogate."""
        surrogate = load_scaling_surrogate()
        multipliers = built_multipliers(self.networks.network(scaling))
        return surrogate.top1(multipliers) if surrogate.covers(multipliers) else None


@dataclass(frozen=True)
class TrainedAccuracy:
    """Top-1 of proxies that are scaled like the networks and trained here.

    A proxy has the blocks of the scaled network, and width and resolution that are the proxy's own times the
    multipliers, so its accuracy is that of a small data set: it compares directions of scaling, nothing else.

    Attributes:
        networks: what is scaled.
        data: what to train on.
        data_name: what it is called.
        epochs: of training.
        width: channels of the base's proxy as a factor of the published base's.
        resolution: of the base's proxy, pixels.
        seed: of weights and training.
    """

    networks: ScaledNetworks
    data: Dataset
    data_name: str
    epochs: int = 4
    width: float = 0.25
    resolution: int = 16
    seed: int = 0

    @property
    def source(self) -> str:
        """Where the accuracy comes from, in one line."""
        return (
            f"trained at proxy scale: {self.data_name}, {self.epochs} epochs, base proxy of width {self.width:g} at "
            f"{self.resolution} x {self.resolution} pixels, seed {self.seed}"
        )

    def __call__(self, scaling: Scaling) -> float:
        """Percent of the validation images."""
        from autoglyph.child_programs import ImageClassification

        base = self.networks.base.scaling
        program = ImageClassification(
            epochs=[self.epochs],
            width=self.width * scaling.width / base.width,
            resolution=round(self.resolution * scaling.resolution / base.resolution),
        )
        *_, last = program.run(self._with_blocks(scaling), seed=self.seed, data=self.data)
        return float(last.values["top1"])

    def _with_blocks(self, scaling: Scaling) -> EfficientNet:
        """The network with its scaled repeats as its own, which a proxy keeps."""
        network = self.networks.network(scaling)
        network.rebind(
            {f"stages[{i}].repeats": scaling.repeats(s.repeats) for i, s in enumerate(network.stages)},
            raise_on_no_change=False,
        )
        return network


def scaled_networks(found: Replayed, device: str, batch: int | None = None) -> ScaledNetworks:
    """A base that was found, on the chip alone of a device.

    Args:
        found: the base.
        device: name of a device or a file that describes one, with or without its host.
        batch: images at once; None for the device's default, the batch its latencies were published or fitted at.

    Raises:
        ValueError: if the base is no EfficientNet-like network or there is no such device.
    """
    if not isinstance(found.individual, EfficientNet):
        raise ValueError(f"Individuals of {found.space} have no compound scaling: give one of the EfficientNet kind.")
    chip = load_device(device)
    chip = chip if chip.name.endswith(WITHOUT_HOST) else chip.without_host()
    return ScaledNetworks(found.individual, chip, batch or chip.batch)
