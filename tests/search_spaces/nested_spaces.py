"""Spaces of every kind that PyGlove can express, shared by the tests of the compiled form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyglove as pg


class Conv(pg.Object):
    kernel: int
    filters: int = 32
    options: list[int] = []


class Dense(pg.Object):
    units: float
    activation: str = "relu"


class Stage(pg.Object):
    layers: list[Any]
    skip: bool = False

    def _on_bound(self) -> None:
        super()._on_bound()
        self._depth = len(self.layers)

    @property
    def depth(self) -> int:
        return self._depth


class Scaled(pg.Object):
    """A class with a constructor of its own, which the fast decoder must not bypass."""

    base: int
    factor: int

    @pg.explicit_method_override
    def __init__(self, base: int, factor: int, allow_partial: bool = False, sealed: bool = False) -> None:
        super().__init__(base=base, factor=factor, allow_partial=allow_partial, sealed=sealed)
        self.product = base * factor if isinstance(base, int) and isinstance(factor, int) else None


@pg.functor()
def scale(x: float, by: float = 2.0) -> float:
    return x * by


class Path(pg.hyper.CustomHyper):
    """A string of letters that grows by one letter when drawn from a former value."""

    def custom_decode(self, dna: pg.DNA) -> list[str]:
        return dna.value.split("-")

    def custom_encode(self, value: list[str]) -> pg.DNA:
        return pg.DNA("-".join(value))

    def random_dna(self, random_generator: Any = None, previous_dna: pg.DNA | None = None) -> pg.DNA:
        letter = random_generator.choice("abc")
        return pg.DNA(letter if previous_dna is None else f"{previous_dna.value}-{letter}")


def _flat() -> Any:
    return pg.Dict(width=pg.oneof([16, 32, 64]), depth=pg.oneof(["shallow", "deep"]), rate=0.5)


def _conditional() -> Any:
    layer = pg.oneof(
        [
            Conv(pg.oneof([1, 3, 5]), options=[pg.oneof([0, 1]), 7]),
            Dense(pg.oneof([1.0, 2.0]), pg.oneof(["relu", "swish"])),
            Conv(9),
        ]
    )
    return pg.Dict(stages=pg.List([Stage([layer, layer], pg.oneof([True, False])), Stage([layer])]))


def _root_choice() -> Any:
    return pg.oneof([Conv(pg.oneof([1, 3])), pg.oneof([Dense(1.0), Dense(pg.oneof([2.0, 3.0]))]), 7])


def _multi_choices() -> Any:
    return pg.Dict(
        free=pg.manyof(2, [1, 2, 3], distinct=False),
        distinct=pg.manyof(2, ["a", "b", "c"]),
        sorted=pg.manyof(3, [1, 2, 3], distinct=False, sorted=True),
        subset=pg.manyof(2, [1, 2, 3, 4], sorted=True),
        order=pg.permutate([1, 2, 3]),
    )


def _nested_multi_choices(**constraints: bool) -> Callable[[], Any]:
    def make() -> Any:
        inner = pg.manyof(2, [4, 5, pg.oneof([6, 7])], **constraints)
        candidates = [Conv(pg.oneof([1, 3])), inner, pg.Dict(x=pg.oneof([1, 2]), y=inner), 8]
        return pg.Dict(choices=pg.manyof(2, candidates, **constraints), last=pg.oneof([1, 2]))

    return make


def _root_multi_choice() -> Any:
    return pg.manyof(2, [pg.manyof(2, [1, 2, 3]), Conv(pg.oneof([1, 3])), 5])


def _folded() -> Any:
    return pg.oneof([pg.manyof(2, [1, 2, pg.oneof([3, 4])], distinct=False), pg.List([pg.permutate([1, 2, 3])])])


def _floats() -> Any:
    head = pg.oneof([Dense(pg.floatv(0.5, 2.0)), Conv(3, options=[pg.oneof([1, 2])]), pg.floatv(-1.0, 1.0)])
    pair = pg.manyof(2, [1, 2, pg.floatv(3.0, 4.0)])
    return pg.Dict(head=head, rate=pg.floatv(1e-4, 1e-1, "log"), one=pg.manyof(1, [1, 2]), pair=pair)


def _sorted_floats() -> Any:
    candidates = [pg.floatv(0.0, 1.0), Dense(pg.floatv(1.0, 2.0)), 3]
    return pg.Dict(x=pg.manyof(3, candidates, distinct=False, sorted=True))


def _constructors() -> Any:
    return pg.Dict(
        scaled=Scaled(pg.oneof([1, 2]), pg.oneof([3, 4])),
        functor=scale(by=pg.oneof([1.0, 2.0])),
        any=pg.oneof([Scaled(5, pg.oneof([6, 7])), scale(3.0), None]),
    )


def _derived() -> Any:
    return pg.Dict(width=pg.oneof([16, 32]), same=pg.hyper.reference("width"), depth=pg.oneof([1, 2]))


def _custom() -> Any:
    walk = pg.oneof([Path(), "fixed", pg.Dict(path=Path(), scale=pg.oneof([1, 2]))])
    return pg.Dict(first=Path(), walk=walk, walks=pg.manyof(2, [Path(), 1, 2], distinct=False, sorted=True))


def _constant() -> Any:
    return pg.Dict(width=3, layers=[Conv(1)])


SPACES: dict[str, Callable[[], Any]] = {
    "flat": _flat,
    "conditional": _conditional,
    "root_choice": _root_choice,
    "multi_choices": _multi_choices,
    "nested_free": _nested_multi_choices(distinct=False, sorted=False),
    "nested_distinct": _nested_multi_choices(distinct=True, sorted=False),
    "nested_sorted": _nested_multi_choices(distinct=False, sorted=True),
    "nested_subset": _nested_multi_choices(distinct=True, sorted=True),
    "root_multi_choice": _root_multi_choice,
    "folded": _folded,
    "floats": _floats,
    "sorted_floats": _sorted_floats,
    "constructors": _constructors,
    "derived": _derived,
    "custom": _custom,
    "constant": _constant,
}
FINITE = [name for name in SPACES if name not in ("floats", "sorted_floats", "custom")]
VARIABLE = [name for name in SPACES if name != "constant"]
