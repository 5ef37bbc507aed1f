"""What `autoglyph replay` prints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from autoglyph.experiments.commands import _common, _detection_report


def print_result(result: dict[str, Any]) -> None:
    """Prints what was done; translations without a file stand alone on standard output."""
    translation = result.get("translation", {})
    if "texts" in translation:
        for text in translation["texts"]:
            print(text)
        _note_translation(translation)
        return
    (_detection_report.print_exported if "made_by" in result else _HEADERS.get(result["kind"], _print_network))(result)
    if "training" in result:
        _TRAININGS[result["kind"]](result["training"])
    if "model_file" in result:
        print(f"Saved: {result['model_file']} (import {Path(result['export']).stem}, then keras.models.load_model)")
    if "export" in result:
        print(_SAVED.get(result["kind"], _saved)(result))
    if "prediction" in result:
        _detection_report.print_prediction(result["prediction"])
    if translation:
        print(f"Translated {translation['lines']:,} lines to {translation['output']} with {_beams(translation)}.")
        _note_translation(translation)


def _print_network(result: dict[str, Any]) -> None:
    print(f"{result['model']} of {result['space']}, {result['scale']} size")
    print(
        f"parameters {result['parameters']:,} ({result['trainable_parameters']:,} trainable), "
        f"multiply-adds {result['madds']:,}"
    )
    print(f"in the workload {result['workload_parameters']:,} trainable, multiply-adds {result['workload_madds']:,}")
    if "cost" in result:
        from autoglyph.experiments.commands.cost import print_costs

        print_costs(result["model"], result["cost"])


def _print_expression(result: dict[str, Any]) -> None:
    counts = result["counts"]
    print(f"{result['model']} of {result['space']}")
    print(f"text   {result['text']}")
    print(f"LaTeX  {result['latex']}")
    print(
        f"units {counts['units']} ({counts['needed_units']} needed), operations {counts['unary_operations']} unary and "
        f"{counts['binary_operations']} binary, operands {counts['operands']}, reads {', '.join(result['reads'])}"
    )
    if "units" in result:
        rows = [[each["unit"], each["binary"], each["left"], each["right"]] for each in result["units"]]
        _common.print_table("Units", ["register", "binary", "left", "right"], rows)


def _print_images(training: dict[str, Any]) -> None:
    _common.print_table(
        f"Trained on {training['data']} ({training['images']:,} images; validation: {training['validation']})",
        ["epoch", "training loss", "validation top-1 (%)"],
        [[e["epoch"], e["loss"], e["top1"]] for e in training["epochs"]],
    )
    print(f"Chance is {training['chance']:.3g} %.")


def _print_expressions(training: dict[str, Any]) -> None:
    if training["learning_rates"]:
        _common.print_table(
            "Learning rates, one epoch each",
            ["learning rate", "validation top-1 (%)"],
            [list(row) for row in training["learning_rates"].items()],
        )
    print(
        f"A {training['network']} network of {training['parameters']:,} parameters, "
        f"learning rate {training['learning_rate']:g}"
    )
    _print_images(training)


def _print_sequences(training: dict[str, Any]) -> None:
    _common.print_table(
        f"Trained on {training['data']} ({training['pairs']:,} pairs; {training['validation_pairs']:,} for validation)",
        ["step", "training loss", "validation perplexity", "token accuracy (%)"],
        [[m["step"], m["loss"], m["perplexity"], m["token_accuracy"]] for m in training["measurements"]],
    )
    test = training["test"]
    print(
        f"{test['pairs']:,} test pairs with {_beams(test)}: {test['exact_match']:.2f} % exact, "
        f"BLEU {test['bleu']:.2f} ({test['signature']})"
    )


def _saved_expression(result: dict[str, Any]) -> str:
    return f"Saved: {result['export']} ({result['function']} and {result['class']}; needs Keras and TensorFlow alone)"


def _saved(result: dict[str, Any]) -> str:
    path = result["export"]
    if path.endswith(".keras"):
        return f"Saved: {path} (load with keras.models.load_model; outputs are logits)"
    return f"Saved: {path} (translate with autoglyph replay {path} --translate FILE)"


def _beams(decoded: dict[str, Any]) -> str:
    return "greedy decoding" if decoded["beams"] == 1 else f"{decoded['beams']} beams"


def _note_translation(translation: dict[str, Any]) -> None:
    if translation["cut"]:
        _common.note(f"{translation['cut']:,} lines were longer than the training allowed and were cut.")
    if "bleu" in translation:
        _common.note(f"BLEU {translation['bleu']:.2f} ({translation['signature']})")


_HEADERS: Mapping[str, Callable[[dict[str, Any]], None]] = {"expressions": _print_expression}
_SAVED: Mapping[str, Callable[[dict[str, Any]], str]] = {
    "expressions": _saved_expression,
    "detectors": _detection_report.saved,
}
_TRAININGS: Mapping[str, Callable[[dict[str, Any]], None]] = {
    "images": _print_images,
    "sequences": _print_sequences,
    "expressions": _print_expressions,
    "detectors": _detection_report.print_training,
}
