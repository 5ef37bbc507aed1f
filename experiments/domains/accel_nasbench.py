"""Accel-NASBench: EfficientNet stages scored by regressions on trained and measured networks, in an instant.

`--data TABLE.csv` names the table of the benchmark. Beside "top1" there are "train_seconds" and the images a second
on four chips, such as `--objective max:top1 --objective max:a100_images_per_s`.
"""

from autoglyph.child_programs.accel_nasbench import AccelNasBenchTraining, load_accel_nasbench
from autoglyph.experiments.domain import Domain
from autoglyph.experiments.objectives import maximize
from autoglyph.search_spaces.spaces.efficientnet import SPACE

DOMAIN = Domain(
    space=SPACE,
    objectives=[maximize("top1"), maximize("a100_images_per_s")],
    program=AccelNasBenchTraining(),
    data="accel_nasbench.csv",
    load=lambda name, seed, program: load_accel_nasbench(name),
    sources={"trained": "regressions on Accel-NASBench: ImageNet top-1 after a 16-epoch proxy training"},
)
