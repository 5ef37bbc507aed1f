"""The Evolved Transformer's search space: perplexity of trained children, and what the networks cost.

`--data` names a sequence task, two files aligned line by line ("SOURCE:TARGET") or a two-column .tsv file. Costs are
those of one sentence pair of 64 tokens each at the size of the base models; parameters count the shared embeddings.
"""

from autoglyph.child_programs.sequence_to_sequence import SequenceToSequence
from autoglyph.experiments.domain import Domain
from autoglyph.experiments.objectives import maximize
from autoglyph.search_spaces.spaces.evolved_transformer import SPACE

DOMAIN = Domain(
    space=SPACE,
    objectives=[maximize("neg_log_perplexity")],
    program=SequenceToSequence(),
    device="tpu_v3:chip",
    data="reversal",
    load=lambda name, seed, program: program.load(name, seed),
    sources={"trained": "validation log-perplexity of a small copy, trained for few steps"},
)
