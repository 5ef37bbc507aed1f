"""A trained encoder-decoder as a folder that translates without its record.

The folder holds `model.keras`, which plain Keras loads, `settings.json`, which says of which individual it was
built, and the vocabulary: `vocabulary.model` of SentencePiece, or symbols among the settings. All of it is data:
reading a folder runs nothing that it says.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoglyph.child_programs.export import export_model
from autoglyph.child_programs.keras_file import load_keras
from autoglyph.child_programs.sequences.vocabulary import SubwordVocabulary, SymbolVocabulary, Vocabulary
from autoglyph.hardware_models import record
from autoglyph.search_spaces import plugins
from autoglyph.search_spaces.architectures.evolved_transformer import EvolvedTransformer
from autoglyph.search_spaces.blocks.et_cell import Block, Branch
from autoglyph.search_spaces.blocks.et_layers import DECODER_LAYERS, ENCODER_LAYERS, Layer

FORMAT, VERSION = "autoglyph-translator", 1
MODEL, SETTINGS, SUBWORDS = "model.keras", "settings.json", "vocabulary.model"
MAX_BYTES = 1 << 20
_KEYS = ("format", "version", "individual", "vocabulary", "max_length", "made_by")
_RANGES: Mapping[str, tuple[type, float, float]] = {
    "encoder_cells": (int, 1, 64),
    "decoder_cells": (int, 1, 64),
    "dimension": (int, 16, 1 << 16),
    "multiplier": (float, 1 / 1024, 64),
    "heads": (int, 1, 1024),
    "vocabulary": (int, 5, 1 << 24),
    "source_length": (int, 1, 1 << 20),
    "target_length": (int, 1, 1 << 20),
    "dropout": (float, 0, 0.999),
    "relative_positions": (int, 0, 1 << 16),
}
_MOST_BLOCKS = 32


@dataclass(frozen=True)
class Translator:
    """What translation needs.

    Attributes:
        individual: at the size and with the vocabulary of the model.
        model: the trained `keras.Model`.
        vocabulary: of source and target.
        max_length: tokens of a source that the model was trained to read, without its end.
        made_by: where it comes from, for people.
    """

    individual: EvolvedTransformer
    model: Any
    vocabulary: Vocabulary
    max_length: int
    made_by: Mapping[str, Any]


def is_translator(path: str | Path) -> bool:
    """Whether a path is a folder of this kind, by the file of its settings."""
    return (Path(path) / SETTINGS).is_file()


def check_translator_path(path: str | Path) -> Path:
    """The path as one that a translator can be saved to.

    Raises:
        ValueError: in one sentence that names the fix, if something else is there or the folder around it is not.
    """
    folder = Path(path)
    if not folder.parent.is_dir():
        raise ValueError(f"Cannot export to {str(path)!r}: make the folder {str(folder.parent)!r} first.")
    if folder.exists() and not is_translator(folder) and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"Cannot export to {str(path)!r}: something else is there; give a new folder.")
    return folder


def save_translator(translator: Translator, path: str | Path) -> Path:
    """Writes a translator to a folder, over one that is there.

    The files are written beside their places and renamed, the settings last.

    Raises:
        ValueError: in one sentence, if the path does not fit, it cannot be written or the vocabulary is unknown.
    """
    folder = check_translator_path(path)
    vocabulary, subwords = _vocabulary_fields(translator.vocabulary)
    settings = {
        "format": FORMAT,
        "version": VERSION,
        "individual": _fields(translator.individual),
        "vocabulary": vocabulary,
        "max_length": translator.max_length,
        "made_by": dict(translator.made_by),
    }
    try:
        folder.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".export-", dir=folder) as temporary:
            export_model(translator.model, Path(temporary) / MODEL)
            if subwords is not None:
                (Path(temporary) / SUBWORDS).write_bytes(subwords)
            text = json.dumps(settings, indent=1, allow_nan=False, ensure_ascii=False)
            (Path(temporary) / SETTINGS).write_text(text + "\n", encoding="utf-8")
            for name in (MODEL, SUBWORDS, SETTINGS):
                if (Path(temporary) / name).exists():
                    (Path(temporary) / name).replace(folder / name)
    except OSError as error:
        reason = error.strerror or error
        raise ValueError(
            f"Could not write {str(folder)!r} ({reason}): free some space or choose another folder."
        ) from error
    return folder


def load_translator(path: str | Path) -> Translator:
    """Reads a translator.

    Raises:
        ValueError: in one sentence, if a file is missing or damaged, or the files do not belong together.
    """
    folder = Path(path)
    settings = _read_settings(folder)
    individual = _individual(settings["individual"], str(folder / SETTINGS))
    vocabulary = _vocabulary(settings["vocabulary"], folder)
    model = load_keras(folder / MODEL)
    if vocabulary.size != individual.vocabulary:
        raise ValueError(f"{str(path)!r} has {vocabulary.size} token ids for {individual.vocabulary}: export it again.")
    if int(model.count_params()) != record(individual).parameters:
        raise ValueError(f"{str(folder / MODEL)!r} is not the network of {SETTINGS}: export it again.")
    return Translator(individual, model, vocabulary, settings["max_length"], settings.get("made_by", {}))


def _fields(individual: EvolvedTransformer) -> dict[str, Any]:
    sides = {side: [_block_fields(block) for block in getattr(individual, side)] for side in ("encoder", "decoder")}
    return {**sides, **{name: kind(getattr(individual, name)) for name, (kind, _, _) in _RANGES.items()}}


def _block_fields(block: Block) -> dict[str, Any]:
    names = ("input", "norm", "layer", "size", "activation")
    branches = {side: {n: getattr(getattr(block, side), n) for n in names} for side in ("left", "right")}
    return {**branches, "combiner": block.combiner}


def _individual(fields: Any, where: str) -> EvolvedTransformer:
    try:
        numbers = {name: _number(name, fields[name]) for name in _RANGES}
        sides: dict[str, Any] = {
            "encoder": _blocks(fields["encoder"], ENCODER_LAYERS),
            "decoder": _blocks(fields["decoder"], DECODER_LAYERS),
        }
        return EvolvedTransformer(**sides, **numbers)
    except (ValueError, TypeError, KeyError) as error:
        reason = str(error).strip().split("\n", 1)[0]
        raise ValueError(f"{where!r} describes no individual ({reason}): export it again.") from error


def _blocks(fields: Any, layers: Mapping[str, Layer]) -> list[Block]:
    if not isinstance(fields, list) or not 1 <= len(fields) <= _MOST_BLOCKS:
        raise ValueError(f"expected 1 to {_MOST_BLOCKS} blocks")
    blocks = [Block(Branch(**f["left"]), Branch(**f["right"]), f["combiner"]) for f in fields]
    for number, block in enumerate(blocks):
        for branch in (block.left, block.right):
            if branch.layer not in layers:
                raise plugins.unknown_name("layer", branch.layer, layers)
            if not 0 <= branch.input <= number or not 1 <= branch.size <= 10:
                raise ValueError(f"a branch of block {number + 1} is out of range")
    return blocks


def _number(name: str, value: Any) -> Any:
    kind, low, high = _RANGES[name]
    fits = isinstance(value, (int, float) if kind is float else int) and not isinstance(value, bool)
    if not fits or not low <= value <= high:
        raise ValueError(f"{name} is {value!r}")
    return kind(value)


def _read_settings(folder: Path) -> dict[str, Any]:
    file = folder / SETTINGS
    if not file.is_file():
        raise ValueError(f"There is no {str(file)!r}: give a folder that `autoglyph replay --export FOLDER` wrote.")
    if file.stat().st_size > MAX_BYTES:
        raise ValueError(f"{str(file)!r} has more than {MAX_BYTES:,} bytes: settings are far smaller.")
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{str(file)!r} is not JSON: export it again.") from error
    if not isinstance(settings, dict) or settings.get("format") != FORMAT:
        raise ValueError(f'{str(file)!r} holds no translator: its "format" must be {FORMAT!r}.')
    if settings.get("version") != VERSION or isinstance(settings["version"], bool):
        raise ValueError(
            f"{str(file)!r} has version {settings.get('version')!r}: this release reads version {VERSION}."
        )
    for key in settings:
        if key not in _KEYS:
            raise ValueError(f"{str(file)!r}: {plugins.unknown_name('key', key, _KEYS)}")
    if missing := [key for key in ("individual", "vocabulary", "max_length") if key not in settings]:
        raise ValueError(f"{str(file)!r} has no {missing[0]!r}: export it again.")
    longest = settings["max_length"]
    if not isinstance(longest, int) or isinstance(longest, bool) or not 1 <= longest <= 1 << 20:
        raise ValueError(f"{str(file)!r}: max_length must be a whole number from 1 on, not {longest!r}.")
    if not isinstance(settings.get("made_by", {}), dict):
        raise ValueError(f"{str(file)!r}: 'made_by' must be an object.")
    return settings


def _vocabulary_fields(vocabulary: Vocabulary) -> tuple[dict[str, Any], bytes | None]:
    if isinstance(vocabulary, SymbolVocabulary):
        return {"kind": "symbols", "symbols": list(vocabulary.symbols)}, None
    if isinstance(vocabulary, SubwordVocabulary):
        return {"kind": "subwords", "file": SUBWORDS}, vocabulary.model
    raise ValueError(f"A vocabulary of type {type(vocabulary).__name__} cannot be saved: use symbols or subwords.")


def _vocabulary(fields: Any, folder: Path) -> Vocabulary:
    symbols = fields.get("symbols") if isinstance(fields, dict) else None
    if isinstance(symbols, list) and all(isinstance(symbol, str) for symbol in symbols):
        return SymbolVocabulary(tuple(symbols))
    if fields != {"kind": "subwords", "file": SUBWORDS}:
        raise ValueError(f"{str(folder / SETTINGS)!r}: the vocabulary must be symbols, or subwords in {SUBWORDS}.")
    file = folder / SUBWORDS
    if not file.is_file():
        raise ValueError(f"There is no {str(file)!r}: export it again.")
    vocabulary = SubwordVocabulary(file.read_bytes())
    try:
        _ = vocabulary.size
    except (RuntimeError, OSError, ValueError) as error:
        raise ValueError(f"{str(file)!r} is no SentencePiece model: export it again.") from error
    return vocabulary
