"""Data sets of sequence-to-sequence learning by name: a built-in task or files of parallel text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autoglyph.child_programs.sequences.parallel_text import hold_out, is_parallel_text, read_parallel_text
from autoglyph.child_programs.sequences.ragged import RaggedArray, SequencePairs
from autoglyph.child_programs.sequences.sequence_tasks import TASKS, TextPair, draw_task
from autoglyph.child_programs.sequences.vocabulary import SubwordKind, SymbolVocabulary, Vocabulary, train_subwords
from autoglyph.search_spaces.plugins import unknown_name

TASK_TRAIN_PAIRS = 20_000
TASK_HELD_OUT_PAIRS = 1_000
HELD_OUT_SHARE = 0.05


@dataclass(frozen=True)
class SequenceDataset:
    """Sequences to learn from.

    Args:
        name: the name it was loaded by.
        vocabulary: of source and target.
        train: pairs to train on, none longer than the maximum.
        valid: pairs to choose by; token ids are cut at the maximum, references never.
        test: pairs to report on, cut in the same way.
        max_length: most token ids of a row, without begin and end.
        dropped_empty: pairs left out because one side was empty.
        dropped_long: training pairs left out because one side was longer than the maximum.
    """

    name: str
    vocabulary: Vocabulary
    train: SequencePairs
    valid: SequencePairs
    test: SequencePairs
    max_length: int
    dropped_empty: int
    dropped_long: int


def load_sequences(
    name: str,
    *,
    seed: int,
    vocabulary_size: int = 8000,
    max_length: int = 128,
    limit: int | None = None,
    validation: str | None = None,
    test: str | None = None,
    kind: SubwordKind = "unigram",
    cache_folder: Path | None = None,
) -> SequenceDataset:
    """Loads a built-in task or parallel text.

    Args:
        name: a task ("reversal", "copy", "sort", "infix_to_postfix", "dates", "numbers_to_words"), or
            "SOURCE:TARGET" (files aligned line by line) or a two-column "PAIRS.tsv"; files may end in .gz.
        seed: draws the pairs of a task, and what is held out of the training text where no file is given.
        vocabulary_size: token ids of the subword vocabulary; tasks bring their symbols and do not read it.
        max_length: most token ids of a row, without begin and end.
        limit: most pairs of each part; None takes all there are, for tasks 20,000, 1,000 and 1,000.
        validation: parallel text to choose by; otherwise 5 % of the different training sources are held out.
        test: parallel text to report on; held out likewise.
        kind: kind of subword model.
        cache_folder: where subword models are kept; None writes nothing.

    Raises:
        ValueError: for an unknown name (with the nearest), bad files or settings out of range.
    """
    if max_length < 1 or (limit is not None and limit < 1):
        raise ValueError(f"Expected max_length and limit of at least 1, received {max_length} and {limit}.")
    dropped_empty = 0
    vocabulary: Vocabulary
    if name in TASKS:
        if validation or test:
            raise ValueError(f"Task {name!r} brings its own validation and test pairs: leave the files out.")
        held_out = min(limit or TASK_HELD_OUT_PAIRS, TASK_HELD_OUT_PAIRS)
        drawn = draw_task(
            name, seed=seed, sizes={"train": limit or TASK_TRAIN_PAIRS, "valid": held_out, "test": held_out}
        )
        parts = [drawn["train"], drawn["valid"], drawn["test"]]
        vocabulary = SymbolVocabulary(TASKS[name].symbols)
    elif is_parallel_text(name):
        parts, dropped_empty = _read_parts(name, validation, test, seed)
        parts = [part[:limit] for part in parts]
        texts = [text for pair in parts[0] for text in pair]
        vocabulary = train_subwords(texts, size=vocabulary_size, kind=kind, cache_folder=cache_folder)
    else:
        raise unknown_name("sequence data set (a task, SOURCE:TARGET or a .tsv file)", name, TASKS)
    train, dropped_long = _pairs(parts[0], vocabulary, max_length, drop=True)
    if not len(train):
        raise ValueError(f"No training pair of {name} has at most {max_length} token ids a side: raise max_length.")
    valid, _ = _pairs(parts[1], vocabulary, max_length, drop=False)
    tested, _ = _pairs(parts[2], vocabulary, max_length, drop=False)
    return SequenceDataset(name, vocabulary, train, valid, tested, max_length, dropped_empty, dropped_long)


def _read_parts(name: str, validation: str | None, test: str | None, seed: int) -> tuple[list[list[TextPair]], int]:
    text = read_parallel_text(name)
    dropped = text.dropped_empty
    train = list(text.pairs)
    others = []
    for number, file in enumerate((validation, test)):
        if file is None:
            train, part = hold_out(tuple(train), share=HELD_OUT_SHARE, seed=2 * seed + number)
        else:
            read = read_parallel_text(file)
            dropped += read.dropped_empty
            part = list(read.pairs)
        others.append(part)
    return [train, *others], dropped


def _pairs(
    pairs: Sequence[TextPair], vocabulary: Vocabulary, max_length: int, *, drop: bool
) -> tuple[SequencePairs, int]:
    sources = vocabulary.encode([source for source, _ in pairs])
    targets = vocabulary.encode([target for _, target in pairs])
    kept = [i for i in range(len(pairs)) if not drop or max(len(sources[i]), len(targets[i])) <= max_length]
    made = SequencePairs(
        RaggedArray.of([sources[i][:max_length] for i in kept]),
        RaggedArray.of([targets[i][:max_length] for i in kept]),
        tuple(pairs[i][0] for i in kept),
        tuple(pairs[i][1] for i in kept),
    )
    return made, len(pairs) - len(kept)
