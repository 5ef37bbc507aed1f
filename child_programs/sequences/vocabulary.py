"""Vocabularies: text to token ids and back.

The first ids are the same in all: 0 padding, 1 begin, 2 end, 3 unknown.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor

PADDING, BEGIN, END, UNKNOWN = range(4)
SPECIAL_SYMBOLS = 4
SubwordKind = Literal["unigram", "bpe"]


class Vocabulary(Protocol):
    """Text to token ids and back."""

    @property
    def size(self) -> int:
        """Token ids there are, the four special ones among them."""
        ...

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, without begin and end."""
        ...

    def decode(self, rows: Sequence[Sequence[int]]) -> list[str]:
        """The text of each row, up to its first end; padding and begin give no text."""
        ...


def _content(row: Sequence[int]) -> list[int]:
    ids = [int(i) for i in row]
    if END in ids:
        ids = ids[: ids.index(END)]
    return [i for i in ids if i not in (PADDING, BEGIN)]


@dataclass(frozen=True)
class SymbolVocabulary:
    """Symbols parted by spaces, for tasks that give their symbols.

    Args:
        symbols: the different symbols, which get the ids from 4 on in this order.
    """

    symbols: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.symbols)) != len(self.symbols) or any(len(s.split()) != 1 for s in self.symbols):
            raise ValueError("Expected different symbols without white space.")

    @property
    def size(self) -> int:
        """Token ids there are."""
        return SPECIAL_SYMBOLS + len(self.symbols)

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {symbol: i for i, symbol in enumerate(self.symbols, SPECIAL_SYMBOLS)}

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text; symbols that are not in the vocabulary become 3."""
        return [[self._ids.get(symbol, UNKNOWN) for symbol in text.split()] for text in texts]

    def decode(self, rows: Sequence[Sequence[int]]) -> list[str]:
        """The symbols of each row with spaces between, up to the first end; unknown ones are written "<unk>"."""
        return [
            " ".join(self.symbols[i - SPECIAL_SYMBOLS] if i >= SPECIAL_SYMBOLS else "<unk>" for i in _content(row))
            for row in rows
        ]


@dataclass(frozen=True)
class SubwordVocabulary:
    """Subwords of a SentencePiece model (Kudo and Richardson, EMNLP 2018), shared by source and target.

    Args:
        model: the serialized model, which can be written to a `.model` file.
    """

    model: bytes

    @cached_property
    def _processor(self) -> SentencePieceProcessor:
        from sentencepiece import SentencePieceProcessor

        return SentencePieceProcessor(model_proto=self.model)

    @property
    def size(self) -> int:
        """Token ids there are."""
        return int(self._processor.get_piece_size())

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text; characters that training did not meet become their UTF-8 bytes."""
        return [list(row) for row in self._processor.encode(list(texts), num_threads=1)]

    def decode(self, rows: Sequence[Sequence[int]]) -> list[str]:
        """The text of each row, up to its first end."""
        return [str(self._processor.decode(_content(row))) for row in rows]


def train_subwords(
    texts: Sequence[str], *, size: int, kind: SubwordKind = "unigram", cache_folder: Path | None = None
) -> SubwordVocabulary:
    """Trains a SentencePiece model with byte fallback on one thread: the same texts give the same model.

    Args:
        texts: the sentences of both languages.
        size: token ids wanted; a unigram model of few texts may have fewer.
        kind: "unigram" (Kudo, ACL 2018) or "bpe" (Sennrich et al., ACL 2016).
        cache_folder: where models are kept under a checksum of texts and settings; None writes nothing.

    Raises:
        ValueError: if the size is too small for the characters of the texts, or too large for the texts.
    """
    import sentencepiece

    if kind not in ("unigram", "bpe"):
        raise ValueError(f"Expected kind 'unigram' or 'bpe', received {kind!r}.")
    if not texts:
        raise ValueError("Expected texts to train a subword vocabulary on, received none.")
    file = None
    if cache_folder is not None:
        settings = f"{sentencepiece.__version__} {kind} {size}\n"
        checksum = hashlib.sha256((settings + "\n".join(texts)).encode()).hexdigest()
        file = Path(cache_folder).expanduser() / f"subwords-{checksum[:32]}.model"
        if file.exists():
            return SubwordVocabulary(file.read_bytes())
    written = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts),
            model_writer=written,
            vocab_size=size,
            model_type=kind,
            byte_fallback=True,
            hard_vocab_limit=kind == "bpe",
            num_threads=1,
            pad_id=PADDING,
            bos_id=BEGIN,
            eos_id=END,
            unk_id=UNKNOWN,
            character_coverage=0.9995,
            normalization_rule_name="identity",
            remove_extra_whitespaces=False,
            minloglevel=3,
        )
    except (RuntimeError, OSError) as error:
        reason = str(error).strip().splitlines()[-1]
        raise ValueError(f"No subword vocabulary of {size} can be trained on {len(texts)} texts: {reason}") from None
    vocabulary = SubwordVocabulary(written.getvalue())
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(vocabulary.model)
    return vocabulary
