"""A detector as a Keras model: built, counted, costed, trained, exported, and set to find boxes in an image."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoglyph.experiments.replaying.replayed import Replayed, costs, summary
from autoglyph.experiments.replaying.wishes import Wishes
from autoglyph.search_spaces.architectures.retinanet import RetinaNet

if TYPE_CHECKING:
    from autoglyph.child_programs.detection.detector import Detector
    from autoglyph.child_programs.detection.examples import DetectionDataset
    from autoglyph.child_programs.detection.object_detection import ObjectDetection

HANDLES = RetinaNet

PROXY_RESOLUTION, PROXY_CHANNELS, PROXY_CLASSES = 128, 3, 90
SURE = 0.5
"""Score from which a box is shown."""
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")


def carry_out(network: RetinaNet, found: Replayed, wishes: Wishes, *, quiet: bool = False) -> dict[str, Any]:
    """Builds the model and does what is wished.

    Args:
        network: the individual as a network.
        found: where it comes from.
        wishes: what to do.
        quiet: print nothing; otherwise layers and epochs are printed as they come.

    Returns:
        Plain object with the counts of `summary` and, where wished, "cost", "training", "export", "prediction".

    Raises:
        ValueError: if a wish cannot be granted, in one sentence, before any training.
    """
    if wishes.steps is not None:
        raise ValueError(f"{found.name} is a detector, which trains for --epochs: leave --steps out.")
    if wishes.predict is not None and wishes.data is None:
        raise ValueError(f"{found.name} is not trained: add --train DATA, or give a .keras file that --export wrote.")
    _check_files(found.name, wishes)
    if wishes.export is not None:
        from autoglyph.child_programs import check_export_path

        check_export_path(wishes.export)
    from autoglyph.child_programs import prepare_process

    program = _program(network, wishes)
    data = None if wishes.data is None else program.load(wishes.data, wishes.seed)
    prepare_process(None)
    if data is None:
        return _untrained(network, program, found, wishes, quiet)
    begun = program.begin(network, seed=wishes.seed, data=data)
    result = _counted(begun.network, begun.detector.model, found, wishes, quiet)
    result["training"] = _train(program, begun.detector, begun.training, data, quiet)
    if wishes.export is not None:
        from autoglyph.child_programs.detection.detector_file import save_detector

        made_by = {"model": found.name, "space": found.space, "data": data.name, "epochs": wishes.epochs}
        result["export"] = str(save_detector(begun.detector, wishes.export, made_by))
    if wishes.predict is not None:
        result["prediction"] = _predict(begun.detector, wishes.predict, wishes.output)
    return result


def carry_out_file(file: Path, wishes: Wishes) -> dict[str, Any]:
    """Finds boxes with a detector that an export wrote.

    Args:
        file: "NAME.keras", with "NAME.json" beside it.
        wishes: what to do; it is trained already.

    Raises:
        ValueError: if a wish cannot be granted or the files cannot be read, in one sentence.
    """
    if wishes.data is not None or wishes.export is not None:
        raise ValueError(f"{str(file)!r} is trained and exported: leave --train and --export out.")
    if wishes.predict is None:
        raise ValueError(f"{str(file)!r} is a detector: give an image with --predict, or see `autoglyph cost {file}`.")
    _check_files(str(file), wishes)
    from autoglyph.child_programs.detection.detector_file import load_detector

    detector, made_by = load_detector(file)
    prediction = _predict(detector, wishes.predict, wishes.output)
    return {"kind": "detectors", "model": str(file), "made_by": made_by, "prediction": prediction}


def _check_files(name: str, wishes: Wishes) -> None:
    if wishes.translate is not None or wishes.reference is not None:
        raise ValueError(f"{name} is a detector: --translate needs an encoder-decoder.")
    if wishes.predict is None:
        if wishes.output is not None:
            raise ValueError(f"--output {wishes.output} is for a picture of boxes: add --predict IMAGE.")
        return
    if not wishes.predict.is_file():
        raise ValueError(f"There is no image {str(wishes.predict)!r}: check the path.")
    from autoglyph.child_programs.detection.examples import read_square

    read_square(wishes.predict, PROXY_RESOLUTION, PROXY_CHANNELS)
    if wishes.output is not None:
        if wishes.output.suffix.lower() not in PICTURES:
            raise ValueError(f"Cannot draw boxes to {str(wishes.output)!r}: give a file name that ends in .png.")
        if wishes.output.is_dir() or not wishes.output.parent.is_dir():
            raise ValueError(f"Cannot write {str(wishes.output)!r}: give a file in a folder that exists.")


def _program(network: RetinaNet, wishes: Wishes) -> ObjectDetection:
    """The child program at the size that is wished."""
    from autoglyph.child_programs.detection.object_detection import ObjectDetection

    settings: dict[str, Any] = {"epochs": [wishes.epochs], "limit": wishes.limit, "strict": wishes.strict}
    if wishes.scale == "full":
        settings |= {"width": None, "stacks": None, "resolution": network.resolution}
    else:
        settings |= {"width": wishes.width, "resolution": wishes.resolution or PROXY_RESOLUTION}
    return ObjectDetection(**settings)


def _untrained(
    network: RetinaNet, program: ObjectDetection, found: Replayed, wishes: Wishes, quiet: bool
) -> dict[str, Any]:
    from autoglyph.child_programs import build_model, build_shapes, export_model

    if wishes.scale == "proxy":
        network = program.proxy_of(network, channels=PROXY_CHANNELS, classes=PROXY_CLASSES)
    model = build_shapes(network) if wishes.export is None else build_model(network, seed=wishes.seed)
    result = _counted(network, model, found, wishes, quiet)
    if wishes.export is not None:
        result["export"] = str(export_model(model, wishes.export))
    return result


def _counted(network: RetinaNet, model: Any, found: Replayed, wishes: Wishes, quiet: bool) -> dict[str, Any]:
    if wishes.summary and not quiet:
        model.summary(line_length=110)
    result: dict[str, Any] = {
        "kind": "detectors",
        "model": found.name,
        "space": found.space,
        "scale": wishes.scale,
        **summary(network, model),
    }
    if wishes.device is not None:
        result["cost"] = costs(network, wishes.device)
    return result


def _train(
    program: ObjectDetection, detector: Detector, training: Any, data: DetectionDataset, quiet: bool
) -> dict[str, Any]:
    from autoglyph.child_programs import ChildFailed

    epochs = []
    last = program.epochs[-1]
    try:
        for epoch in range(1, last + 1):
            loss = training.train_until(epoch)
            measured = detector.measure(data.valid)
            epochs.append({"epoch": epoch, "loss": loss, **measured})
            if not quiet:
                print(
                    f"epoch {epoch}/{last}: loss {loss:.3f}, AP {measured['ap']:.2f}, AP50 {measured['ap50']:.2f}",
                    file=sys.stderr,
                    flush=True,
                )
        test = detector.measure(data.test)
    except ChildFailed as error:
        raise ValueError(str(error)) from error
    return {
        "data": data.name,
        "source": data.source,
        "skipped": list(data.skipped),
        "images": len(data.train),
        "boxes": data.train.num_boxes,
        "validation_images": len(data.valid),
        "resolution": data.resolution,
        "epochs": epochs,
        "test": {"images": len(data.test), "boxes": data.test.num_boxes, **test},
    }


def _predict(detector: Detector, image: Path, output: Path | None) -> dict[str, Any]:
    from autoglyph.child_programs.detection.examples import read_square
    from autoglyph.child_programs.detection.suppression import Detections

    channels = int(detector.model.inputs[0].shape[-1])
    pixels, scale = read_square(image, detector.anchors.resolution, channels)
    inner = detector.detect(pixels[None], least_score=SURE)[0]
    found = Detections(inner.boxes / scale, inner.classes, inner.scores)
    rows = zip(found.classes.tolist(), found.scores.tolist(), found.boxes.tolist(), strict=True)
    result: dict[str, Any] = {
        "image": str(image),
        "boxes": [{"class": detector.class_names[label], "score": s, "box": box} for label, s, box in rows],
    }
    if output is not None:
        from autoglyph.experiments.pictures.boxes import draw_boxes

        result["output"] = str(draw_boxes(image, found, detector.class_names, output))
    return result
