"""What is written for TensorBoard, read back by TensorBoard's own reader."""

import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autoglyph.experiments.run import Run
from autoglyph.experiments.views.progress import progress


@pytest.fixture
def accumulator(monkeypatch: pytest.MonkeyPatch) -> Any:
    """TensorBoard's reader without TensorFlow, by the switch that TensorBoard has for it."""
    monkeypatch.setitem(sys.modules, "tensorboard.compat.notf", types.ModuleType("notf"))
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    def read(folder: Path) -> Any:
        found = EventAccumulator(str(folder), size_guidance={"scalars": 0})
        found.Reload()
        return found

    return read


def test_curves_and_hyperparameters_can_be_read(
    toy: Path, run_cli: Callable[..., Any], accumulator: Callable[[Path], Any]
) -> None:
    from tensorboard.plugins.hparams import metadata

    arguments = ("--seed", 1, "--run", "r", "--tensorboard", "tb")
    assert run_cli("search", f"{toy}:TRAINED", "--trials", 12, *arguments).code == 0
    run = Run.open("r")
    for trial in range(len(run)):
        events = accumulator(Path(f"tb/r/trial-{trial:06d}"))
        curve = [(e.step, e.value) for e in events.Scalars("rung/quality")] if run.rungs[trial] else []
        assert curve == [(i, pytest.approx(rung["quality"])) for i, rung in enumerate(run.rungs[trial])]
        content = events.SummaryMetadata(metadata.SESSION_START_INFO_TAG).plugin_data.content
        chosen = metadata.parse_session_start_info_plugin_data(content).hparams
        assert chosen["width"].number_value == run.decisions(trial)["width"] and set(chosen) == set(
            run.decisions(trial)
        )
        content = events.SummaryMetadata(metadata.EXPERIMENT_TAG).plugin_data.content
        names = [i.name.tag for i in metadata.parse_experiment_plugin_data(content).metric_infos]
        assert names == (["final/quality"] if run.completed[trial] else [])
    search = accumulator(Path("tb/r/search"))
    made = progress(run)
    assert [e.step for e in search.Scalars("search/hypervolume")] == made.trials.tolist()
    assert search.Scalars("search/best_quality")[-1].value == pytest.approx(made.best[-1, 0])

    written = {p: p.stat().st_mtime_ns for p in Path("tb").glob("r/trial-*/*")}
    assert run_cli("resume", "r", "--trials", 15, "--tensorboard", "tb").code == 0
    assert {p: p.stat().st_mtime_ns for p in written} == written
    assert len(list(Path("tb/r").glob("trial-*"))) == 15 and len(list(Path("tb/r/search").iterdir())) == 1


def test_a_cheap_search_has_its_progress(
    toy: Path, run_cli: Callable[..., Any], accumulator: Callable[[Path], Any]
) -> None:
    output = run_cli("search", toy, "--trials", 50, "--run", "../up", "--tensorboard", "tb")
    assert output.code == 0
    search = accumulator(Path("tb/_up/search"))
    assert set(search.Tags()["scalars"]) == {"search/hypervolume", "search/best_quality", "search/best_price"}
    assert [p.name for p in Path("tb").iterdir()] == ["_up"] and "so far" in output.out


def test_a_folder_that_cannot_be_made_is_told(toy: Path, run_cli: Callable[..., Any]) -> None:
    Path("file").write_text("")
    output = run_cli("search", toy, "--trials", 5, "--tensorboard", "file")
    assert output.code == 2 and "--tensorboard" in output.err
