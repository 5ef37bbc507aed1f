"""SpineNet: scale-permuted backbones for detection, costed as RetinaNets at 640 pixels.

`--data` names digits_canvas, or images with annotations in COCO's format ("ANNOTATIONS.json:FOLDER").
"""

from autoglyph.child_programs.detection.object_detection import ObjectDetection
from autoglyph.experiments.domain import Domain
from autoglyph.experiments.objectives import maximize
from autoglyph.search_spaces.spaces.spinenet import SPACE

DOMAIN = Domain(
    space=SPACE,
    objectives=[maximize("ap")],
    program=ObjectDetection(),
    device="v100",
    data="digits_canvas",
    load=lambda name, seed, program: program.load(name, seed),
    sources={"trained": "validation AP of a small copy, trained for few epochs"},
)
