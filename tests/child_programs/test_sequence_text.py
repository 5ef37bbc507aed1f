"""Parallel text from files, and subword vocabularies of it."""

import gzip
import pickle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoglyph.child_programs.sequences.parallel_text import read_parallel_text
from autoglyph.child_programs.sequences.sequence_dataset import load_sequences
from autoglyph.child_programs.sequences.sequence_tasks import draw_task
from autoglyph.child_programs.sequences.vocabulary import SubwordVocabulary, SymbolVocabulary, train_subwords

MULTI30K = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "multi30k"
PAIRS = draw_task("numbers_to_words", seed=0, sizes={"train": 300, "valid": 1, "test": 1})["train"]
WORDS = [text for pair in PAIRS for text in pair]


@pytest.fixture(scope="module")
def subwords() -> SubwordVocabulary:
    return train_subwords(WORDS, size=320)


def test_aligned_and_tsv_give_the_same(tmp_path: Path) -> None:
    source, target, table = tmp_path / "a.en.gz", tmp_path / "a.de", tmp_path / "a.tsv.gz"
    source.write_bytes(gzip.compress("one\r\n\ncafe\u0301\n".encode()))
    target.write_text("eins\nzwei\n Kaffee \n", encoding="utf-8")
    table.write_bytes(gzip.compress("\ufeffone\teins\n\tzwei\ncaf\u00e9\tKaffee".encode()))
    expected = (("one", "eins"), ("caf\u00e9", "Kaffee"))
    for name in (f"{source}:{target}", str(table)):
        read = read_parallel_text(name)
        assert (read.pairs, read.dropped_empty) == (expected, 1)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("a.tsv", b"x\ty\nz\n", r"a\.tsv, line 2, has no tab"),
        ("a.tsv", b"x\ty\tz\n", r"a\.tsv, line 1, has 3 columns"),
        ("a.tsv", b"", r"a\.tsv is empty"),
        ("a.tsv", b"\t\n", r"no line with text on both sides"),
        ("a.tsv", b"x\ty\n\xff\ty\n", r"a\.tsv, line 2, is not UTF-8"),
        ("a.tsv.gz", b"x\ty\n", r"not a whole gzip file"),
        ("a.tsv.gz", gzip.compress(b"x\ty\n" * 99, mtime=0)[:-9], r"not a whole gzip file"),
        ("a.tsv", None, r"a\.tsv does not exist"),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, file: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / file).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_parallel_text(str(tmp_path / file))


def test_unequal_line_counts_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1\n2\n3\n")
    (tmp_path / "b").write_text("1\n2\n")
    with pytest.raises(ValueError, match=r"a has 3 lines and .*b 2: .*b ends at line 2"):
        read_parallel_text(f"{tmp_path / 'a'}:{tmp_path / 'b'}")


def test_held_out_share_has_no_source_in_common(tmp_path: Path) -> None:
    table = tmp_path / "pairs.tsv"
    table.write_text("".join(f"{s}\t{t}\n" for s, t in [*PAIRS, *PAIRS[:50]]))
    data = load_sequences(str(table), seed=5, vocabulary_size=320)
    again = load_sequences(str(table), seed=5, vocabulary_size=320)
    parts = [set(part.source_texts) for part in (data.train, data.valid, data.test)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 300
    assert (len(parts[1]), len(parts[2])) == (15, 14)
    assert data.vocabulary == again.vocabulary
    assert data.test.source_texts == again.test.source_texts
    assert data.test.source_texts != load_sequences(str(table), seed=6, vocabulary_size=320).test.source_texts


def test_long_pairs_leave_training_and_are_cut_elsewhere(tmp_path: Path) -> None:
    table = tmp_path / "pairs.tsv"
    table.write_text("".join(f"{s}\t{t}\n" for s, t in PAIRS))
    data = load_sequences(str(table), seed=5, vocabulary_size=320, max_length=6, validation=str(table))
    assert len(data.train) + data.dropped_long == 285
    assert data.dropped_long > 0
    assert len(data.valid) == 300
    assert max(data.train.target.lengths.max(), data.valid.target.lengths.max()) == 6
    assert list(data.valid.references) == [target for _, target in PAIRS]


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp"), exclude_characters="\u2581")))
def test_subwords_round_trip(subwords: SubwordVocabulary, text: str) -> None:
    assert subwords.decode(subwords.encode([text])) == [text]


def test_subwords_are_reproducible_and_can_be_sent(subwords: SubwordVocabulary, tmp_path: Path) -> None:
    assert train_subwords(WORDS, size=320, cache_folder=tmp_path) == subwords
    (file,) = tmp_path.iterdir()
    assert file.read_bytes() == subwords.model
    assert train_subwords(WORDS, size=320, cache_folder=tmp_path) == subwords
    rows = subwords.encode(WORDS)
    assert pickle.loads(pickle.dumps(subwords)).encode(WORDS) == rows
    assert subwords.decode([[1, *row, 2, 9, 9] for row in rows]) == WORDS
    assert subwords.size == 320


@pytest.mark.parametrize(("kind", "size"), [("unigram", 20), ("bpe", 20), ("bpe", 90_000)])
def test_impossible_sizes_are_refused(kind: str, size: int) -> None:
    with pytest.raises(ValueError, match=f"No subword vocabulary of {size}"):
        train_subwords(WORDS, size=size, kind=kind)  # type: ignore[arg-type]


@given(st.lists(st.sampled_from("abc"), max_size=9))
def test_symbols_round_trip(symbols: list[str]) -> None:
    vocabulary = SymbolVocabulary(("a", "b", "c"))
    text = " ".join(symbols)
    assert vocabulary.decode(vocabulary.encode([text])) == [text]
    assert vocabulary.encode(["a ? c"]) == [[4, 3, 6]]


def test_multi30k() -> None:
    if not MULTI30K.exists():
        pytest.skip("needs ../shared/data/multi30k: absent")
    files = [f"{MULTI30K / part}.en.gz:{MULTI30K / part}.de.gz" for part in ("train", "val", "test_2016_flickr")]
    data = load_sequences(files[0], seed=0, vocabulary_size=800, limit=400, validation=files[1], test=files[2])
    assert (len(data.train), len(data.valid), len(data.test)) == (400, 400, 400)
    assert data.train.source_texts[0] == "Two young, White males are outside near many bushes."
    assert data.vocabulary.decode([data.test.target[i] for i in range(400)]) == list(data.test.references)
