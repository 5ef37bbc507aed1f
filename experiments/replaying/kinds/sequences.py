"""An encoder-decoder as a Keras model: built, counted, costed, trained, exported, and set to translate."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoglyph.experiments.replaying.replayed import Replayed, costs, summary
from autoglyph.experiments.replaying.translation_files import TranslationFiles, check_files
from autoglyph.experiments.replaying.wishes import Wishes
from autoglyph.search_spaces.architectures.evolved_transformer import EvolvedTransformer

if TYPE_CHECKING:
    from autoglyph.child_programs.sequence_to_sequence import SequenceToSequence
    from autoglyph.child_programs.sequences.sequence_dataset import SequenceDataset
    from autoglyph.child_programs.translator_bundle import Translator

PROXY_LENGTH, FULL_LENGTH = 64, 128
PROXY_TOKENS, FULL_TOKENS = 1024, 4096
"""Tokens of a training batch."""
WARMUP_STEPS = 4000
"""Of Vaswani et al. 2017; a training of fewer than 16,000 steps warms up for a quarter of them, to the same peak."""
POINTS = 10
"""Measurements of a training that is asked for in steps."""


HANDLES = EvolvedTransformer


def carry_out(network: EvolvedTransformer, found: Replayed, wishes: Wishes, *, quiet: bool = False) -> dict[str, Any]:
    """Builds the model and does what is wished.

    Args:
        network: the individual as a network.
        found: where it comes from.
        wishes: what to do.
        quiet: print nothing; otherwise layers and measurements are printed as they come.

    Returns:
        Plain object with the counts of `summary` and, where wished, "cost", "training", "export", "translation".

    Raises:
        ValueError: if a wish cannot be granted, in one sentence, before any training.
    """
    if wishes.data is None and wishes.translate is not None:
        raise ValueError(f"{found.name} is not trained: add --train DATA, or give a folder that --export wrote.")
    if wishes.predict is not None:
        raise ValueError(f"{found.name} is an encoder-decoder: --predict needs a detector.")
    files = check_files(wishes)
    _check_export(wishes)
    from autoglyph.child_programs import build_shapes, prepare_process

    prepare_process(None)
    network = _sized(network, wishes)
    program = data = None
    if wishes.data is not None:
        program, data = _training_plan(network, wishes)
        network = program.sized(network, data)
    result = _counted(network, build_shapes(network), found.name, found.space, wishes, quiet)
    model: Any = None
    if program is not None and data is not None:
        from autoglyph.child_programs.translator_bundle import Translator

        model, result["training"] = _train(program, network, data, wishes, quiet)
        made_by = {"model": found.name, "space": found.space, "data": data.name, "steps": program.steps[-1]}
        translator = Translator(network, model, data.vocabulary, data.max_length, made_by)
        result["training"]["test"] = _test(translator, data, wishes.beams)
        if wishes.export is not None and wishes.export.suffix != ".keras":
            from autoglyph.child_programs.translator_bundle import save_translator

            result["export"] = str(save_translator(translator, wishes.export))
        if files is not None:
            result["translation"] = _translate(translator, files, wishes.beams)
    if wishes.export is not None and wishes.export.suffix == ".keras":
        from autoglyph.child_programs import export_model
        from autoglyph.child_programs.sequence_model import build_sequence_model

        model = build_sequence_model(network, seed=wishes.seed) if model is None else model
        result["export"] = str(export_model(model, wishes.export))
    return result


def carry_out_translator(folder: Path, wishes: Wishes, *, quiet: bool = False) -> dict[str, Any]:
    """Does what is wished with a folder that an export wrote.

    Args:
        folder: of the translator.
        wishes: what to do; it is trained already.
        quiet: print nothing; otherwise layers are printed.

    Raises:
        ValueError: if a wish cannot be granted or the folder cannot be read, in one sentence.
    """
    if wishes.data is not None or wishes.export is not None:
        raise ValueError(f"{str(folder)!r} is trained and exported: leave --train and --export out.")
    files = check_files(wishes)
    from autoglyph.child_programs import build_shapes, prepare_process
    from autoglyph.child_programs.translator_bundle import load_translator

    prepare_process(None)
    translator = load_translator(folder)
    network = translator.individual
    space = str(translator.made_by.get("space", "evolved_transformer"))
    result = _counted(network, build_shapes(network), str(folder), space, wishes, quiet)
    if files is not None:
        result["translation"] = _translate(translator, files, wishes.beams)
    return result


def _counted(
    network: EvolvedTransformer, shapes: Any, name: str, space: str, wishes: Wishes, quiet: bool
) -> dict[str, Any]:
    if wishes.summary and not quiet:
        shapes.summary(line_length=110)
    result: dict[str, Any] = {
        "kind": "sequences",
        "model": name,
        "space": space,
        "scale": wishes.scale,
        **summary(network, shapes),
    }
    if wishes.device is not None:
        result["cost"] = costs(network, wishes.device)
    return result


def _check_export(wishes: Wishes) -> None:
    if wishes.export is None:
        return
    if wishes.export.suffix == ".keras":
        from autoglyph.child_programs import check_export_path

        check_export_path(wishes.export)
    elif wishes.data is None:
        raise ValueError(
            f"{str(wishes.export)!r} would hold a vocabulary, which training makes: add --train DATA, "
            "or give a file name that ends in .keras."
        )
    else:
        from autoglyph.child_programs.translator_bundle import check_translator_path

        check_translator_path(wishes.export)


def _sized(network: EvolvedTransformer, wishes: Wishes) -> EvolvedTransformer:
    if wishes.scale == "full":
        return network
    length = wishes.resolution or PROXY_LENGTH
    return network.proxy(resolution=length, channels=1, classes=wishes.vocabulary, width=wishes.width)


def _training_plan(network: EvolvedTransformer, wishes: Wishes) -> tuple[SequenceToSequence, SequenceDataset]:
    """The child program at the size of the network, and its data."""
    from autoglyph.child_programs.sequence_to_sequence import SequenceToSequence
    from autoglyph.child_programs.sequences.batches import token_batches

    full = wishes.scale == "full"
    program = SequenceToSequence(
        batch_tokens=FULL_TOKENS if full else PROXY_TOKENS,
        dimension=network.dimension,
        parameters=None,
        relative_positions=network.relative_positions,
        dropout=network.dropout,
        vocabulary_size=wishes.vocabulary,
        max_length=wishes.resolution or (FULL_LENGTH if full else PROXY_LENGTH),
        limit=wishes.limit,
    )
    data = program.load(str(wishes.data), wishes.seed)
    if wishes.steps is None:
        a_pass = sum(1 for _ in token_batches(data.train, tokens=int(program.batch_tokens)))
        points = [a_pass * epoch for epoch in range(1, wishes.epochs + 1)]
    else:
        points = sorted({max(1, wishes.steps * point // POINTS) for point in range(1, POINTS + 1)})
    changes: dict[str, Any] = {"steps": points}
    if full:
        warmup = min(WARMUP_STEPS, max(1, points[-1] // 4))
        changes |= {"warmup_steps": warmup, "learning_rate": (warmup / WARMUP_STEPS) ** 0.5}
    planned: SequenceToSequence = program.clone(deep=True)
    planned.rebind(changes, raise_on_no_change=False)
    return planned, data


def _train(
    program: SequenceToSequence, network: EvolvedTransformer, data: SequenceDataset, wishes: Wishes, quiet: bool
) -> tuple[Any, dict[str, Any]]:
    from autoglyph.child_programs import ChildFailed

    _, model, training = program.begin(network, seed=wishes.seed, data=data)
    measurements = []
    for step in program.steps:
        try:
            loss = training.train_until(step)
            measured = {"step": step, "loss": loss, **training.measure(data.valid)}
        except ChildFailed as error:
            raise ValueError(str(error)) from error
        measurements.append(measured)
        if not quiet:
            print(
                f"step {step}/{program.steps[-1]}: loss {loss:.3f}, perplexity {measured['perplexity']:.3f}, "
                f"token accuracy {measured['token_accuracy']:.2f} %",
                file=sys.stderr,
                flush=True,
            )
    settings = ("batch_tokens", "learning_rate", "warmup_steps", "label_smoothing", "dropout")
    return model, {
        "data": data.name,
        "pairs": len(data.train),
        "validation_pairs": len(data.valid),
        "vocabulary": data.vocabulary.size,
        **{name: getattr(program, name) for name in settings},
        "measurements": measurements,
    }


def _test(translator: Translator, data: SequenceDataset, beams: int) -> dict[str, Any]:
    from autoglyph.child_programs.sequences.scores import corpus_bleu, exact_match

    texts, _ = _translated(translator, list(data.test.source_texts), beams)
    bleu = corpus_bleu(texts, data.test.references)
    return {
        "pairs": len(texts),
        "beams": beams,
        "exact_match": 100 * exact_match(texts, data.test.references),
        "bleu": bleu.score,
        "signature": bleu.signature,
    }


def _translate(translator: Translator, files: TranslationFiles, beams: int) -> dict[str, Any]:
    texts, cut = _translated(translator, files.sources, beams)
    return {**files.finish(texts), "beams": beams, "cut": cut}


def _translated(translator: Translator, sources: list[str], beams: int) -> tuple[list[str], int]:
    from autoglyph.child_programs.sequence_decoding import SequenceDecoder
    from autoglyph.child_programs.translation import translate

    decoder = SequenceDecoder(translator.individual, translator.model)
    found = translate(decoder, translator.vocabulary, sources, beams=beams, max_length=translator.max_length)
    return list(found.texts), found.cut
