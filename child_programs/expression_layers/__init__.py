"""Expressions as Keras layers, optimizers and wrappers of layers, in files that load without this project."""

from autoglyph.child_programs.expression_layers.keras_code import Code, keras_code
from autoglyph.child_programs.expression_layers.standalone_file import (
    StandaloneFile,
    check_standalone_path,
    load_standalone,
    standalone_file,
    write_standalone,
)

__all__ = [
    "Code",
    "StandaloneFile",
    "check_standalone_path",
    "keras_code",
    "load_standalone",
    "standalone_file",
    "write_standalone",
]
