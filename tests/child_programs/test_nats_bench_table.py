"""The table of NAS-Bench-201 from the official library's archives, written here with its own classes."""

import csv
from pathlib import Path
from typing import Any

import pytest
from nats_bench import api_utils

from autoglyph.child_programs.nats_bench_table import RUNGS, main
from autoglyph.child_programs.tabular import load_table
from autoglyph.search_spaces.spaces.nasbench201 import SPACE, cell_text

SEEDS = (777, 888)


def trained(cell: str, number: int, epochs: int, accuracy: float) -> dict[str, Any]:
    """What the archive keeps of a cell that was trained from two seeds, one point apart."""
    results = api_utils.ArchResults(number, cell)
    for name, part in (("cifar10-valid", "x-valid"), ("cifar10", "ori-test")):
        for seed in SEEDS:
            config = {"arch_str": cell, "channel": 16, "num_cells": 5, "class_num": 10}
            losses = dict.fromkeys(range(epochs), 0.5)
            one = api_utils.ResultsCount(name, None, losses, losses, 1.0, 1.0, config, seed, epochs, [0.01])
            one.update_train_info(losses, losses, losses, losses)
            keys = [f"{part}@{epoch}" for epoch in range(epochs)]
            reached = dict.fromkeys(keys, 1.0) | {keys[-1]: accuracy + (seed == SEEDS[1])}
            one.update_eval(reached, dict.fromkeys(keys, 0.5), dict.fromkeys(keys, 1.0))
            results.update(name, seed, one)
    state: dict[str, Any] = results.state_dict()
    return state


@pytest.fixture(scope="module")
def cells() -> list[str]:
    return [cell_text(SPACE.genome.decode(row)) for row in SPACE.genome.rows_at(40, 43)]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, cells: list[str]) -> Path:
    """An archive of three cells, the last of which was not trained."""
    infos = {
        i: {"12": trained(cell, i, 12, 60.0 + i), "200": trained(cell, i, 200, 90.0 + i)}
        for i, cell in enumerate(cells[:2])
    }
    whole = {"meta_archs": cells, "arch2infos": infos, "evaluated_indexes": [0, 1]}
    path = tmp_path_factory.mktemp("archive") / "cells.pickle"
    api_utils.pickle_save(whole, path)
    return path.with_suffix(".pickle.pbz2")


def test_a_table_holds_the_means_over_seeds(archive: Path, cells: list[str], tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    assert main([str(archive), "--output", str(path)]) == 0
    table = load_table(str(path), "arch_str", list(RUNGS), cell_text)
    assert dict(table.values) == {cells[0]: (60.5, 90.5), cells[1]: (61.5, 91.5)}
    with path.open(newline="") as file:
        assert next(csv.reader(file)) == ["arch_str", *RUNGS]


def test_a_folder_of_single_cells_is_read_too(archive: Path, cells: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "simple"
    folder.mkdir()
    api_utils.pickle_save({"meta_archs": cells[:2]}, folder / "meta.pickle")
    for i, cell in enumerate(cells[:2]):
        both = {"12": trained(cell, i, 12, 60.0 + i), "200": trained(cell, i, 200, 90.0 + i)}
        api_utils.pickle_save(both, folder / f"{i:06d}.pickle")
    path = tmp_path / "table.csv"
    assert main([str(folder), "--output", str(path)]) == 0
    assert len(load_table(str(path), "arch_str", list(RUNGS), cell_text).values) == 2


def test_what_is_no_archive_is_refused(tmp_path: Path, cells: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none.pbz2"), "--output", str(tmp_path / "t.csv")]) == 2
    assert "There is no archive" in capsys.readouterr().err
    (tmp_path / "text.pickle.pbz2").write_text("no archive")
    assert main([str(tmp_path / "text.pickle.pbz2"), "--output", str(tmp_path / "t.csv")]) == 2
    assert "is no archive of NATS-Bench" in capsys.readouterr().err
    api_utils.pickle_save({"meta_archs": cells, "arch2infos": {}, "evaluated_indexes": []}, tmp_path / "empty.pickle")
    assert main([str(tmp_path / "empty.pickle.pbz2"), "--output", str(tmp_path / "t.csv")]) == 2
    assert "holds no trained cell" in capsys.readouterr().err
    assert not (tmp_path / "t.csv").exists()
