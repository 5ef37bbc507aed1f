"""What can be asked of an individual that is replayed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Wishes:
    """What is to be done with an individual.

    Attributes:
        scale: "full" or "proxy".
        summary: print the layers.
        device: chip to cost it on.
        data: data set to train on.
        epochs: of training.
        steps: of training, in place of epochs; sequences alone.
        width: of the proxy, as a factor of the published base width.
        resolution: of the proxy, pixels (None for 32, or the images' own size if larger); of sequences, most tokens
            (None for 64).
        limit: most training images, or most pairs of each part.
        vocabulary: token ids of the subwords of parallel text.
        seed: of weights and training.
        export: file or, for a trained encoder-decoder, folder to save to.
        predict: image file to find boxes in.
        strict: refuse data with a bad annotation in place of leaving the annotation out.
        translate: text file to translate line by line.
        output: file for the translations, or for a picture of the boxes.
        reference: text file that the translations are compared with.
        beams: open hypotheses of decoding; 1 decodes greedily.
    """

    scale: str = "full"
    summary: bool = False
    device: str | None = None
    data: str | None = None
    epochs: int = 10
    steps: int | None = None
    width: float = 0.25
    resolution: int | None = None
    limit: int | None = None
    vocabulary: int = 8000
    seed: int = 0
    export: Path | None = None
    predict: Path | None = None
    strict: bool = False
    translate: Path | None = None
    output: Path | None = None
    reference: Path | None = None
    beams: int = 4
