"""The file that `autoglyph new` writes: a domain small enough to read, complete enough to search."""

from __future__ import annotations

import re
from pathlib import Path

from autoglyph.experiments import domain as domains

_NAME = re.compile(r"[a-z][a-z0-9_]*")

_TEMPLATE = '''"""The domain {name}.

    autoglyph check {name}.py
    autoglyph search {name}.py --trials 200
"""

import numpy as np
import pyglove as pg

from autoglyph.experiments import Domain, maximize, minimize
from autoglyph.search_spaces import SearchSpace

# What is searched: any PyGlove value in which pg.oneof, pg.manyof, pg.permutate or pg.floatv stand for choices.
space = SearchSpace(
    "{name}",
    pg.Dict(
        width=pg.oneof([16, 32, 64, 128]),
        depth=pg.oneof([1, 2, 3, 4]),
        rate=pg.floatv(0.0, 0.5),
    ),
    # Known individuals: a search starts from one with --set algorithm.start=small, where its algorithm can.
    individuals={{"small": lambda: pg.Dict(width=16, depth=1, rate=0.0)}},
)


def score(candidates):
    """A cheap judgement of a whole batch: one number for each candidate, here a formula."""
    width = candidates.column("width").astype(float)
    depth = candidates.column("depth").astype(float)
    rate = candidates.column("rate")
    return {{"quality": np.log2(width) * np.sqrt(depth) - 8 * (rate - 0.1) ** 2, "size": width * width * depth}}


def train(candidate, *, seed, data):
    """An expensive judgement of one candidate: a measurement after each rung. Searched with --accuracy trained."""
    rng = np.random.default_rng(seed)
    for epochs in (1, 2, 4):
        quality = np.log2(candidate.width) * np.sqrt(candidate.depth) * (1 - 0.5**epochs)
        yield {{"quality": float(quality + rng.normal(0, 0.01)), "size": candidate.width**2 * candidate.depth}}


DOMAIN = Domain(
    space=space,
    score=score,
    program=train,
    rungs=[1, 2, 4],  # epochs after which `train` yields: what --hurdles decides between
    load=lambda name, seed, program: None,  # `train` needs no data; leave this out to get images (--data digits)
    objectives=[maximize("quality"), minimize("size")],
)
'''


def write_domain(name: str, folder: Path) -> Path:
    """Writes a small commented domain file that passes its check.

    Args:
        name: of the domain and of the file.
        folder: where to write it.

    Returns:
        The file.

    Raises:
        ValueError: if the name is no name for a domain, or there is such a file, which is left as it is.
    """
    name = name.removesuffix(".py")
    if not _NAME.fullmatch(name):
        raise ValueError(f"Expected a name of small letters, digits and _, received {name!r}: write it as my_domain.")
    if name in domains.built_in_names():
        raise ValueError(f"There is a built-in domain {name!r}: choose another name.")
    path = folder / f"{name}.py"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(_TEMPLATE.format(name=name))
    except FileExistsError:
        raise ValueError(f"There is a file {str(path)!r} already: choose another name, or remove it.") from None
    return path
