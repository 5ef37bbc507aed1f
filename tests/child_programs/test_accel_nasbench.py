"""Accel-NASBench as a domain: regressions on its table."""

from pathlib import Path

import numpy as np
import pytest

from autoglyph.child_programs.accel_nasbench import (
    COLUMNS,
    AccelNasBenchTraining,
    load_accel_nasbench,
)
from autoglyph.search_spaces.spaces.efficientnet import SPACE

TABLE = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "accel_nasbench.csv"


@pytest.mark.skipif(not TABLE.is_file(), reason="needs ../shared/reference/accel_nasbench.csv, which is not here")
def test_it_predicts_networks_that_it_was_not_fitted_on() -> None:
    fitted = load_accel_nasbench(str(TABLE))
    errors = {name: surrogate.held_out for name, surrogate in fitted.surrogates.items()}
    assert all(error.networks > 450 for error in errors.values())
    assert errors["top1"].spearman > 0.98
    assert all(error.spearman > 0.9 for error in errors.values()), errors
    rows = SPACE.genome.random(1, np.random.default_rng(0))
    (measurement,) = AccelNasBenchTraining().run(SPACE.genome.decode(rows[0]), seed=0, data=fitted)
    assert set(measurement.values) == set(COLUMNS)
    assert 30 < measurement.values["top1"] < 70
    assert fitted.predict(rows)["top1"][0] == measurement.values["top1"]
    assert np.exp(fitted.surrogates["train_seconds"].predict(rows))[0] == measurement.values["train_seconds"]


def test_a_table_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    with pytest.raises(ValueError, match="There is no file"):
        load_accel_nasbench(str(path))
    header = "result_id,block_e,block_k,block_l,block_se,val_top1"
    path.write_text(f"{header}\n0,1-1-1-1-1-1-1,3-3-3-3-3-3-3,1-1-1-1-1-1-1,0-0-0-0-0-0-0,50\n")
    with pytest.raises(ValueError, match="no values of train_time"):
        load_accel_nasbench(str(path))
    path.write_text(
        f"{header},train_time,throughput_a100,throughput_3090,throughput_tpuv2,throughput_tpuv3\n"
        "0,1-1-1-1-1-1-1,3-3-3-3-3-3-3,1-1-1-1-1-1-1,0-0-0-0-0-0-0,50,soon,1,1,1,1\n"
    )
    with pytest.raises(ValueError, match="line 2: train_time is no positive number"):
        load_accel_nasbench(str(path))
