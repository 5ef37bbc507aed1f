"""Predicted boxes drawn on an image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autoglyph.child_programs.detection.suppression import Detections

COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#CC79A7", "#D55E00", "#0072B2")
"""Okabe and Ito 2008: told apart by colour-blind readers."""
LEAST_SIDE = 512
"""Smaller images are enlarged, so that labels can be read."""


def draw_boxes(image: Path, found: Detections, class_names: Sequence[str], output: Path) -> Path:
    """Draws detections on an image, the surest on top.

    Args:
        image: file of any format that Pillow reads.
        found: boxes in pixels of the file.
        class_names: by number.
        output: file to write, in the format of its suffix.

    Raises:
        ValueError: in one sentence, if the picture cannot be written.
    """
    import PIL.Image
    import PIL.ImageDraw
    import PIL.ImageFont

    with PIL.Image.open(image) as opened:
        picture = opened.convert("RGB")
    factor = max(1, -(-LEAST_SIDE // max(picture.size)))
    picture = picture.resize((picture.width * factor, picture.height * factor), PIL.Image.Resampling.NEAREST)
    draw = PIL.ImageDraw.Draw(picture)
    line = max(2, round(max(picture.size) / 250))
    font = PIL.ImageFont.load_default(6.0 * line)
    rows = zip(found.boxes.tolist(), found.classes.tolist(), found.scores.tolist(), strict=True)
    for box, label, score in reversed([*rows]):
        left, top, right, bottom = (value * factor for value in box)
        colour = COLOURS[label % len(COLOURS)]
        draw.rectangle((left, top, max(left, right), max(top, bottom)), outline=colour, width=line)
        text = f"{class_names[label]} {score:.2f}"
        _, _, width, height = draw.textbbox((0, 0), text, font=font)
        above = max(0.0, top - height - line)
        draw.rectangle((left, above, left + width + 2 * line, above + height + line), fill=colour)
        draw.text((left + line, above), text, fill="black", font=font)
    try:
        picture.save(output)
    except (OSError, ValueError) as error:
        raise ValueError(f"Could not write {str(output)!r} ({error}): give a file name that ends in .png.") from error
    return output
