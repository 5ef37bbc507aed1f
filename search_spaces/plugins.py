"""Finding plug-ins: built-in ones by file name, installed ones by entry point, one's own by file path."""

from __future__ import annotations

import difflib
import importlib
import importlib.metadata
import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any


def unknown_name(kind: str, name: str, known: Iterable[str]) -> ValueError:
    """An error that names the nearest known names.

    Args:
        kind: what the name should name, such as "search space".
        name: the name that was not found.
        known: the names there are.
    """
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(map(repr, close))}?" if close else f"choose one of {', '.join(names)}."
    return ValueError(f"Unknown {kind} {name!r}: {hint}")


def module_names(package: str, *, leave_out: Iterable[str] = ()) -> list[str]:
    """Names of the public modules of a package, which are the names of its built-in plug-ins."""
    path = importlib.import_module(package).__path__
    hidden = set(leave_out)
    return sorted(m.name for m in pkgutil.iter_modules(path) if m.name not in hidden and not m.name.startswith("_"))


def class_in_module(name: str, base: type) -> type[Any] | None:
    """The first class that a module defines itself and that derives from `base`; None if there is none.

    Args:
        name: full name of the module.
        base: what the class derives from; abstract classes do not count.
    """
    module = importlib.import_module(name)
    here = [c for c in vars(module).values() if inspect.isclass(c) and c.__module__ == module.__name__]
    return next((c for c in here if issubclass(c, base) and not inspect.isabstract(c)), None)


def entry_points(group: str) -> dict[str, importlib.metadata.EntryPoint]:
    """Entry points that installed packages add to a group, by name."""
    return {point.name: point for point in importlib.metadata.entry_points(group=group)}


def module_from_file(path: str | Path) -> ModuleType:
    """Imports a Python file that is in no package.

    Args:
        path: the file; its folder is importable while it runs.

    Raises:
        FileNotFoundError: if there is no such file.
    """
    file = Path(path).resolve()
    if not file.is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r}: check the path.")
    name = f"autoglyph_file_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ValueError(f"{str(path)!r} is not a Python file: give a file that ends in .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, str(file.parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(file.parent))
    return module


def attribute_of_file(reference: str, default: str) -> Any:
    """The value that "file.py" or "file.py:NAME" refers to.

    Args:
        reference: path, with the name behind a colon where it is not the default one.
        default: name to read where the reference gives none.

    Raises:
        ValueError: if the file does not define the name.
    """
    path, _, name = reference.partition(".py")
    name = name.removeprefix(":") or default
    module = module_from_file(path + ".py")
    if not hasattr(module, name):
        raise ValueError(f"{path}.py defines no {name}: add it, or name another one as {path}.py:NAME.")
    return getattr(module, name)
