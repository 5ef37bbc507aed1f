"""An expression as a Python file that needs Keras and TensorFlow and nothing of this project.

The file holds the expression as code traced from a checked program (`keras_code`), and around it a Keras layer, an
optimizer or a wrapper of layers, registered so that a saved model that uses it loads where the file is imported.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
import keyword
import re
import tempfile
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoglyph.child_programs.expression_layers.keras_code import Code, keras_code
from autoglyph.search_spaces.expressions.optimizers import DECAY_M, DECAY_SLOW, DECAY_V
from autoglyph.search_spaces.expressions.program import Program, to_rows
from autoglyph.search_spaces.expressions.text import to_text

SUFFIX = ".py"
_TEMPLATES = {"activation": "activation", "optimizer": "update_rule", "backprop": "propagation_rule"}
_USES = {
    "activation": "keras.layers.Dense(64, activation={function}), or {name}() as a layer with trainable betas.",
    "update_rule": 'model.compile(optimizer={name}(learning_rate=0.01), loss="mse").',
    "propagation_rule": '{name}([keras.layers.Dense(64, "tanh"), keras.layers.Dense(10)]) as a layer.',
}
_AVERAGES = {
    "m": ((1, DECAY_M), {"m", "sign_m", "adam"}),
    "v": ((2, DECAY_V), {"v", "adam", "rmsprop"}),
    "gamma": ((3, DECAY_V), {"gamma"}),
    "velocity": ((1, DECAY_M), {"velocity"}),
    "mean_square": ((2, DECAY_M), {"mean_square"}),
    "slow": ((1, DECAY_SLOW), {"blend"}),
}
_LINE = 110


@dataclass(frozen=True)
class StandaloneFile:
    """Source of a file and the names in it.

    Attributes:
        source: of the file, Python.
        class_name: layer, optimizer or wrapper of layers.
        function_name: the expression itself.
        registered_name: what saved models call the class.
        reads: arguments of the expression.
    """

    source: str
    class_name: str
    function_name: str
    registered_name: str
    reads: tuple[str, ...]


def standalone_file(program: Program, name: str) -> StandaloneFile:
    """Writes an expression as a file.

    Args:
        program: of one of the three domains.
        name: what to call it; the names in the file follow from it.

    Raises:
        ValueError: if the program names what there is not.
    """
    code = keras_code(program)
    function = _identifier(name)
    class_name = "".join(part[:1].upper() + part[1:] for part in function.split("_"))
    if class_name == function:
        class_name += "Class"
    digest = hashlib.sha256(program.vocabulary.encode() + to_rows(program).tobytes()).hexdigest()[:8]
    package = f"autoglyph_{digest}"
    template = _TEMPLATES[program.vocabulary.partition("_")[0]]
    text = (
        importlib.resources.files("autoglyph.child_programs.expression_layers")
        .joinpath("templates", f"{template}.py")
        .read_text("utf-8")
    )
    text = _with_expression(text, code)
    text = re.sub(r"^READS = .*$", f"READS = {code.reads!r}".replace("'", '"'), text, flags=re.MULTILINE)
    text = re.sub(r"^AVERAGES = \{.*?\}", f"AVERAGES = {_averages(code)}", text, flags=re.MULTILINE)
    uses = _USES[template].format(name=class_name, function=function)
    summary = _wrapped(to_text(program))
    title = re.sub(r"[^A-Za-z0-9_:.-]+", "_", name)
    documentation = (
        f"{title}: {summary}\n\nWritten by Autoglyph; needs Keras and TensorFlow alone. Use it as\n{uses}\n"
        "Models saved with it load with keras.models.load_model once this file is imported.\n"
    )
    text = text.replace("DOCUMENTATION.", documentation, 1).replace("SUMMARY", summary).replace("PACKAGE", package)
    text = re.sub(r"\bFoundClass\b", class_name, re.sub(r"\bfound_function\b", function, text))
    return StandaloneFile(text, class_name, function, f"{package}>{class_name}", code.reads)


def load_standalone(file: StandaloneFile) -> Any:
    """The classes and functions of a file, as a module; equal files give the same module.

    Importing TensorFlow, this belongs into the process that trains.
    """
    return _module(file.source, file.function_name)


@functools.cache
def _module(source: str, name: str) -> types.ModuleType:
    module = types.ModuleType(f"autoglyph_standalone_{name}")
    exec(compile(source, f"<{name}{SUFFIX}>", "exec"), module.__dict__)  # traced from checked names, never read in
    return module


def check_standalone_path(path: str | Path) -> Path:
    """The path as one that a file can be written to and imported from.

    Raises:
        ValueError: in one sentence that names the fix, if the name or the folder does not fit.
    """
    file = Path(path)
    if file.suffix != SUFFIX or not file.stem.isidentifier() or keyword.iskeyword(file.stem):
        raise ValueError(f"Cannot export to {str(path)!r}: give a name that Python can import, such as found.py.")
    if not file.parent.is_dir():
        raise ValueError(f"Cannot export to {str(path)!r}: make the folder {str(file.parent)!r} first.")
    if file.is_dir():
        raise ValueError(f"Cannot export to {str(path)!r}: it is a folder.")
    return file


def write_standalone(file: StandaloneFile, path: str | Path) -> Path:
    """Writes the file, whole or not at all.

    Raises:
        ValueError: in one sentence that names the fix, if the path does not fit or cannot be written.
    """
    place = check_standalone_path(path)
    try:
        with tempfile.TemporaryDirectory(prefix=f".{place.stem}-", dir=place.parent) as folder:
            temporary = Path(folder) / place.name
            temporary.write_text(file.source, encoding="utf-8")
            temporary.replace(place)
    except OSError as error:
        raise ValueError(
            f"Could not write {str(place)!r} ({error.strerror or error}): free some space or choose another folder."
        ) from error
    return place


def _with_expression(text: str, code: Code) -> str:
    """The template with the expression in place of its own, which is a function of one line."""
    head, _, rest = text.partition("def found_function(")
    signature, _, rest = rest.partition("\n")
    docstring, _, rest = rest.partition("\n")
    _, _, rest = rest.partition("\n")
    if not signature.startswith("x, beta"):
        signature = f"{', '.join(code.reads)}):"
    body = "".join(f"    {line}\n" for line in code.lines)
    return f"{head}def found_function({signature}\n{docstring}\n{body}{rest}"


def _averages(code: Code) -> str:
    read = [(name, what) for name, (what, by) in _AVERAGES.items() if not by.isdisjoint(code.reads)]
    return "{" + ", ".join(f'"{name}": {what}' for name, what in read) + "}"


def _identifier(name: str) -> str:
    """The name in lower case with underscores, as Python can use it."""
    found = re.sub(r"[^a-z0-9]+", "_", name.rpartition(":")[2].lower()).strip("_")
    if not found or found[0].isdigit():
        found = f"found_{found}".rstrip("_")
    return f"{found}_rule" if keyword.iskeyword(found) or found in _TAKEN else found


_TAKEN = frozenset({"keras", "ops", "tf", "math", "x", "beta", "g", "m", "v", "drop", "inputs"})


def _wrapped(text: str) -> str:
    return text if len(text) <= _LINE - 30 else text[: _LINE - 33] + "..."
