"""Efficient SpineNet: widths of blocks at equal multiply-adds, costed as mobile RetinaNets at 384 pixels.

Children are trained at their own widths, which would be equal, eight channels each, in a narrow copy. `--data` names
digits_canvas, or images with annotations in COCO's format ("ANNOTATIONS.json:FOLDER").
"""

from autoglyph.child_programs.detection.object_detection import ObjectDetection
from autoglyph.experiments.domain import Domain
from autoglyph.experiments.objectives import maximize
from autoglyph.search_spaces.spaces.spinenet_widths import SPACE

DOMAIN = Domain(
    space=SPACE,
    objectives=[maximize("ap")],
    program=ObjectDetection(width=1.0),
    device="v100",
    data="digits_canvas",
    load=lambda name, seed, program: program.load(name, seed),
    sources={"trained": "validation AP at 128 pixels, trained for few epochs"},
)
