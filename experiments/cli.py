"""The command line: every file in `commands` is a command of its name.

A file has PANEL and ORDER and either `command`, a function, or `app`, a `typer.Typer` with commands of its own.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from autoglyph.experiments.store import StoreError
from autoglyph.search_spaces import plugins

BAD_INPUT, INTERRUPTED = 2, 130

_PACKAGE = "autoglyph.experiments.commands"


def make_app() -> typer.Typer:
    """The command-line application with all commands."""
    app = typer.Typer(
        name="autoglyph",
        help="Define a search space, search it against accuracy and latency, replay what was found in Keras.",
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def options(
        debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    ) -> None:
        if debug:
            os.environ["AUTOGLYPH_DEBUG"] = "1"

    modules = [importlib.import_module(f"{_PACKAGE}.{name}") for name in plugins.module_names(_PACKAGE)]
    for module in sorted(modules, key=lambda m: m.ORDER):
        name = module.__name__.rpartition(".")[2]
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name, rich_help_panel=module.PANEL)
        else:
            app.command(name=name, rich_help_panel=module.PANEL)(module.command)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line and exits: 0 done, 2 bad input, 130 interrupted, 1 a fault of the program."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Runs the command line.

    Args:
        arguments: what stands behind `autoglyph`.

    Returns:
        The exit code.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow reads it when it is imported
    try:
        code = make_app()(args=list(arguments) or ["--help"], prog_name="autoglyph", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except (KeyboardInterrupt, typer.Abort):
        print("autoglyph: interrupted.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, StoreError, OSError) as error:
        if os.environ.get("AUTOGLYPH_DEBUG"):
            raise
        print(f"autoglyph: {_sentence(error)}", file=sys.stderr)
        return BAD_INPUT
    except Exception as error:
        if hasattr(error, "format_message"):  # typer's own errors of usage
            print(f"autoglyph: {_sentence(error)} See {_help_of(error)}.", file=sys.stderr)
            return BAD_INPUT
        if os.environ.get("AUTOGLYPH_DEBUG"):
            raise
        print(
            f"autoglyph: fault in the program ({type(error).__name__}: {error}); --debug shows where.",
            file=sys.stderr,
        )
        return 1


def _help_of(error: Exception) -> str:
    context = getattr(error, "ctx", None)
    return f"`{context.command_path if context is not None else 'autoglyph'} --help`"


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        where = f" {error.filename!r}" if error.filename else ""
        return f"{error.strerror}{where}: check the path, its permissions and the free space."
    text = error.format_message() if hasattr(error, "format_message") else str(error)
    sentence = " ".join(text.split())
    return sentence if sentence.endswith((".", "!", "?")) else sentence + "."


if __name__ == "__main__":
    main()
