"""What an individual is worth: the child programs that train it, and accuracy surrogates."""

from typing import TYPE_CHECKING

from autoglyph.search_spaces import lazy_names

if TYPE_CHECKING:
    from autoglyph.child_programs.base import ChildFailed, ChildProgram, Measurement, Rung
    from autoglyph.child_programs.classifier_training import ClassifierTraining
    from autoglyph.child_programs.datasets import Dataset, load_dataset
    from autoglyph.child_programs.export import check_export_path, export_model
    from autoglyph.child_programs.fused_optimizers import OPTIMIZERS
    from autoglyph.child_programs.image_classification import ImageClassification
    from autoglyph.child_programs.keras_layers import keras_value
    from autoglyph.child_programs.keras_net import KerasNet, build_model, build_shapes
    from autoglyph.child_programs.model_counts import count_madds, count_parameters
    from autoglyph.child_programs.surrogates.surrogate import LinearSurrogate, load_surrogate
    from autoglyph.child_programs.tensorflow_process import prepare_process

__all__ = [
    "OPTIMIZERS",
    "ChildFailed",
    "ChildProgram",
    "ClassifierTraining",
    "Dataset",
    "ImageClassification",
    "KerasNet",
    "LinearSurrogate",
    "Measurement",
    "Rung",
    "build_model",
    "build_shapes",
    "check_export_path",
    "count_madds",
    "count_parameters",
    "export_model",
    "keras_value",
    "load_dataset",
    "load_surrogate",
    "prepare_process",
]

_HOMES = {
    "OPTIMIZERS": "fused_optimizers",
    "ChildFailed": "base",
    "ChildProgram": "base",
    "ClassifierTraining": "classifier_training",
    "Dataset": "datasets",
    "ImageClassification": "image_classification",
    "KerasNet": "keras_net",
    "LinearSurrogate": "surrogates.surrogate",
    "Measurement": "base",
    "Rung": "base",
    "build_model": "keras_net",
    "build_shapes": "keras_net",
    "check_export_path": "export",
    "count_madds": "model_counts",
    "count_parameters": "model_counts",
    "export_model": "export",
    "keras_value": "keras_layers",
    "load_dataset": "datasets",
    "load_surrogate": "surrogates.surrogate",
    "prepare_process": "tensorflow_process",
}

__getattr__ = lazy_names.importer(__name__, _HOMES)
