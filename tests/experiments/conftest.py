"""A toy domain in a file of its own, and the command line run in this process."""

import json
import signal
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from autoglyph.experiments import cli

TOY = """
import numpy as np
import pyglove as pg
from autoglyph.search_spaces import SearchSpace
from autoglyph.experiments import Domain, maximize, minimize

space = SearchSpace(
    "toy",
    pg.Dict(
        width=pg.oneof([8, 16, 32, 64]),
        rate=pg.floatv(0.0, 1.0),
        head=pg.oneof([pg.Dict(kind="flat"), pg.Dict(kind="deep", layers=pg.oneof([1, 2, 3]))]),
    ),
    individuals={"small": lambda: pg.Dict(width=8, rate=0.5, head=pg.Dict(kind="flat"))},
)

def score(candidates):
    width = candidates.column("width").astype(float)
    rate = candidates.column("rate")
    return {"quality": np.log2(width) - (rate - 0.3) ** 2, "price": width * (1 + rate)}

def train(candidate, *, seed, data):
    if candidate.width == 64 and candidate.rate > 0.5:
        raise RuntimeError("too wide <script>")
    for rung in range(2):
        yield {"quality": candidate.width * (rung + 1) + seed % 7 / 10}

DOMAIN = Domain(space=space, score=score, objectives=[maximize("quality"), minimize("price")])
TRAINED = Domain(space=space, program=train, objectives=[maximize("quality")])
"""


class Output(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def heed_interrupts() -> None:
    """For `preexec_fn`: what a script starts in the background ignores Ctrl-C, and so does all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "toy.py"
    path.write_text(textwrap.dedent(TOY))
    return path


@pytest.fixture
def run_cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., Output]:
    def run(*arguments: str | Path) -> Output:
        capsys.readouterr()
        code = cli.run([str(a) for a in arguments])
        captured = capsys.readouterr()
        return Output(code, captured.out, captured.err)

    return run
