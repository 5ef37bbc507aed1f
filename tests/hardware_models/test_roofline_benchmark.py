"""The benchmark runs, and populations are much faster than one network after the other."""

from __future__ import annotations

import json

from autoglyph.experiments.benchmarks import roofline


def test_the_benchmark_runs() -> None:
    result = roofline.run(quick=True)
    assert result["bench"] == "roofline"
    assert json.loads(json.dumps(result)) == result
    assert result["figures"]["networks_per_s"] > 0
    assert result["ratios"]["efficientnet_vs_one_by_one"] > 1
    assert result["ratios"]["efficientnet_x_known_vs_one_by_one"] > 1
