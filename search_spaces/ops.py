"""The operations of the architecture language: what each one computes, in shapes.

Every shape formula of the project is here, once. A reading of an architecture (workload, Keras model,
picture) asks the operation for its output shape and its weights and never derives them again.
Shapes leave out the batch: (height, width, channels) for images, (length, channels) for sequences,
(channels,) for vectors. Padding is TensorFlow's SAME unless told.

The operations stand by meaning in `ops_base`, `ops_windows`, `ops_products` and `ops_elementwise`.
"""

from autoglyph.search_spaces.ops_base import ActivationKind, Input, Op, Padding, PoolKind, Shape, Sizes
from autoglyph.search_spaces.ops_elementwise import (
    Activation,
    Add,
    BatchNorm,
    Concat,
    Dropout,
    GroupNorm,
    LayerNorm,
    Multiply,
    Permute,
    Reshape,
    Scale,
    Standardize,
)
from autoglyph.search_spaces.ops_products import Attention, Dense, Embedding, MatMul
from autoglyph.search_spaces.ops_windows import (
    Conv,
    Crop,
    DepthwiseConv,
    GlobalPool,
    Pool,
    TransposedConv,
    Upsample,
    ZeroPad,
    each,
)

__all__ = [
    "Activation",
    "ActivationKind",
    "Add",
    "Attention",
    "BatchNorm",
    "Concat",
    "Conv",
    "Crop",
    "Dense",
    "DepthwiseConv",
    "Dropout",
    "Embedding",
    "GlobalPool",
    "GroupNorm",
    "Input",
    "LayerNorm",
    "MatMul",
    "Multiply",
    "Op",
    "Padding",
    "Permute",
    "Pool",
    "PoolKind",
    "Reshape",
    "Scale",
    "Shape",
    "Sizes",
    "Standardize",
    "TransposedConv",
    "Upsample",
    "ZeroPad",
    "each",
]
