"""An image classifier as a Keras model: built, counted, costed, trained, exported."""

from __future__ import annotations

import sys
from typing import Any

from autoglyph.experiments.replaying.replayed import Replayed, costs, summary
from autoglyph.experiments.replaying.wishes import Wishes
from autoglyph.search_spaces.architecture import Architecture

HANDLES = Architecture

PROXY_RESOLUTION, PROXY_CHANNELS, PROXY_CLASSES = 32, 3, 10


def carry_out(network: Architecture, found: Replayed, wishes: Wishes, *, quiet: bool = False) -> dict[str, Any]:
    """Builds the model and does what is wished.

    Args:
        network: the individual as a network.
        found: where it comes from.
        wishes: what to do.
        quiet: print nothing; otherwise layers and epochs are printed as they come.

    Returns:
        Plain object with the counts of `summary` and, where wished, "cost", "training" and "export".

    Raises:
        ValueError: if a wish cannot be granted, in one sentence, before any training.
    """
    if wishes.translate is not None or wishes.output is not None or wishes.reference is not None:
        raise ValueError(f"{found.name} is an image classifier: --translate needs an encoder-decoder.")
    if wishes.predict is not None:
        raise ValueError(f"{found.name} is an image classifier: --predict needs a detector.")
    if wishes.steps is not None:
        raise ValueError(f"{found.name} is an image classifier, which trains for --epochs: leave --steps out.")
    if wishes.export is not None:
        from autoglyph.child_programs import check_export_path

        check_export_path(wishes.export)
    data = _load(wishes)
    architecture = _sized(network, wishes, data)

    from autoglyph.child_programs import ImageClassification, build_model, prepare_process

    prepare_process(None)
    momentum = ImageClassification().norm_momentum if wishes.scale == "proxy" else None
    model = build_model(architecture, seed=wishes.seed, norm_momentum=momentum)
    if wishes.summary and not quiet:
        model.summary(line_length=110)
    result: dict[str, Any] = {
        "kind": "images",
        "model": found.name,
        "space": found.space,
        "scale": wishes.scale,
        **summary(architecture, model),
    }
    if wishes.device is not None:
        result["cost"] = costs(architecture, wishes.device)
    if data is not None:
        result["training"] = _train(model, architecture, data, wishes, quiet)
    if wishes.export is not None:
        from autoglyph.child_programs import export_model

        export_model(model, wishes.export)
        result["export"] = str(wishes.export)
    return result


def _load(wishes: Wishes) -> Any:
    if wishes.data is None:
        return None
    from autoglyph.child_programs import load_dataset

    return load_dataset(wishes.data, seed=wishes.seed, limit=wishes.limit)


def _sized(architecture: Architecture, wishes: Wishes, data: Any) -> Architecture:
    if wishes.scale == "full":
        return architecture if data is None else architecture.for_data(channels=data.channels, classes=data.classes)
    own = PROXY_RESOLUTION if data is None else max(PROXY_RESOLUTION, data.resolution)
    return architecture.proxy(
        resolution=wishes.resolution or own,
        channels=PROXY_CHANNELS if data is None else data.channels,
        classes=PROXY_CLASSES if data is None else data.classes,
        width=wishes.width,
    )


def _train(model: Any, architecture: Architecture, data: Any, wishes: Wishes, quiet: bool) -> dict[str, Any]:
    from autoglyph.child_programs import OPTIMIZERS, ClassifierTraining, ImageClassification

    settings = ImageClassification()
    training = ClassifierTraining(
        model,
        OPTIMIZERS[settings.optimizer](model.trainable_variables),
        data.resized(architecture.resolution),
        batch_size=settings.batch_size,
        label_smoothing=settings.label_smoothing,
        peak_learning_rate=settings.learning_rate,
        warmup_share=settings.warmup_share,
        epochs=wishes.epochs,
        seed=wishes.seed,
    )
    epochs = []
    for epoch in range(1, wishes.epochs + 1):
        loss = training.train_until(epoch)
        measured = training.validate()
        epochs.append({"epoch": epoch, "loss": loss, "top1": measured["top1"], "validation_loss": measured["loss"]})
        if not quiet:
            print(
                f"epoch {epoch}/{wishes.epochs}: loss {loss:.3f}, top-1 {measured['top1']:.2f} %",
                file=sys.stderr,
                flush=True,
            )
    return {
        "data": data.name,
        "source": data.source,
        "validation": data.validation,
        "images": len(data.y_train),
        "resolution": architecture.resolution,
        "chance": 100.0 / data.classes,
        "epochs": epochs,
    }
