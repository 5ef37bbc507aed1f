"""What `autoglyph replay` prints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from autoglyph.experiments.commands import _common


def print_result(result: dict[str, Any]) -> None:
    """Prints what was done; translations without a file stand alone on standard output."""
    translation = result.get("translation", {})
    if "texts" in translation:
        for text in translation["texts"]:
            print(text)
        _note_translation(translation)
        return
    print(f"{result['model']} of {result['space']}, {result['scale']} size")
    print(
        f"parameters {result['parameters']:,} ({result['trainable_parameters']:,} trainable), "
        f"multiply-adds {result['madds']:,}"
    )
    print(f"in the workload {result['workload_parameters']:,} trainable, multiply-adds {result['workload_madds']:,}")
    if "cost" in result:
        from autoglyph.experiments.commands.cost import print_costs

        print_costs(result["model"], result["cost"])
    if "training" in result:
        _TRAININGS[result["kind"]](result["training"])
    if "export" in result:
        print(_saved(result["export"]))
    if translation:
        print(f"Translated {translation['lines']:,} lines to {translation['output']} with {_beams(translation)}.")
        _note_translation(translation)


def _print_images(training: dict[str, Any]) -> None:
    _common.print_table(
        f"Trained on {training['data']} ({training['images']:,} images; validation: {training['validation']})",
        ["epoch", "training loss", "validation top-1 (%)"],
        [[e["epoch"], e["loss"], e["top1"]] for e in training["epochs"]],
    )
    print(f"Chance is {training['chance']:.3g} %.")


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


def _saved(path: str) -> str:
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


_TRAININGS: Mapping[str, Callable[[dict[str, Any]], None]] = {"images": _print_images, "sequences": _print_sequences}
