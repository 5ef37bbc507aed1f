"""Text of records, which anybody may have written, made fit to be shown."""

from __future__ import annotations

import html
from typing import Any

NAME_LENGTH = 60


def plain(text: Any, limit: int = NAME_LENGTH) -> str:
    """One line of printable text, cut in the middle where it is longer than `limit` characters.

    Control characters, line ends and halves of surrogate pairs become visible escapes, so that the text can be
    written anywhere as UTF-8 and moves no cursor.
    """
    kept = str(text)
    if len(kept) > 4 * limit:
        kept = kept[: 2 * limit] + kept[-2 * limit :]
    kept = "".join(c if c.isprintable() else _escape(c) for c in kept)
    if len(kept) <= limit:
        return kept
    head = (limit - 1) * 2 // 3
    return f"{kept[:head]}…{kept[len(kept) - (limit - 1 - head) :]}"


def markup(text: Any, limit: int = NAME_LENGTH) -> str:
    """The same for where HTML is understood: pages, and the labels of Plotly with its own few tags."""
    return html.escape(plain(text, limit)).replace("$", "&#36;")


def lines(text: Any, limit: int = 20_000, width: int = 400) -> str:
    """Text of several lines, such as a traceback, with its line ends kept; the end is kept where it is long."""
    kept = str(text)
    cut = "…\n" if len(kept) > limit else ""
    shown = [plain(line, width) for line in kept[-limit:].splitlines()]
    return cut + "\n".join(shown)


def _escape(character: str) -> str:
    return {"\n": " ", "\t": " "}.get(character, character.encode("unicode_escape").decode("ascii"))
