"""Importing the area costs nothing: heavy packages are left for the functions that need them."""

import subprocess
import sys

import autoglyph.child_programs as area

PROGRAM = """
import sys, time
import numpy, pyglove
started = time.process_time()
import autoglyph.child_programs
for name in autoglyph.child_programs.__all__:
    getattr(autoglyph.child_programs, name)
print(time.process_time() - started)
print([name for name in ("tensorflow", "keras", "sklearn", "scipy", "pandas") if name in sys.modules])
"""


def test_every_public_name_is_found_in_a_tenth_of_a_second() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    seconds, heavy = done.stdout.splitlines()
    assert heavy == "[]"
    assert float(seconds) < 0.1


def test_public_names_and_their_homes_agree() -> None:
    assert sorted(area.__all__) == sorted(area._HOMES)
