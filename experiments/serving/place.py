"""What a URL of the page says: the view, the run, the trial and the choices made on it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

_PLAIN = re.compile(r"(?!~)(?!\.+$)[\w .:+=@,()\[\]-]{1,120}", re.ASCII)


@dataclass(frozen=True)
class Place:
    """A URL taken apart.

    Attributes:
        path: decoded segments of the path.
        query: names and values, in order; a name may occur several times.
    """

    path: tuple[str, ...]
    query: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, pathname: str | None, search: str | None) -> Place:
        """The place of `location.pathname` and `location.search`."""
        segments = tuple(unquote(s) for s in (pathname or "/").split("/") if s)
        return cls(segments, tuple(parse_qsl((search or "").removeprefix("?"), keep_blank_values=True)))

    def get(self, name: str, default: str = "") -> str:
        """The first value of a name."""
        return next((value for key, value in self.query if key == name), default)

    def all(self, name: str) -> list[str]:
        """All values of a name."""
        return [value for key, value in self.query if key == name]

    def changed(self, changes: Mapping[str, Any]) -> Place:
        """This place with other choices; a value of None takes the choice away."""
        kept = [(key, value) for key, value in self.query if key not in changes]
        added = [(key, str(value)) for key, value in changes.items() if value is not None]
        return Place(self.path, (*kept, *added))

    @property
    def search(self) -> str:
        """The choices as a query string with its question mark, empty without choices."""
        return "?" + urlencode(self.query) if self.query else ""

    @property
    def href(self) -> str:
        """The URL without its host."""
        return "/" + "/".join(quote(segment, safe="") for segment in self.path) + self.search


def address(name: str, run: int) -> str:
    """What stands for a run in a URL: its name, or ~ and its number where a name cannot stand in a path.

    Args:
        name: of the run.
        run: number of the run within the record.
    """
    return name if _PLAIN.fullmatch(name) else f"~{run}"


def run_place(name: str, run: int, trial: int | None = None, view: str | None = None) -> Place:
    """The place of a run, or of one of its trials."""
    path = ("run", address(name, run), *(() if trial is None else ("trial", str(trial))))
    return Place(path, () if view is None else (("view", view),))
