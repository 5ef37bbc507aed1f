"""What of a page has to be sent: its parts that changed, or all of it where it has other parts than before.

A page that is put in place anew would lose zoom, focus and scroll positions, so this happens only when people go to
another view.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def changes(page: Any, there: Sequence[Sequence[str]], known: Mapping[str, str]) -> tuple[Any, Any, Any, Any]:
    """The outputs that bring a browser up to date.

    Args:
        page: the page as it should be.
        there: names of the parts and of the plots that the browser has, in the order in which they are answered.
        known: digest of each as the browser has it; empty if it has another view.

    Returns:
        The page, its parts, its plots, each "no update" where nothing changed, and the digests from now on.
    """
    import dash
    import plotly.io

    live = dict(_live(page))
    contents = {name: plotly.io.json.to_json_plotly(content) for name, content in live.items()}
    digests = {name: hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in contents.items()}
    parts, plots = there
    if not known or set(digests) != {*parts, *plots} or set(known) != set(digests):
        return page, [dash.no_update] * len(parts), [dash.no_update] * len(plots), digests
    new = {name for name in digests if digests[name] != known[name]}
    return (
        dash.no_update,
        [live[name] if name in new else dash.no_update for name in parts],
        [live[name] if name in new else dash.no_update for name in plots],
        digests,
    )


def _live(component: Any) -> Iterator[tuple[str, Any]]:
    """(name, content) of the parts and live plots of a page."""
    name = getattr(component, "id", None)
    if isinstance(name, dict) and "part" in name:
        yield f"part {name['part']}", component.children
        return
    if isinstance(name, dict) and "plot" in name:
        yield f"plot {name['plot']}", component.figure
        return
    children = getattr(component, "children", None)
    for child in children if isinstance(children, (list, tuple)) else [children]:
        if child is not None and not isinstance(child, (str, int, float)):
            yield from _live(child)
