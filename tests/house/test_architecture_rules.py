"""The rules of the house: import directions, the package list, the names that may be imported."""

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAY_IMPORT = {
    "search_spaces": {"search_spaces"},
    "algorithms": {"algorithms", "search_spaces"},
    "hardware_models": {"hardware_models", "search_spaces"},
    "child_programs": {"child_programs", "hardware_models", "search_spaces"},
    "experiments": {"experiments", "child_programs", "hardware_models", "algorithms", "search_spaces"},
}
HEAVY = {"tensorflow", "keras", "ray", "plotly", "matplotlib", "sklearn", "pandas", "dash", "plotext"}
DOORS = {
    "experiments/ray_tune": {"ray"},  # classes of Ray Tune must derive from its own: who imports them wants Ray
    "child_programs/expression_layers/templates": {"keras", "tensorflow"},  # written out as files of their own
}
SOURCES = [p for area in MAY_IMPORT for p in sorted((ROOT / area).rglob("*.py"))]


def imported_modules(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_down_only(path: Path) -> None:
    area = path.relative_to(ROOT).parts[0]
    for name in imported_modules(ast.parse(path.read_text())):
        parts = name.split(".")
        assert parts[0] not in MAY_IMPORT, f"{name}: import autoglyph.{name}"
        if parts[0] == "autoglyph":
            assert parts[1] in MAY_IMPORT[area], f"{path} imports {name}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_heavy_imports_are_inside_functions(path: Path) -> None:
    tree = ast.parse(path.read_text())
    top = [n for n in tree.body if isinstance(n, (ast.Import, ast.ImportFrom))]
    found = {name.split(".")[0] for n in top for name in imported_modules(ast.Module([n], []))}
    allowed = DOORS.get(path.parent.relative_to(ROOT).as_posix(), set())
    assert not found & (HEAVY - allowed)


@pytest.mark.parametrize("door", DOORS)
def test_nothing_inside_goes_through_a_heavy_door(door: str) -> None:
    inside = [p for p in SOURCES if not p.is_relative_to(ROOT / door)]
    name = "autoglyph." + door.replace("/", ".")
    assert not [p for p in inside if any(m.startswith(name) for m in imported_modules(ast.parse(p.read_text())))]


def test_packages_are_those_of_the_tree() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {p.parent.relative_to(ROOT) for area in MAY_IMPORT for p in (ROOT / area).rglob("__init__.py")}
    expected = {"autoglyph." + ".".join(f.parts): f.as_posix() for f in folders}
    assert dict(settings["package-dir"]) == expected
    assert sorted(settings["packages"]) == sorted(expected)


def test_type_checkers_see_every_area() -> None:
    links = {p.name: p for p in (ROOT / "typings" / "autoglyph").iterdir()}
    assert set(links) == set(MAY_IMPORT)
    assert all(link.is_symlink() and link.resolve() == ROOT / name for name, link in links.items())


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_stay_readable(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400
