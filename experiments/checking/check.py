"""The check of a domain: from its file to its objectives, each contract in turn."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autoglyph.experiments import domain as domains
from autoglyph.experiments.checking import space_contracts, worth_contracts
from autoglyph.experiments.checking.findings import BrokenContract, Finding, Report
from autoglyph.experiments.checking.source import Source
from autoglyph.experiments.checking.space_contracts import first_line
from autoglyph.experiments.checking.subject import Subject
from autoglyph.experiments.domain import Domain
from autoglyph.search_spaces import plugins

_LOADS = "The file defines a domain."
_NAMES = "Names are unique."


def check_domain(reference: str, *, seconds: float = 20.0, data: str | None = None) -> Report:
    """Holds a domain against the contracts that every domain keeps.

    Args:
        reference: see `load_domain`.
        seconds: after which a child program is stopped between two measurements.
        data: what it trains on, None for the domain's own.

    Returns:
        What was found; nothing is raised for a domain that breaks a contract.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if there is no built-in or installed domain of that name.
    """
    path, _, name = reference.partition(".py")
    source = None
    if ".py" in reference:
        if not Path(path + ".py").is_file():
            raise FileNotFoundError(f"There is no file {path + '.py'!r}: check the path.")
        source = Source(path + ".py", name.removeprefix(":") or "DOMAIN")
    else:
        source = _source_of(reference)
    report = Report(reference, None if source is None else source.path, [])
    domain = _kept(report, _LOADS, lambda: (reference, _load(reference, source)))
    if domain is None:
        return report
    subject = Subject(reference, domain, source, seconds, data or domain.data)
    _kept(report, _NAMES, lambda: (_unique_names(subject), True))
    for contract in space_contracts.CONTRACTS:
        if _kept(report, _title(contract), functools.partial(_alone, contract, subject)) is None:
            if contract in (space_contracts.compiles, space_contracts.decodes):
                return report
    found = [_kept(report, _title(c), functools.partial(c, subject)) for c in _WORTH]
    if all(part is not None for part in found):
        told = worth_contracts.objectives_are_reported
        _kept(report, _title(told), lambda: (told(subject, *found), True))
    return report


_WORTH: tuple[Callable[[Subject], tuple[str, Any]], ...] = (
    worth_contracts.scores,
    worth_contracts.costs,
    worth_contracts.trains,
)


def _alone(contract: Callable[[Subject], str], subject: Subject) -> tuple[str, bool]:
    """A contract that finds nothing for the ones after it."""
    return contract(subject), True


def _kept(report: Report, contract: str, judge: Callable[[], tuple[str, Any]]) -> Any:
    """What a contract gives, None if it is broken; the finding goes to the report."""
    try:
        note, found = judge()
    except BrokenContract as broken:
        report.findings.append(Finding(contract, broken.problem, broken.fix, broken.line))
        return None
    report.findings.append(Finding(contract, note=note))
    return found


def _load(reference: str, source: Source | None) -> Domain:
    try:
        return domains.load_domain(reference)
    except Exception as error:
        line = None if source is None else source.error_line(error)
        if source is None or line is not None or ".py" not in reference:
            raise BrokenContract(
                f"The file cannot be run ({type(error).__name__}: {first_line(error)}).",
                "mend this line, so that Python can import the file.",
                line,
            ) from error
        others = [(name, at) for name, at in source.other_domains() if name != source.name]
        if others:
            name, line = others[0]
            fix = f"name it {source.name}, or check {source.path}:{name}."
            raise BrokenContract(f"The file defines no {source.name}, but a domain {name!r}.", fix, line) from error
        problem = f"The file defines no {source.name}." if "defines no" in str(error) else f"{first_line(error)}."
        fix = f"add {source.name} = Domain(space=..., score=... or program=..., objectives=[...])."
        raise BrokenContract(problem, fix, source.domain_line) from error


def _source_of(reference: str) -> Source | None:
    """The file of a built-in or installed domain."""
    if reference in domains.built_in_names():
        module, _, name = f"autoglyph.experiments.domains.{reference}:DOMAIN".partition(":")
    else:
        points = plugins.entry_points("autoglyph.domains")
        if reference not in points:
            raise plugins.unknown_name("search space", reference, [*domains.built_in_names(), *points])
        module, name = points[reference].module, points[reference].attr
    try:
        file = importlib.import_module(module).__file__
    except Exception:
        return None  # the finding on loading says why
    return None if file is None else Source(file, name or "DOMAIN")


def _unique_names(subject: Subject) -> str:
    source, space = subject.source, subject.domain.space.name
    if source is not None:
        for name, first, second in source.duplicates():
            raise BrokenContract(
                f"The name {name!r} of line {first} is given again, which loses the first.",
                "give every name once.",
                second,
            )
        if ".py" in subject.reference and space in domains.built_in_names():
            raise BrokenContract(
                f"The space is named {space!r} like a built-in one.",
                "give it a name of its own, by which records and replays tell it apart.",
                source.space_line(space),
            )
    return f"the space is {space!r}"


def _title(contract: Callable[..., Any]) -> str:
    return (contract.__doc__ or "").partition("\n")[0]
