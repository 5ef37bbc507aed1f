"""The Evolved Transformer's space: its size, its known individuals, what is feasible, budgets of parameters."""

from __future__ import annotations

import math

import numpy as np
import pyglove as pg
import pytest

from autoglyph.hardware_models import PopulationCost, estimate, load_device, record
from autoglyph.search_spaces import load_space
from autoglyph.search_spaces.architectures.evolved_transformer import DIMENSION, WIDEST
from autoglyph.search_spaces.architectures.parameter_budget import (
    PARAMETERS,
    TOLERANCE,
    count_weights,
    fit_to_budget,
)
from autoglyph.search_spaces.blocks.et_cell import unused
from autoglyph.search_spaces.blocks.et_layers import ATTEND, DEAD, DECODER_LAYERS, ENCODER_LAYERS

SPACE = load_space("evolved_transformer")


def test_the_size_is_the_papers() -> None:
    encoder = math.prod((2 * 25 * 10 * 4 * i) ** 2 * 3 for i in range(1, 7))
    decoder = math.prod((2 * 26 * 10 * 4 * i) ** 2 * 3 for i in range(1, 9))
    assert SPACE.size == encoder * decoder * 6 * 6
    assert pg.dna_spec(SPACE.value).space_size == SPACE.size
    assert f"{SPACE.size:.4e}" == "7.2959e+115"


def test_genes_are_in_the_papers_order() -> None:
    fields = ["input", "norm", "layer", "size", "activation"]
    block = [f"{side}.{field}" for side in ("left", "right") for field in fields] + ["combiner"]
    sides = {"encoder": 6, "decoder": 8}
    expected = [
        name
        for side, blocks in sides.items()
        for name in [*(f"{side}[{i}].{gene}" for i in range(blocks) for gene in block), f"{side}_cells"]
    ]
    assert [column.name for column in SPACE.genome.columns] == expected
    by_name = dict(zip(expected, SPACE.genome.cardinalities, strict=True))
    assert [by_name[f"decoder[4].left.{field}"] for field in fields] == [5, 2, 26, 10, 4]
    assert (by_name["encoder[0].right.layer"], by_name["encoder[0].combiner"], by_name["decoder_cells"]) == (25, 3, 6)


def test_the_vocabulary_of_layers() -> None:
    assert (len(ENCODER_LAYERS), len(DECODER_LAYERS)) == (25, 26)
    assert set(DECODER_LAYERS) - set(ENCODER_LAYERS) == {ATTEND}


PARAMETERS_OF = {
    "transformer_base": 61_147_136,
    "et_base": 64_064_512,
    "transformer_128": 7_029_248,
    "et_128": 7_242_496,
    "transformer_big": 210_374_656,
    "et_big": 221_714_432,
}


@pytest.mark.parametrize(("name", "parameters"), PARAMETERS_OF.items())
def test_parameters_of_the_published_networks(name: str, parameters: int) -> None:
    individual = SPACE.individual(name)
    assert individual.vocabulary == 33_288
    assert record(individual).parameters == count_weights(individual) == parameters


def test_the_128_dimensional_pair_has_about_seven_million() -> None:
    assert [f"{PARAMETERS_OF[n] / 1e6:.2f}" for n in ("transformer_128", "et_128")] == ["7.03", "7.24"]


@pytest.mark.parametrize("name", SPACE.individual_names)
def test_known_individuals_are_points_of_the_space_but_for_their_sizes(name: str) -> None:
    individual = SPACE.individual(name)
    genes = {"encoder", "encoder_cells", "decoder", "decoder_cells"}
    base = SPACE.individual("transformer_base")
    for field in set(individual.sym_keys()) - genes:
        individual.rebind({field: base.sym_getattr(field)}, raise_on_no_change=False)
    if name == "et-deep":
        assert (individual.encoder_cells, individual.decoder_cells) == (9, 10)
        individual.rebind(encoder_cells=6, decoder_cells=6)
    row = SPACE.genome.encode(individual)
    assert SPACE.feasible(row[None]).all()
    assert pg.eq(SPACE.genome.decode(row), individual)


def test_the_seed_has_inert_blocks_and_the_evolved_transformer_none() -> None:
    seed, evolved = SPACE.individual("transformer_base"), SPACE.individual("et_base")
    assert unused(seed.encoder) == unused(evolved.encoder) == [6]
    assert unused(seed.decoder) == unused(evolved.decoder) == [8]
    inert = [block for block in seed.decoder if (block.left.layer, block.right.layer) == ("identity", DEAD)]
    assert len(inert) == 4
    assert (seed.encoder_cells, evolved.encoder_cells, evolved.decoder_cells) == (6, 3, 4)
    kernels = [str(name) for name in record(seed).kernels["name"]]
    assert not any("block4" in name for name in kernels if name.startswith("encoder"))


