"""Commands that only list start at once: they import nothing heavy, not even NumPy."""

import subprocess
import sys
from pathlib import Path

import pytest

from autoglyph.experiments.store import Store

HEAVY = ["numpy", "pyglove", "tensorflow", "keras", "ray", "pandas", "plotly", "matplotlib", "sklearn"]
PROGRAM = f"""
import sys
from autoglyph.experiments import cli
code = cli.run(sys.argv[1:])
print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize("arguments", [["--help"], ["runs"], ["runs", "--json"], ["search", "--help"]])
def test_light_commands_import_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    Store(tmp_path / "autoglyph.db", create=True).close()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stderr.strip() == "[]"


def test_importing_any_area_loads_no_framework(tmp_path: Path) -> None:
    program = (
        "import sys, autoglyph.search_spaces.space, autoglyph.algorithms, autoglyph.hardware_models, "
        "autoglyph.child_programs, autoglyph.experiments.search, autoglyph.experiments.replaying.replayed; "
        "print([m for m in ('tensorflow', 'keras', 'ray', 'pandas', 'plotly', 'matplotlib', 'sklearn') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
