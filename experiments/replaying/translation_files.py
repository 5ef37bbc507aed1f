"""Text files of a translation: read and checked before any work, written and scored behind it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoglyph.experiments.replaying.wishes import Wishes


@dataclass(frozen=True)
class TranslationFiles:
    """What is to be translated, and where to.

    Attributes:
        sources: the lines, white space at both ends removed.
        output: file for the translations; None gives them back.
        references: lines that the translations are compared with.
    """

    sources: list[str]
    output: Path | None
    references: list[str] | None

    def finish(self, texts: list[str]) -> dict[str, Any]:
        """Writes the translations and scores them.

        Returns:
            "lines", "output" or "texts", and "bleu" and "signature" where there are references.

        Raises:
            ValueError: in one sentence, if the file cannot be written.
        """
        result: dict[str, Any] = {"lines": len(texts)}
        if self.output is None:
            result["texts"] = texts
        else:
            try:
                self.output.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
            except OSError as error:
                reason = error.strerror or error
                raise ValueError(f"Could not write {str(self.output)!r} ({reason}): choose another file.") from error
            result["output"] = str(self.output)
        if self.references is not None:
            from autoglyph.child_programs.sequences.scores import corpus_bleu

            bleu = corpus_bleu(texts, self.references)
            result |= {"bleu": bleu.score, "signature": bleu.signature}
        return result


def check_files(wishes: Wishes) -> TranslationFiles | None:
    """The files of a translation, None where none is wished.

    Raises:
        ValueError: in one sentence, if a file cannot be read or does not fit, or there is no place for the output.
    """
    if wishes.beams < 1:
        raise ValueError(f"Expected at least one beam, received {wishes.beams}.")
    if wishes.translate is None:
        for option, file in (("--output", wishes.output), ("--reference", wishes.reference)):
            if file is not None:
                raise ValueError(f"{option} {file} is for a translation: add --translate FILE.")
        return None
    from autoglyph.child_programs.sequences.parallel_text import read_lines

    sources = [line.strip() for line in read_lines(str(wishes.translate))]
    references = None
    if wishes.reference is not None:
        references = [line.strip() for line in read_lines(str(wishes.reference))]
        if len(references) != len(sources):
            raise ValueError(
                f"{wishes.translate} has {len(sources)} lines and {wishes.reference} {len(references)}: "
                "give files aligned line by line."
            )
    if wishes.output is not None and (wishes.output.is_dir() or not wishes.output.parent.is_dir()):
        raise ValueError(f"Cannot write {str(wishes.output)!r}: give a file in a folder that exists.")
    return TranslationFiles(sources, wishes.output, references)
