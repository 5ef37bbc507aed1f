"""The README is run: its commands work in order, and print what it says they print, numbers of time aside."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from autoglyph.experiments import cli
from autoglyph.search_spaces import plugins

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
CONSOLE = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
NUMBER = re.compile(r"\d[\d,]*(\.\d+)?(e[-+]?\d+)?")
DRAWING = re.compile(r"[┤│└┌┐┘─━]|^\s*[\d.,\s-]+$")


def blocks() -> list[tuple[str, list[str]]]:
    found = []
    for block in CONSOLE:
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output.splitlines()))
    return found


def words(lines: list[str]) -> list[str]:
    """Lines without drawings and numbers, blanks folded: what does not depend on the machine."""
    kept = (" ".join(NUMBER.sub("#", line).split()) for line in lines if not DRAWING.search(line))
    return [line for line in kept if line and line != "..."]


@pytest.mark.slow
def test_commands_print_what_the_readme_shows(tmp_path: Path) -> None:
    assert len(blocks()) >= 5
    for command, output in blocks():
        program, *arguments = shlex.split(command)
        assert program == "autoglyph"
        done = run_in(tmp_path, arguments)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        printed = words(done.stdout.splitlines())
        for line in words(output):
            assert line in printed, f"{command}: the README shows {line!r}, printed was {printed}"


@pytest.mark.slow
def test_the_other_searches_run_at_a_small_size(tmp_path: Path) -> None:
    commands = re.findall(r"^autoglyph search .*$", README.replace("\\\n", " "), re.MULTILINE)
    assert len(commands) >= 4
    for command in commands:
        trials = "30" if "program." not in command else "2" if "--workers" in command else "1"
        done = run_in(tmp_path, [*shlex.split(command)[1:], "--trials", trials, "--json"])
        assert done.returncode == 0, f"{command}: {done.stderr}"


def test_the_space_of_one_file_runs(tmp_path: Path) -> None:
    (program,) = (p for p in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "DOMAIN" in p)
    first, _, _ = program.partition("\n")
    name, _, command = first.removeprefix("# ").partition("autoglyph ")
    (tmp_path / name.strip()).write_text(program)
    done = run_in(tmp_path, [*shlex.split(command), "--json"])
    assert done.returncode == 0, done.stderr


def run_in(folder: Path, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "autoglyph.experiments.cli", *arguments]
    return subprocess.run(program, cwd=folder, capture_output=True, text=True)


def test_every_command_is_documented() -> None:
    verbs = plugins.module_names(cli._PACKAGE)
    assert [v for v in verbs if f"autoglyph {v}" not in README] == []


def test_pictures_and_links_are_there() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
