"""`autoglyph check` and `autoglyph new`: what is wrong with a domain is named with its line and its fix."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from autoglyph.algorithms import catalog
from autoglyph.experiments.domain import load_domain
from autoglyph.hardware_models import load_device

GOOD = """\
import numpy as np
import pyglove as pg
from autoglyph.search_spaces import SearchSpace
from autoglyph.experiments import Domain, maximize, minimize

space = SearchSpace(
    "mine",
    pg.Dict(width=pg.oneof([16, 32, 64]), rate=pg.floatv(0.0, 1.0)),
    individuals={"small": lambda: pg.Dict(width=16, rate=0.5)},
)

def score(candidates):
    return {"quality": candidates.column("width") * 1.0, "price": candidates.column("rate")}

def train(candidate, *, seed, data):
    for rung in range(2):
        yield {"quality": candidate.width * rung, "price": 1.0}

DOMAIN = Domain(
    space=space,
    score=score,
    objectives=[
        maximize("quality"),
        minimize("price"),
    ],
)
"""
TRAINED = GOOD.replace("    score=score,\n", "    program=train,\n    rungs=[1, 2],\n    load=lambda n, s, p: None,\n")


def line_of(text: str, part: str) -> int:
    return next(i for i, line in enumerate(text.splitlines(), start=1) if part in line)


FAULTS = {
    "no DOMAIN": (GOOD.replace("DOMAIN = ", "domain = "), "domain = Domain", "no DOMAIN.*'domain'", "name it DOMAIN"),
    "no domain at all": (GOOD.partition("DOMAIN = ")[0] + "pass\n", "pass", "no DOMAIN", r"add DOMAIN = Domain\("),
    "cannot be imported": ("import no_such_module_here\n" + GOOD, "no_such", "cannot be run", "mend this line"),
    "no Python": (GOOD.replace("def score(candidates):", "def score(candidates)"), "def score", "cannot be run",
        "mend"),
    "nothing decided": (GOOD.replace("pg.oneof([16, 32, 64])", "16").replace("pg.floatv(0.0, 1.0)", "0.5"),
        "space = SearchSpace", "does not compile|Nothing is decided", r"pg\.oneof"),
    "cannot decode": (
        GOOD.replace("space = SearchSpace", "class Positive(pg.Object):\n    width: int\n\n"
            "    def _on_bound(self):\n        super()._on_bound()\n        if pg.is_deterministic(self) and "
            "self.width > 16:\n            raise ValueError('too wide')\n\nspace = SearchSpace").replace(
            "pg.Dict(width=pg.oneof([16, 32, 64])", "pg.Dict(width=Positive(pg.oneof([16, 32, 64]))"),
        "raise ValueError('too wide')", "does not decode.*too wide", "every combination"),
    "foreign individual": (GOOD.replace("lambda: pg.Dict(width=16, rate=0.5)", "lambda: 3"), "space = SearchSpace",
        "'small' is a int", "value of the space's kind"),
    "lost individual": (GOOD.replace('    individuals={', '    individuals={"small": None,\n      '),
        '"small": lambda', "'small' of line 9 is given again", "every name once"),
    "two functions of a name": (GOOD.replace("def train", "def score"), "def score(candidate,", "loses the first",
        "every name once"),
    "name of a built-in": (GOOD.replace('"mine"', '"efficientnet"'), "space = SearchSpace", "like a built-in one",
        "name of its own"),
    "score of a wrong length": (GOOD.replace('candidates.column("rate")}', "np.ones(3)}"), "def score",
        "'price' as float64 of shape", "one number for each"),
    "score of no metrics": (GOOD.replace('return {"quality"', 'x = {"quality"'), "def score", "NoneType", "return"),
    "score that fails": (GOOD.replace('.column("rate")', '.column("rat")'), 'column("rat")', "did you mean 'rate'",
        "batch of any size"),
    "objective never scored": (GOOD.replace('minimize("price")', 'minimize("prise")'), 'minimize("prise")',
        "needs 'prise', which nothing reports; reported are price, quality", "let the score report"),
    "objective twice": (GOOD.replace('minimize("price")', 'maximize("quality" "")'), 'quality" ""',
        "listed twice", "once"),
    "objective of a wrong kind": (GOOD.replace('minimize("price")', '"price"'), '        "price"', "is a str",
        r'maximize\("metric"\)'),
    "nothing judges": (GOOD.replace("    score=score,\n", ""), "DOMAIN = Domain", "what an individual is worth",
        "score=..., program=..."),
    "program that yields nothing": (TRAINED.replace("range(2)", "range(0)"), "def train", "yields nothing", "yield {"),
    "program that returns": (TRAINED.replace("        yield", "        return"), "def train", "returns dict",
        "yield {"),
    "objective never reported": (TRAINED.replace('minimize("price")', 'minimize("size")'), 'minimize("size")',
        "needs 'size', which nothing reports", "let the program report 'size'"),
    "rungs that descend": (TRAINED.replace("[1, 2]", "[2, 1]"), "rungs=", "do not ascend", "from small to large"),
    "more rungs than measurements": (TRAINED.replace("[1, 2]", "[1, 2, 3]"), "def train",
        "2 measurements for 3 rungs", "once for each rung"),
    "program of a wrong signature": (TRAINED.replace("*, seed, data", "seed"), "def train", "cannot be called",
        "def train"),
    "program that fails": (TRAINED.replace("candidate.width * rung", "candidate.wide * rung"), "candidate.wide",
        "fails on 3 random candidates", "mend this line"),
    "data that is not there": (TRAINED.replace("    load=lambda n, s, p: None,\n", "    data='none.npz',\n"),
        "data='none.npz'", "cannot be loaded", "--data"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_domain_is_refused_with_the_line_and_the_fix(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_cli: Callable
) -> None:
    import re

    monkeypatch.chdir(tmp_path)
    text, where, problem, fix = FAULTS[fault]
    Path("mine.py").write_text(text)
    found = run_cli("check", "mine.py", "--json")
    assert found.code == 2 and not found.json["ok"], found
    lines = text.splitlines()
    at = (
        max(i for i, line in enumerate(lines, 1) if where in line)
        if fault == "lost individual"
        else line_of(text, where)
    )
    (broken, *_) = [c for c in found.json["contracts"] if not c["ok"]]
    assert broken["line"] == at, broken
    assert re.search(problem, broken["problem"]) and re.search(fix, broken["fix"]), broken
    assert f"mine.py:{at}: {broken['problem']} Fix: " in found.err and "Traceback" not in found.err


@pytest.mark.parametrize("text", [GOOD, TRAINED])
def test_a_right_domain_keeps_all_contracts(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_cli: Callable
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(text)
    found = run_cli("check", "mine.py", "--json")
    assert found.code == 0 and found.json["ok"] and not found.err, found
    assert len(found.json["contracts"]) == 11
    shown = run_cli("check", "mine.py")
    assert shown.code == 0 and "broken" not in shown.out


def test_equal_candidates_are_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_cli: Callable) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(GOOD.replace("[16, 32, 64]", "[16, 32, 32]"))
    found = run_cli("check", "mine.py")
    assert found.code == 0 and "equal candidates at 'width'" in " ".join(found.out.split())


@pytest.mark.parametrize("name", ["accelerator", "mesh_layout"])
def test_built_in_domains_keep_their_contracts(name: str, run_cli: Callable) -> None:
    found = run_cli("check", name, "--json")
    assert found.code == 0, found.err


def test_what_is_not_there_cannot_be_checked(tmp_path: Path, run_cli: Callable) -> None:
    assert "check the path" in run_cli("check", tmp_path / "nothing.py").err
    assert "did you mean 'efficientnet'" in run_cli("check", "eficientnet").err


def test_a_new_domain_passes_its_check_and_is_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_cli: Callable
) -> None:
    monkeypatch.chdir(tmp_path)
    made = run_cli("new", "my_domain")
    assert made.code == 0 and "autoglyph check my_domain.py" in made.out
    before = Path("my_domain.py").read_text()
    assert run_cli("check", "my_domain.py").code == 0
    found = run_cli("search", "my_domain.py", "--trials", "60", "--json")
    assert found.code == 0 and len(found.json["front"]) > 1, found.err
    trained = ("--accuracy", "trained", "--hurdles", "asha", "--trials", "12", "--json")
    assert run_cli("search", "my_domain.py", *trained).code == 0
    again = run_cli("new", "my_domain.py")
    assert again.code == 2 and "already" in again.err and Path("my_domain.py").read_text() == before
    for name, message in (("My-Domain", "small letters"), ("efficientnet", "built-in")):
        refused = run_cli("new", name)
        assert refused.code == 2 and message in refused.err


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package on sys.path as an installer leaves it: its module and the metadata of its entry points."""
    site, here = tmp_path / "site", Path(__file__).parents[2]
    (site / "their_plugins").mkdir(parents=True)
    (site / "their_plugins" / "__init__.py").write_text("")
    (site / "their_plugins" / "domain.py").write_text(GOOD.replace('"mine"', '"theirs"'))
    (site / "their_plugins" / "algorithm.py").write_text((here / "algorithms" / "random.py").read_text())
    chip = (here / "hardware_models" / "devices" / "tpu_v3.toml").read_text()
    (site / "their_plugins" / "their_chip.toml").write_text(chip)
    (site / "their_plugins" / "device.py").write_text(
        "from importlib import resources\nCHIP = resources.files('their_plugins').joinpath('their_chip.toml')\n"
    )
    metadata = site / "their_plugins-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: their-plugins\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[autoglyph.domains]\ntheirs = their_plugins.domain:DOMAIN\n"
        "[autoglyph.algorithms]\ntheir_random = their_plugins.algorithm:Random\n"
        "[autoglyph.devices]\ntheir_chip = their_plugins.device:CHIP\n"
    )
    monkeypatch.syspath_prepend(str(site))
    importlib.invalidate_caches()
    yield "theirs"
    for name in [n for n in sys.modules if n.startswith("their_plugins")]:
        del sys.modules[name]


def test_installed_packages_add_domains_algorithms_and_devices(
    installed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_cli: Callable
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_domain(installed).space.name == "theirs"
    assert "their_random" in catalog.available()
    assert (
        load_device("their_chip").peak_bytes_per_s if hasattr(load_device("their_chip"), "peak_bytes_per_s") else True
    )
    assert run_cli("check", installed).code == 0
    done = run_cli("search", installed, "--algorithm", "their_random", "--trials", "20", "--objective", "max:quality",
                   "--run", "r", "--json")  # fmt: skip
    assert done.code == 0 and done.json["trials"] == 20, done.err
    assert run_cli("resume", "r", "--trials", "25", "--json").code == 0
    assert "their_chip" in run_cli("devices", "--json").out
    priced = run_cli("search", "efficientnet", "--device", "their_chip", "--trials", "5", "--json")
    assert priced.code == 0, priced.err
