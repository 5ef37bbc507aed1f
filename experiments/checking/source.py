"""The text of a domain file: on which line is what a message speaks of."""

from __future__ import annotations

import ast
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Duplicate(NamedTuple):
    """A name that is given twice, of which the first is lost.

    Attributes:
        name: the name.
        first: its first line.
        second: the line that takes its place.
    """

    name: str
    first: int
    second: int


class Source:
    """A Python file as text.

    Args:
        path: the file.
        name: what the domain is called in it.
    """

    def __init__(self, path: str | Path, name: str = "DOMAIN") -> None:
        self.path = Path(path)
        self.name = name
        text = self.path.read_text(encoding="utf-8")
        self.last_line = max(1, len(text.splitlines()))
        try:
            self._tree = ast.parse(text)
        except (SyntaxError, ValueError):
            self._tree = ast.parse("")

    @property
    def domain_line(self) -> int:
        """Where the domain is made."""
        call = self._domain_call()
        return self.last_line if call is None else call.lineno

    def other_domains(self) -> list[tuple[str, int]]:
        """Names and lines of all domains that the file makes."""
        return [(name, call.lineno) for name, call in self._calls_by_name("Domain")]

    def space_line(self, space: str) -> int:
        """Where a space of a name is made; where the domain is, if it is made elsewhere."""
        calls = list(self._calls("SearchSpace"))
        for call in calls:
            first = call.args[0] if call.args else None
            if isinstance(first, ast.Constant) and first.value == space:
                return call.lineno
        return calls[0].lineno if calls else self.domain_line

    def argument_line(self, keyword: str, index: int | None = None) -> int:
        """Where an argument of the domain is given, or one item of a list."""
        call = self._domain_call()
        for given in call.keywords if call is not None else ():
            if given.arg == keyword:
                if index is not None and isinstance(given.value, (ast.List, ast.Tuple)):
                    items = given.value.elts
                    return items[index].lineno if index < len(items) else given.value.lineno
                return given.value.lineno
        return self.domain_line

    def error_line(self, error: BaseException) -> int | None:
        """The last line of this file through which an error came, None if it came through none."""
        if isinstance(error, SyntaxError) and error.filename == str(self.path.resolve()):
            return error.lineno
        frames = traceback.extract_tb(error.__traceback__)
        here = [frame.lineno for frame in frames if Path(frame.filename).resolve() == self.path.resolve()]
        return here[-1] if here else None

    def definition_line(self, function: object) -> int | None:
        """Where a function of this file is defined, None if it is from elsewhere."""
        code = getattr(getattr(function, "__func__", function), "__code__", None)
        if code is None or Path(code.co_filename).resolve() != self.path.resolve():
            return None
        return int(code.co_firstlineno)

    def duplicates(self) -> Iterator[Duplicate]:
        """Definitions and keys of dictionaries that are given twice."""
        known: dict[str, int] = {}
        for node in self._tree.body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                if node.name in known:
                    yield Duplicate(node.name, known[node.name], node.lineno)
                known[node.name] = node.lineno
        for anything in ast.walk(self._tree):
            if isinstance(anything, ast.Dict):
                keys: dict[str, int] = {}
                for key in anything.keys:
                    if isinstance(key, ast.Constant):
                        if repr(key.value) in keys:
                            yield Duplicate(str(key.value), keys[repr(key.value)], key.lineno)
                        keys[repr(key.value)] = key.lineno

    def _calls(self, function: str) -> Iterator[ast.Call]:
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Call) and _called(node) == function:
                yield node

    def _calls_by_name(self, function: str) -> Iterator[tuple[str, ast.Call]]:
        for node in self._tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _called(node.value) == function:
                yield from ((t.id, node.value) for t in node.targets if isinstance(t, ast.Name))

    def _domain_call(self) -> ast.Call | None:
        return next((call for name, call in self._calls_by_name("Domain") if name == self.name), None)


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
