"""Built-in sequence tasks with a known answer.

Pairs are texts of symbols parted by single spaces. Which part a pair belongs to is read off a checksum of its
answer, so that no input and no answer of one part occurs in another, whatever the seed.
"""

from __future__ import annotations

import datetime
import string
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from autoglyph.search_spaces.plugins import unknown_name

TextPair = tuple[str, str]
PARTS = ("train", "valid", "test")
DIGITS = tuple(string.digits)
LETTERS = tuple(string.ascii_lowercase)
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")  # fmt: skip
ONES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
        "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")  # fmt: skip
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "^": 3}
DRAWS_IN_VAIN = 10_000
_FIRST_DAY = datetime.date(1900, 1, 1).toordinal()
_LAST_DAY = datetime.date(2099, 12, 31).toordinal()
_TENTHS = {"valid": (8,), "test": (9,), "train": tuple(range(8))}


@dataclass(frozen=True)
class SequenceTask:
    """A task whose answers are computed.

    Args:
        summary: one sentence for lists of tasks.
        symbols: every symbol of its inputs and answers.
        draw: draws one (input, answer) of symbols parted by spaces.
    """

    summary: str
    symbols: tuple[str, ...]
    draw: Callable[[np.random.Generator], TextPair]


def part_of(answer: str) -> str:
    """The part ("train", "valid" or "test": 8, 1 and 1 in ten) that pairs with this answer belong to."""
    tenth = zlib.crc32(answer.encode()) % 10
    return next(part for part, tenths in _TENTHS.items() if tenth in tenths)


def number_words(number: int) -> list[str]:
    """An integer of 0 to 999,999 in English words without "and", as in `["forty", "two"]`."""
    if not 0 <= number < 1_000_000:
        raise ValueError(f"Expected a number of 0 to 999999, received {number}.")
    if number >= 1000:
        rest = number % 1000
        return [*number_words(number // 1000), "thousand", *(number_words(rest) if rest else [])]
    if number >= 100:
        rest = number % 100
        return [ONES[number // 100], "hundred", *(number_words(rest) if rest else [])]
    if number >= 20:
        return [TENS[number // 10 - 2], *([ONES[number % 10]] if number % 10 else [])]
    return [ONES[number]]


def _letters(rng: np.random.Generator) -> list[str]:
    return [LETTERS[i] for i in rng.integers(0, len(LETTERS), int(rng.integers(4, 17)))]


def _reversal(rng: np.random.Generator) -> TextPair:
    letters = _letters(rng)
    return " ".join(letters), " ".join(reversed(letters))


def _copy(rng: np.random.Generator) -> TextPair:
    text = " ".join(_letters(rng))
    return text, text


def _sort(rng: np.random.Generator) -> TextPair:
    letters = _letters(rng)
    return " ".join(letters), " ".join(sorted(letters))


def _expression(rng: np.random.Generator, operators: int) -> tuple[list[str], list[str], int]:
    """Infix with as few brackets as it needs, postfix, and the precedence of the outermost operator."""
    if operators == 0:
        operand = LETTERS[int(rng.integers(0, len(LETTERS)))]
        return [operand], [operand], 4
    operator = list(PRECEDENCE)[int(rng.integers(0, len(PRECEDENCE)))]
    level = PRECEDENCE[operator]
    left_operators = int(rng.integers(0, operators))
    left, left_postfix, left_level = _expression(rng, left_operators)
    right, right_postfix, right_level = _expression(rng, operators - 1 - left_operators)
    to_the_right = operator == "^"
    if left_level < level or (left_level == level and to_the_right):
        left = ["(", *left, ")"]
    if right_level < level or (right_level == level and not to_the_right):
        right = ["(", *right, ")"]
    return [*left, operator, *right], [*left_postfix, *right_postfix, operator], level


def _infix_to_postfix(rng: np.random.Generator) -> TextPair:
    infix, postfix, _ = _expression(rng, int(rng.integers(2, 8)))
    return " ".join(infix), " ".join(postfix)


def _dates(rng: np.random.Generator) -> TextPair:
    day = datetime.date.fromordinal(int(rng.integers(_FIRST_DAY, _LAST_DAY + 1)))
    month, number, year = MONTHS[day.month - 1], " ".join(str(day.day)), " ".join(str(day.year))
    written = (
        f"{number} {month} {year}",
        f"{month} {number} , {year}",
        " ".join(f"{day.day:02}/{day.month:02}/{day.year}"),
        " ".join(f"{day.day}.{day.month}.{day.year}"),
    )
    return written[int(rng.integers(0, len(written)))], " ".join(day.isoformat())


def _numbers_to_words(rng: np.random.Generator) -> TextPair:
    number = int(rng.integers(0, 10 ** int(rng.integers(4, 7))))
    return " ".join(str(number)), " ".join(number_words(number))


TASKS: dict[str, SequenceTask] = {
    "reversal": SequenceTask("4 to 16 letters in reverse order.", LETTERS, _reversal),
    "copy": SequenceTask("4 to 16 letters as they are.", LETTERS, _copy),
    "sort": SequenceTask("4 to 16 letters in alphabetical order.", LETTERS, _sort),
    "infix_to_postfix": SequenceTask(
        "Expressions of 2 to 7 operators from infix with brackets to postfix; ^ binds to the right.",
        (*LETTERS, *PRECEDENCE, "(", ")"),
        _infix_to_postfix,
    ),
    "dates": SequenceTask(
        "Days of 1900 to 2099 from four ways of writing to ISO 8601.", (*DIGITS, *MONTHS, ",", "/", ".", "-"), _dates
    ),
    "numbers_to_words": SequenceTask(
        "Numbers of 0 to 999,999 from digits to English words.",
        (*DIGITS, *ONES, *TENS, "hundred", "thousand"),
        _numbers_to_words,
    ),
}


def draw_task(name: str, *, seed: int, sizes: dict[str, int]) -> dict[str, list[TextPair]]:
    """Pairs of a task with different inputs.

    Args:
        name: a name of `TASKS`.
        seed: the pairs are a function of the seed and the sizes.
        sizes: pairs of each part, by the names in `PARTS`.

    Returns:
        For each part its (input, answer) texts, in the order drawn.

    Raises:
        ValueError: for an unknown name, sizes below 1 or sizes that the task has not enough different inputs for.
    """
    if name not in TASKS:
        raise unknown_name("sequence task", name, TASKS)
    if set(sizes) != set(PARTS) or min(sizes.values()) < 1:
        raise ValueError(f"Expected a size of at least 1 for each of {', '.join(PARTS)}, received {sizes}.")
    rng = np.random.default_rng(seed)
    found: dict[str, dict[str, str]] = {part: {} for part in PARTS}
    draws_in_vain = 0
    while any(len(found[part]) < sizes[part] for part in PARTS):
        if draws_in_vain == DRAWS_IN_VAIN:
            raise ValueError(
                f"Sequence task {name!r} has not enough different inputs for sizes {sizes}: ask for fewer."
            )
        source, target = TASKS[name].draw(rng)
        part = part_of(target)
        if len(found[part]) < sizes[part] and source not in found[part]:
            found[part][source] = target
            draws_in_vain = 0
        else:
            draws_in_vain += 1
    return {part: list(pairs.items()) for part, pairs in found.items()}
