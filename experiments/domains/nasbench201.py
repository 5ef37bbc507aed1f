"""NAS-Bench-201: every cell was trained, so searches are tables of look-ups.

`--data TABLE.csv` names a table with the columns arch_str, acc12_cifar10_val (a rung of 12 epochs) and
acc200_cifar10_test_mean (200 epochs). `python -m autoglyph.child_programs.nats_bench_table ARCHIVE` writes it from the
official archive.
"""

from autoglyph.child_programs.nats_bench_table import NAME, RUNGS
from autoglyph.child_programs.tabular import TabularTraining, load_table
from autoglyph.experiments.domain import Domain
from autoglyph.experiments.objectives import maximize
from autoglyph.search_spaces.spaces.nasbench201 import SPACE, cell_text

DOMAIN = Domain(
    space=SPACE,
    objectives=[maximize("accuracy")],
    program=TabularTraining(amounts=list(RUNGS.values()), units="epochs"),
    data="nasbench201.csv",
    load=lambda name, seed, program: load_table(name, NAME, list(RUNGS), cell_text),
    sources={"trained": "looked up in NAS-Bench-201: CIFAR-10 validation accuracy after 12 epochs, test after 200"},
)