def test_what_is_feasible_is_what_can_be_built() -> None:
    genome = SPACE.genome
    rows = genome.random(150, np.random.default_rng(1))
    feasible = SPACE.feasible(rows)
    reasons: set[str] = set()
    for row, expected in zip(rows, feasible, strict=True):
        try:
            count_weights(genome.decode(row))
        except ValueError as error:
            assert not expected, error
            reasons.add(str(error).split()[0])
        else:
            assert expected
    assert reasons == {"Both", "The", "Block"}, "dead blocks, blind decoders, hidden states too wide"
    assert 0.2 < feasible.mean() < 0.6


def test_a_dead_block_a_blind_decoder_and_a_wide_state_are_refused_in_a_sentence() -> None:
    individual = SPACE.individual("transformer_base")
    individual.encoder[5].left.rebind(layer=DEAD)
    with pytest.raises(ValueError, match="Both branches of block 6 are dead"):
        count_weights(individual)
    blind = SPACE.individual("transformer_base")
    blind.decoder[1].left.rebind(layer="identity")
    with pytest.raises(ValueError, match="never sees the source"):
        count_weights(blind)
    wide = SPACE.individual("transformer_base")
    for block in wide.encoder[1:]:
        block.rebind({"right.layer": "identity", "left.layer": "identity", "combiner": "concat"})
        block.right.rebind(input=block.left.input, raise_on_no_change=False)
    with pytest.raises(ValueError, match=f"more than {WIDEST * DIMENSION}"):
        count_weights(wide)
    assert not SPACE.feasible(SPACE.genome.encode(wide)[None]).any()


def test_mutants_of_the_seed_are_mostly_feasible() -> None:
    genome = SPACE.genome
    row = genome.encode(SPACE.individual("transformer_base"))
    mutants = genome.redraw(np.repeat(row[None], 500, axis=0), 0.025, np.random.default_rng(0))
    assert SPACE.feasible(mutants).mean() > 0.7


def test_random_individuals_are_fitted_to_the_budget_or_refused() -> None:
    genome = SPACE.genome
    rows = genome.random(60, np.random.default_rng(2))
    fitted = refused = 0
    for row in rows[SPACE.feasible(rows)]:
        individual = genome.decode(row)
        try:
            fit = fit_to_budget(individual)
        except ValueError as error:
            assert "discard it" in str(error)
            refused += 1
            continue
        fitted += 1
        assert 59.1e6 <= count_weights(fit) <= 64.1e6
        fit.rebind(multiplier=individual.multiplier, raise_on_no_change=False)
        assert pg.eq(fit, individual), "only the multiplier is changed"
    assert fitted > refused


def test_budgets() -> None:
    seed = SPACE.individual("transformer_base")
    assert abs(PARAMETERS - count_weights(fit_to_budget(seed))) <= abs(PARAMETERS - count_weights(seed)) < TOLERANCE
    smaller = fit_to_budget(seed, 45_000_000, 200_000)
    assert abs(count_weights(smaller) - 45_000_000) <= 200_000 and smaller.multiplier < seed.multiplier
    with pytest.raises(ValueError, match="discard it"):
        fit_to_budget(SPACE.individual("transformer_big"))
    with pytest.raises(ValueError, match="give 1 or more"):
        fit_to_budget(seed, 0)
    odd = SPACE.individual("transformer_base").rebind(dimension=100)
    with pytest.raises(ValueError, match="multiple of 16"):
        fit_to_budget(odd)


def test_proxies_have_the_same_decisions() -> None:
    seed = SPACE.individual("et_base")
    small = seed.proxy(resolution=12, channels=3, classes=50, width=0.25)
    assert (small.dimension, small.vocabulary, small.source_length, small.dropout) == (128, 50, 12, 0.0)
    assert small.resolution == 12 and pg.eq(small.encoder, seed.encoder)
    assert seed.for_data(channels=1, classes=99).vocabulary == 99
    assert count_weights(small) < count_weights(seed) / 10


def test_costs_of_a_population_are_those_of_its_individuals() -> None:
    device = load_device("tpu_v3:chip")
    rows = SPACE.genome.random(40, np.random.default_rng(4))
    rows = rows[SPACE.feasible(rows)]
    costs = PopulationCost(SPACE, device)(rows)
    for i, row in enumerate(rows):
        workload = record(SPACE.genome.decode(row), fusion=device.fusion)
        assert (costs["parameters"][i], costs["madds"][i]) == (workload.parameters, workload.madds)
        assert costs["latency_ms"][i] == pytest.approx(estimate(workload, device).latency_s * 1e3)
