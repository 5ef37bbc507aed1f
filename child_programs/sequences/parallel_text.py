"""Parallel text from files: two files aligned line by line, or one two-column TSV file; plain or gzip."""

from __future__ import annotations

import gzip
import unicodedata
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autoglyph.child_programs.sequences.sequence_tasks import TextPair

TSV_ENDINGS = (".tsv", ".tsv.gz")


@dataclass(frozen=True)
class ParallelText:
    """Pairs read from files.

    Args:
        pairs: (source, target) texts in Unicode form NFC, white space at both ends removed.
        dropped_empty: pairs left out because one side was empty.
    """

    pairs: tuple[TextPair, ...]
    dropped_empty: int


def is_parallel_text(name: str) -> bool:
    """Whether a name has the form of parallel text: "SOURCE:TARGET" or a file that ends in .tsv or .tsv.gz."""
    return ":" in name or name.endswith(TSV_ENDINGS)


def read_parallel_text(name: str) -> ParallelText:
    """Reads "SOURCE:TARGET" (aligned line by line) or "PAIRS.tsv" (two columns); each file may end in .gz.

    Raises:
        ValueError: names the file, and the line where there is one, if a file is missing, empty, damaged, not UTF-8,
            if the line counts differ, or if a line of a TSV file has not exactly two columns.
    """
    if ":" in name:
        files = name.split(":")
        if len(files) != 2 or not all(files):
            raise ValueError(f"{name!r} is not a pair of files: write SOURCE:TARGET, with one colon.")
        pairs = _aligned(*files)
    elif name.endswith(TSV_ENDINGS):
        pairs = _columns(name)
    else:
        raise ValueError(f"{name!r} is not parallel text: give SOURCE:TARGET or a file that ends in .tsv or .tsv.gz.")
    kept = tuple(pair for pair in pairs if all(pair))
    if not kept:
        raise ValueError(f"{name} has no line with text on both sides: give pairs of sentences.")
    return ParallelText(kept, len(pairs) - len(kept))


def hold_out(pairs: tuple[TextPair, ...], *, share: float, seed: int) -> tuple[list[TextPair], list[TextPair]]:
    """Parts pairs into those kept and a share held out, by different sources, so that no source is on both sides.

    Args:
        pairs: (source, target) texts.
        share: share of the different sources to hold out; at least one is.
        seed: the draw is a function of it.

    Returns:
        The pairs kept and the pairs held out, both in the order of the input.

    Raises:
        ValueError: if there are fewer than two different sources.
    """
    sources = list(dict.fromkeys(source for source, _ in pairs))
    if len(sources) < 2:
        raise ValueError(f"{len(sources)} different source line leaves nothing to train on: give more, or test files.")
    count = min(max(1, round(share * len(sources))), len(sources) - 1)
    drawn = {sources[i] for i in np.random.default_rng(seed).permutation(len(sources))[:count]}
    return [p for p in pairs if p[0] not in drawn], [p for p in pairs if p[0] in drawn]


def read_lines(file: str) -> list[str]:
    """The lines of a text file in Unicode form NFC, white space kept; the file may be gzip if it ends in .gz.

    Raises:
        ValueError: names the file, and the line where there is one, if it is missing, empty, damaged or not UTF-8.
    """
    try:
        data = Path(file).expanduser().read_bytes()
    except FileNotFoundError:
        raise ValueError(f"{file} does not exist: check the path.") from None
    except OSError as error:
        raise ValueError(f"{file} cannot be read ({error.strerror}): give a readable file.") from None
    if file.endswith(".gz"):
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error):
            raise ValueError(f"{file} is not a whole gzip file: compress or fetch it again.") from None
    raw = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if not raw[-1]:
        raw.pop()
    if not raw:
        raise ValueError(f"{file} is empty: give a file with a sentence a line.")
    lines = []
    for number, line in enumerate(raw, 1):
        try:
            lines.append(unicodedata.normalize("NFC", line.decode("utf-8")))
        except UnicodeDecodeError:
            raise ValueError(f"{file}, line {number}, is not UTF-8: convert the file to UTF-8.") from None
    return lines


def _aligned(source_file: str, target_file: str) -> list[TextPair]:
    sources, targets = read_lines(source_file), read_lines(target_file)
    if len(sources) != len(targets):
        short, line = min((source_file, len(sources)), (target_file, len(targets)), key=lambda pair: pair[1])
        raise ValueError(
            f"{source_file} has {len(sources)} lines and {target_file} {len(targets)}: {short} ends at line {line}; "
            "give files aligned line by line."
        )
    return [(s.strip(), t.strip()) for s, t in zip(sources, targets, strict=True)]


def _columns(file: str) -> list[TextPair]:
    pairs = []
    for number, line in enumerate(read_lines(file), 1):
        columns = line.split("\t")
        if not line.strip():
            columns = ["", ""]
        if len(columns) != 2:
            problem = "has no tab" if len(columns) == 1 else f"has {len(columns)} columns"
            raise ValueError(f"{file}, line {number}, {problem}: write the source, one tab and the target.")
        pairs.append((columns[0].strip(), columns[1].strip()))
    return pairs
