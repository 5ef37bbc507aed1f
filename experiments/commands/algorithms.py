"""`autoglyph algorithms`: the search algorithms and hurdle rules there are, and their settings."""

from __future__ import annotations

from typing import Any

from autoglyph.experiments.commands import _common
from autoglyph.experiments.commands._common import JsonOption

PANEL, ORDER = _common.REFERENCE_PANEL, 41


def command(as_json: JsonOption = False) -> None:
    """List search algorithms, hurdle rules and their settings."""
    from autoglyph.algorithms import catalog, hurdles

    rows: list[dict[str, Any]] = []
    for name, description in catalog.available().items():
        algorithm = catalog.get(name)()
        settings = {str(k): algorithm.sym_getattr(k) for k in algorithm.sym_keys()}
        rows.append(
            {
                "algorithm": name,
                "description": description,
                "settings": settings,
                "multi_objective": algorithm.multi_objective,
            }
        )
    if as_json:
        _common.print_json(rows)
        return
    headings = ["algorithm", "objectives", "settings (--set algorithm.NAME=VALUE)", "description"]
    cells = [
        [
            r["algorithm"],
            "any number" if r["multi_objective"] else "one",
            ", ".join(f"{k}={v}" for k, v in r["settings"].items()),
            r["description"],
        ]
        for r in rows
    ]
    _common.print_table("Search algorithms", headings, cells)
    rules = [[name, _settings_text(hurdles.get(name)()), text] for name, text in hurdles.available().items()]
    _common.print_table(
        "Hurdle rules (--hurdles)", ["rule", "settings (--set hurdles.NAME=VALUE)", "description"], rules
    )


def _settings_text(value: Any) -> str:
    return ", ".join(f"{key}={value.sym_getattr(key)}" for key in value.sym_keys())
