"""Contracts of a domain's space: it compiles, decodes, round-trips, and knows its individuals."""

from __future__ import annotations

import numpy as np

from autoglyph.experiments.checking.findings import BrokenContract
from autoglyph.experiments.checking.subject import SAMPLES, Subject

_ENCODED = 4  # points: encoding walks the whole value


def compiles(subject: Subject) -> str:
    """The space compiles."""
    try:
        genome = subject.genome
    except Exception as error:
        raise BrokenContract(
            f"The space does not compile ({first_line(error)}).",
            "give SearchSpace a value with pg.oneof, pg.manyof, pg.permutate or pg.floatv in it.",
            subject.error_line(error) or subject.space_line,
        ) from error
    if genome.length == 0:
        raise BrokenContract(
            "Nothing is decided in the space: it has one point.",
            "put a pg.oneof, pg.manyof, pg.permutate or pg.floatv where a value should vary.",
            subject.space_line,
        )
    points = "infinitely many" if genome.size < 0 else f"{genome.size:,}"
    return f"{genome.length} decisions, {points} points"


def decodes(subject: Subject) -> str:
    """Its points decode to individuals."""
    for row in subject.rows:
        try:
            subject.genome.decode(row)
        except Exception as error:
            raise BrokenContract(
                f"A point of the space does not decode ({first_line(error)}).",
                "make every combination of candidates a value that can be built, or take out those that cannot.",
                subject.error_line(error) or subject.space_line,
            ) from error
    return f"{SAMPLES} random points"


def round_trips(subject: Subject) -> str:
    """Decisions survive PyGlove's DNA, JSON and encoding."""
    genome = subject.genome
    for row in subject.rows:
        for name, again in (
            ("pg.DNA", genome.from_dna(genome.to_dna(row))),
            ("JSON", genome.from_json(genome.to_json(row))),
        ):
            if not np.array_equal(again, row):
                raise BrokenContract(
                    f"A point of the space comes back from {name} as another one.",
                    "give every decision a place and candidates of its own.",
                    subject.space_line,
                )
    return f"{SAMPLES} random points{_encodes(subject)}"


def _encodes(subject: Subject) -> str:
    """Tells individuals back into decisions; a note on decisions with equal candidates, which are no fault."""
    genome = subject.genome
    if genome.template is None or any(c.kind == "custom" for c in genome.columns):
        return ""
    twice = [c.name for c in genome.columns if len(set(map(repr, c.candidates))) < len(c.candidates)]
    for row in subject.rows[:_ENCODED]:
        try:
            again = genome.encode(genome.decode(row))
        except Exception as error:
            raise BrokenContract(
                f"An individual cannot be told back into decisions ({first_line(error)}).",
                "let values of the space keep what they are made with, as pg.Object and pg.Dict do.",
                subject.error_line(error) or subject.space_line,
            ) from error
        other = [genome.columns[i].name for i in np.flatnonzero(again != row)]
        if other and not twice:
            raise BrokenContract(
                f"An individual is told back into another choice of {other[0]!r}.",
                "let every combination of candidates make a value of its own.",
                subject.space_line,
            )
    return f"; equal candidates at {twice[0]!r} cost trials" if twice else ""


def has_feasible_points(subject: Subject) -> str:
    """Feasibility is a mask, and some points are feasible."""
    rows = subject.genome.random(256, np.random.default_rng(1))
    try:
        mask = np.asarray(subject.domain.space.feasible(rows))
    except Exception as error:
        raise BrokenContract(
            f"The space's `feasible` fails ({first_line(error)}).",
            "let it take (n, L) rows and the genome, and return n booleans.",
            subject.error_line(error) or subject.space_line,
        ) from error
    if mask.shape != (len(rows),) or mask.dtype != np.bool_:
        raise BrokenContract(
            f"The space's `feasible` returns {mask.dtype} of shape {mask.shape} for {len(rows)} rows.",
            "return n booleans.",
            subject.space_line,
        )
    if not mask.any():
        raise BrokenContract(
            f"None of {len(rows)} random points is feasible.",
            "narrow the space itself, so that a search finds points it may try.",
            subject.space_line,
        )
    return f"{100 * mask.mean():.0f} % of {len(rows)} random points"


def knows_its_individuals(subject: Subject) -> str:
    """Named individuals can be made; a search starts from those that are points of the space."""
    space, outside = subject.domain.space, []
    for name in space.individual_names:
        try:
            individual = space.individual(name)
        except Exception as error:
            raise BrokenContract(
                f"The individual {name!r} cannot be made ({first_line(error)}).",
                "let its function return a value of the space's kind.",
                subject.error_line(error) or subject.space_line,
            ) from error
        try:
            subject.genome.encode(individual)
        except (ValueError, TypeError, KeyError):
            if not isinstance(individual, type(subject.genome.decode(subject.rows[0]))):
                raise BrokenContract(
                    f"The individual {name!r} is a {type(individual).__name__}, which the space does not hold.",
                    "let its function return a value of the space's kind, with candidates of the space.",
                    subject.space_line,
                ) from None
            outside.append(name)
    inside = f"{len(space.individual_names) - len(outside)} of {len(space.individual_names)} are points of the space"
    return inside + (f"; no search starts from {', '.join(outside)}" if outside else "")


def first_line(error: BaseException) -> str:
    """What an error says, in one line without its full stop."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].rstrip(".")


CONTRACTS = (compiles, decodes, round_trips, has_feasible_points, knows_its_individuals)
