"""The benchmark of the compiled space runs and its figures agree with one another.

How large they are is for the command to say: a test would measure the machine.
"""

from __future__ import annotations

import pytest

from autoglyph.experiments.benchmarks import genome


@pytest.mark.slow
def test_the_benchmark_measures_what_it_says() -> None:
    result = genome.run(quick=True)
    assert result["bench"] == "genome"
    ratios, figures = result["ratios"], result["figures"]
    assert ratios["batches_of_512"] > ratios["one_at_a_time"] > 1
    pyglove = figures["pyglove_trials_per_s"]
    assert ratios["one_at_a_time"] == pytest.approx(figures["one_at_a_time_trials_per_s"] / pyglove)
    assert ratios["batches_of_512"] == pytest.approx(figures["batches_of_512_trials_per_s"] / pyglove)
    assert figures["mutate_of_512_us"] < 512 * figures["mutate_us"]
