"""The pages under docs/: commands that exist with options that exist, pictures and links that are there."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from autoglyph.experiments import cli

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = sorted(DOCS.glob("*.md"))
README = (DOCS.parent / "README.md").read_text()


def commands(page: Path) -> list[str]:
    blocks = re.findall(r"```(?:console|bash)\n(.*?)```", page.read_text(), re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line.removeprefix("$ ") for line in lines if line.removeprefix("$ ").startswith("autoglyph ")]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_command_of_a_page_can_be_parsed(page: Path) -> None:
    group = typer.main.get_command(cli.make_app())
    for line in commands(page):
        arguments = shlex.split(line, comments=True)[1:]
        command = group
        while hasattr(command, "commands"):
            name = arguments.pop(0) if arguments and arguments[0] in command.commands else None
            if name is None:
                break
            command = command.commands[name]
        assert command is not group, line
        command.make_context(line, arguments)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_pictures_and_links_are_there(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_readme_leads_to_every_page() -> None:
    assert [page.name for page in PAGES if f"docs/{page.name}" not in README] == []
