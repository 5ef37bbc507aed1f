"""The benchmark of detection: equal cost, children that are known, and a table that is none."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pyglove as pg
import pytest

from autoglyph.child_programs.detection.object_detection import ObjectDetection
from autoglyph.experiments.benchmarks.detection import _COLUMNS, QUICK, WIDTH, _Children, _madds, _plain_of_equal_cost
from autoglyph.experiments.replaying.replayed import replay
from autoglyph.search_spaces.blocks.feature_pyramid import Fpn
from autoglyph.search_spaces.spaces.nas_fpn import SPACE


def test_the_plain_pyramid_makes_as_many_multiply_adds() -> None:
    program = ObjectDetection(width=WIDTH)
    found = program.proxy_of(SPACE.individual("r50-nas-fpn-7-256"), channels=1, classes=10)
    plain = _plain_of_equal_cost(found)
    assert isinstance(plain.pyramid, Fpn) and plain.head_filters == found.head_filters
    assert _madds(plain) == pytest.approx(_madds(found), rel=0.03)


def test_children_of_the_table_are_not_trained_again(tmp_path: Path) -> None:
    program = ObjectDetection(epochs=[QUICK.epochs], width=WIDTH, limit=1)
    data = program.load("digits_canvas", 0)
    rows = SPACE.genome.random(3, np.random.default_rng(0))
    genes = [json.dumps(SPACE.genome.to_json(row)) for row in rows]
    table = tmp_path / "children.csv"
    settings = _Children(program, data, None)._settings
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([_COLUMNS, *([settings, text, ap] for text, ap in zip(genes, (1.5, 4.5, 2.5), strict=True))])
        writer.writerow(["other settings", genes[0], 99.0])
    children = _Children(program, data, table)
    assert children(rows).tolist() == [[1.5], [4.5], [2.5]]
    assert pg.eq(children.best().pyramid, SPACE.genome.decode(rows[1]).pyramid)
    children.keep_best(tmp_path / "children.best.json")
    assert pg.eq(replay(str(tmp_path / "children.best.json")).individual, SPACE.genome.decode(rows[1]))


def test_other_tables_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    program = ObjectDetection(limit=1)
    with pytest.raises(ValueError, match="has no columns settings, genes, ap"):
        _Children(program, program.load("digits_canvas", 0), tmp_path / "other.csv")
