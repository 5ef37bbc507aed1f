"""An expression as something that trains: written out, counted, trained, exported for plain Keras."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from autoglyph.experiments.replaying.replayed import Replayed
from autoglyph.experiments.replaying.wishes import Wishes
from autoglyph.search_spaces.expressions.program import Program

HANDLES = Program

_NETWORKS_ALONE = {
    "device": "--cost",
    "steps": "--steps",
    "width": "--width",
    "resolution": "--resolution",
    "vocabulary": "--vocabulary",
    "predict": "--predict",
    "strict": "--strict",
    "translate": "--translate",
    "output": "--output",
    "reference": "--reference",
    "beams": "--beams",
}


def carry_out(program: Program, found: Replayed, wishes: Wishes, *, quiet: bool = False) -> dict[str, Any]:
    """Writes the expression as text and LaTeX, counts it, and does what is wished.

    Args:
        program: the expression.
        found: where it comes from.
        wishes: what to do. A file "NAME.py" is the stand-alone file alone; a model "NAME.keras" is the trained
            network, with the stand-alone file "NAME.py" beside it.
        quiet: print nothing; otherwise epochs are printed as they come.

    Returns:
        Plain object with "text", "latex", "counts" and, where wished, "units", "training" and "export".

    Raises:
        ValueError: if a wish cannot be granted, in one sentence, before any training.
    """
    from autoglyph.child_programs.expression_layers import standalone_file, write_standalone
    from autoglyph.search_spaces.expressions.text import to_latex, to_text

    _check(found, wishes)
    file = standalone_file(program, found.name)
    result: dict[str, Any] = {
        "kind": "expressions",
        "model": found.name,
        "space": found.space,
        "vocabulary": program.vocabulary,
        "text": to_text(program),
        "latex": to_latex(program),
        "counts": _counts(program),
        "reads": list(file.reads),
        "recorded": found.recorded,
    }
    if wishes.summary:
        result["units"] = _units(program)
    model = None
    if wishes.data is not None:
        model, result["training"] = _train(file, wishes, quiet)
    if wishes.export is not None:
        if model is not None and wishes.export.suffix != ".py":
            from autoglyph.child_programs import export_model

            export_model(model, wishes.export)
            result["model_file"] = str(wishes.export)
        result["export"] = str(write_standalone(file, wishes.export.with_suffix(".py")))
        result["class"], result["function"] = file.class_name, file.function_name
    return result


def _check(found: Replayed, wishes: Wishes) -> None:
    defaults = {field.name: field.default for field in dataclasses.fields(Wishes)}
    for name, option in _NETWORKS_ALONE.items():
        if getattr(wishes, name) != defaults[name]:
            raise ValueError(f"{found.name} is an expression, no network: leave {option} out.")
    if (wishes.scale == "proxy") != (wishes.data is not None):
        raise ValueError(f"{found.name} is an expression, which has no full size and no proxy: leave --scale out.")
    if wishes.data is None and wishes.limit is not None:
        raise ValueError("--limit is for a training: add --train DATA.")
    if wishes.export is not None:
        _check_export(wishes.export, wishes.data is not None)


def _check_export(path: Path, is_trained: bool) -> None:
    from autoglyph.child_programs.expression_layers import check_standalone_path

    if path.suffix not in (".py", ".keras"):
        raise ValueError(
            f"Cannot export to {str(path)!r}: give NAME.py for a stand-alone file, or with --train DATA NAME.keras."
        )
    if path.suffix == ".keras":
        if not is_trained:
            raise ValueError(
                f"{str(path)!r} would hold a trained network: add --train DATA, or give a file name that ends in .py."
            )
        from autoglyph.child_programs import check_export_path

        check_export_path(path)
    check_standalone_path(path.with_suffix(".py"))


def _counts(program: Program) -> dict[str, int]:
    """Units, and operations and operands that the value depends on."""
    from autoglyph.search_spaces.expressions.evaluate import needed_units

    needed = [program.units[i] for i in needed_units(program)]
    unary = binary = 0
    operands = set()
    for unit in needed:
        is_binary = unit.binary != "left"
        binary += is_binary
        for term in [unit.left, unit.right] if is_binary else [unit.left]:
            unary += term.unary != "identity"
            operands |= {term.register} & set(program.words.operand_table)
    return {
        "units": len(program.units),
        "needed_units": len(needed),
        "unary_operations": unary,
        "binary_operations": binary,
        "operands": len(operands),
    }


def _units(program: Program) -> list[dict[str, str]]:
    return [
        {
            "unit": f"u{i + 1}",
            "left": f"{unit.left.unary}({unit.left.register})",
            "right": "" if unit.binary == "left" else f"{unit.right.unary}({unit.right.register})",
            "binary": unit.binary,
        }
        for i, unit in enumerate(program.units)
    ]


def _train(file: Any, wishes: Wishes, quiet: bool) -> tuple[Any, dict[str, Any]]:
    from autoglyph.child_programs import load_dataset, prepare_process
    from autoglyph.child_programs.expression_layers.training import train_found

    data = load_dataset(str(wishes.data), seed=wishes.seed, limit=wishes.limit)
    prepare_process(None)
    trained = train_found(file, data, epochs=wishes.epochs, seed=wishes.seed, quiet=quiet)
    return trained.model, {
        "data": data.name,
        "source": data.source,
        "validation": data.validation,
        "images": len(data.y_train),
        "chance": 100.0 / data.classes,
        "network": trained.network,
        "parameters": int(trained.model.count_params()),
        "learning_rate": trained.learning_rate,
        "learning_rates": trained.learning_rates,
        "epochs": trained.epochs,
    }
