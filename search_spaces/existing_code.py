"""Search in code that was written without a search: functions with choices in them, and programs rewritten by rules."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pyglove as pg

from autoglyph.search_spaces.space import SearchSpace


class TracedFunction:
    """A function in which `pg.oneof` and its kind are called, and the space of what they choose.

    The function is run once to find its choices (define-by-run). A candidate given as a function without arguments is
    run only where it is chosen, and may choose in turn. Which choices are made must not depend on anything else.

    Args:
        name: of the space.
        function: takes no arguments that decide what it chooses.
        where: which hyper values belong to the space, as in `pg.sample`; the others stay as they are.

    Attributes:
        space: its individuals are `pg.DNA`; columns have the candidates of the choices.

    Raises:
        ValueError: if the function chooses nothing.

    Example:
        >>> traced = TracedFunction("sum", lambda: pg.oneof([1, 2]) + pg.oneof([10, 20]))
        >>> traced(traced.space.genome.decode(np.array([1, 0])))
        12
    """

    def __init__(self, name: str, function: Callable[[], Any], where: Callable[[Any], bool] | None = None) -> None:
        self._function = function
        self._context = pg.hyper.DynamicEvaluationContext(where=where)
        with self._context.collect():
            function()
        if not self._context.hyper_dict:
            raise ValueError(f"The function of {name!r} chooses nothing: call pg.oneof or pg.floatv where it may vary.")
        self.space = SearchSpace(name, self._context.dna_spec, description=(function.__doc__ or "").partition("\n")[0])

    @contextlib.contextmanager
    def chosen(self, dna: Any) -> Iterator[None]:
        """The choices of an individual hold within a `with`."""
        with self._context.apply(dna):
            yield

    def __call__(self, dna: Any) -> Any:
        """What the function returns with the choices of an individual."""
        with self.chosen(dna):
            return self._function()


def rewritten(name: str, program: Any, *rules: Any, description: str = "") -> SearchSpace:
    """The space that a static program becomes when rules put choices into it.

    Args:
        name: of the space.
        program: a symbolic value without choices; it is left as it is, and is the space's individual "program".
        rules: what `pg.patch` takes, one after the other: a dictionary of symbolic paths and new values, a function of
            path and value (and parent) as for `rebind`, which is asked about everything below the root, or a patcher.
        description: one line.

    Raises:
        ValueError: if the program is not symbolic, or the rules leave it without a choice.
    """
    if not isinstance(program, pg.Symbolic):
        raise ValueError(f"Expected a symbolic program, received {type(program).__name__}: make it with pg.symbolize.")
    value = pg.patch(program.clone(deep=True), [_below_the_root(rule) for rule in rules])
    if pg.is_deterministic(value):
        raise ValueError(
            f"The rules for {name!r} put no choice into the program: let one give a pg.oneof or pg.floatv."
        )
    return SearchSpace(name, value, individuals={"program": lambda: program.clone(deep=True)}, description=description)


def _below_the_root(rule: Any) -> Any:
    """A function that is not asked about the program as a whole, whose path has no key; other rules as they are."""
    if not callable(rule) or isinstance(rule, pg.patching.Patcher):
        return rule
    takes = len(inspect.signature(rule).parameters)
    return lambda path, value, parent: rule(*(path, value, parent)[:takes]) if path.depth else value
