"""Tasks with a known answer, against answers worked out another way."""

from datetime import datetime

import pytest

from autoglyph.child_programs.sequences.sequence_dataset import load_sequences
from autoglyph.child_programs.sequences.sequence_tasks import PRECEDENCE, TASKS, SequenceTask, draw_task, number_words

SIZES = {"train": 200, "valid": 30, "test": 30}


def _shunting_yard(tokens: list[str]) -> list[str]:
    """Dijkstra's algorithm; ^ binds to the right."""
    answer: list[str] = []
    stack: list[str] = []
    for token in tokens:
        if token == "(":
            stack.append(token)
        elif token == ")":
            while stack[-1] != "(":
                answer.append(stack.pop())
            stack.pop()
        elif token in PRECEDENCE:
            level = PRECEDENCE[token] + (token == "^")
            while stack and stack[-1] != "(" and PRECEDENCE[stack[-1]] >= level:
                answer.append(stack.pop())
            stack.append(token)
        else:
            answer.append(token)
    return answer + stack[::-1]


def _iso(written: str) -> str:
    joined = written.replace(" ", "")
    for form in ("%d%B%Y", "%B%d,%Y", "%d/%m/%Y", "%d.%m.%Y"):
        try:
            return " ".join(datetime.strptime(joined, form).date().isoformat())
        except ValueError:
            continue
    raise AssertionError(written)


ANSWERS = {
    "reversal": lambda text: text[::-1],
    "copy": lambda text: text,
    "sort": lambda text: " ".join(sorted(text.split())),
    "infix_to_postfix": lambda text: " ".join(_shunting_yard(text.split())),
    "dates": _iso,
    "numbers_to_words": lambda text: " ".join(number_words(int(text.replace(" ", "")))),
}


@pytest.mark.parametrize("name", TASKS)
def test_answers_are_right_and_parts_disjoint(name: str) -> None:
    parts = draw_task(name, seed=3, sizes=SIZES)
    assert parts == draw_task(name, seed=3, sizes=SIZES)
    assert parts != draw_task(name, seed=4, sizes=SIZES)
    assert {part: len(pairs) for part, pairs in parts.items()} == SIZES
    for side in (0, 1):
        texts = [{pair[side] for pair in pairs} for pairs in parts.values()]
        assert len(set.union(*texts)) == sum(map(len, texts))
    for pairs in parts.values():
        for source, target in pairs:
            assert target == ANSWERS[name](source)
            assert {*source.split(), *target.split()} <= set(TASKS[name].symbols)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"),
        (13, "thirteen"),
        (40, "forty"),
        (100, "one hundred"),
        (70_021, "seventy thousand twenty one"),
        (999_999, "nine hundred ninety nine thousand nine hundred ninety nine"),
    ],
)
def test_numbers_in_words(number: int, words: str) -> None:
    assert " ".join(number_words(number)) == words


def test_number_words_are_all_different() -> None:
    assert len({" ".join(number_words(n)) for n in range(20_000)}) == 20_000
    with pytest.raises(ValueError, match="0 to 999999"):
        number_words(1_000_000)


def test_task_as_dataset() -> None:
    data = load_sequences("dates", seed=1, limit=40)
    assert (len(data.train), len(data.valid), len(data.test)) == (40, 40, 40)
    assert data.vocabulary.decode([data.test.target[i] for i in range(40)]) == list(data.test.references)
    assert int(data.train.source.values.min()) >= 4


def test_unknown_names_and_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="did you mean 'reversal'"):
        load_sequences("reversl", seed=0)
    with pytest.raises(ValueError, match="brings its own"):
        load_sequences("copy", seed=0, test="a.tsv")
    with pytest.raises(ValueError, match="limit of at least 1"):
        load_sequences("copy", seed=0, limit=0)


def test_too_few_different_inputs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TASKS, "bit", SequenceTask("A bit.", ("0", "1"), lambda rng: (str(rng.integers(2)),) * 2))
    with pytest.raises(ValueError, match="not enough different inputs"):
        draw_task("bit", seed=0, sizes={"train": 1, "valid": 1, "test": 1})
