"""What is shipped is what is tested: the wheel works in a clean environment, from another folder."""

import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_wheel_runs_from_the_root_folder(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for area in (ROOT / "typings" / "autoglyph").iterdir():
        shutil.copytree(area.resolve(), source / area.name, ignore=shutil.ignore_patterns("__pycache__"))
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(source)]
    done = subprocess.run(build, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("autoglyph-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert any(n.endswith("hardware_models/devices/tpu_v3.toml") for n in names)
    assert any(n.endswith("surrogates/accel_nasbench.json") for n in names)
    assert not any(n.startswith(("autoglyph/tests", "tests", "typings")) for n in names)

    # The clean environment sees the dependencies of this one, but not this checkout.
    clean = tmp_path / "clean"
    venv.create(clean, with_pip=False)
    (site,) = clean.glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    dependencies = next(p for p in sys.path if p.endswith("site-packages"))
    program = (
        f"import sys; sys.path.append({dependencies!r}); import autoglyph.experiments.cli as c; "
        "print(c.__file__); c.main(['devices', '--json'])"
    )
    done = subprocess.run(
        [clean / "bin" / "python", "-I", "-c", program], cwd="/", check=True, capture_output=True, text=True
    )
    assert str(site) in done.stdout.splitlines()[0]
    assert '"tpu_v3"' in done.stdout
