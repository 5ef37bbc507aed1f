"""Importing the area costs nothing: heavy packages are left for the functions that need them."""

import subprocess
import sys

import autoglyph.child_programs as area

PROGRAM = """
import sys
import autoglyph.child_programs
for name in autoglyph.child_programs.__all__:
    getattr(autoglyph.child_programs, name)
heavy = ("tensorflow", "keras", "sklearn", "scipy", "pandas", "ray", "plotly", "dash", "matplotlib")
print([name for name in heavy if name in sys.modules])
"""


def test_every_public_name_is_found_without_heavy_packages() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_public_names_and_their_homes_agree() -> None:
    assert sorted(area.__all__) == sorted(area._HOMES)
