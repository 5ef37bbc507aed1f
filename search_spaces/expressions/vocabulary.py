"""Vocabularies of expressions as data: operands, unary and binary operations, each with its source."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

from autoglyph.search_spaces import plugins
from autoglyph.search_spaces.expressions.binary_operations import BINARIES
from autoglyph.search_spaces.expressions.operation import Operation
from autoglyph.search_spaces.expressions.unary_operations import UNARIES

Shape = tuple[str, str]
"""Names of rows and columns, such as ("batch", "units")."""


@dataclass(frozen=True)
class Operand:
    """An input of expressions.

    Attributes:
        name: what programs call it.
        latex: how it is written.
        shape: names of its two dimensions where operands differ in shape, else None.
        meaning: what it holds, in a line.
    """

    name: str
    latex: str
    shape: Shape | None = None
    meaning: str = ""


@dataclass(frozen=True)
class Vocabulary:
    """What expressions of one domain are made of.

    Attributes:
        name: what programs call it.
        operands: the first registers of every program, in order.
        unaries: names of unary operations that are searched over.
        binaries: names of binary operations that are searched over.
        source: paper and table.
        status: "recalled" where the source was not at hand, "read" where it was.
        also: further operations that programs may use but no search draws.
    """

    name: str
    operands: tuple[Operand, ...]
    unaries: tuple[str, ...]
    binaries: tuple[str, ...]
    source: str
    status: str = "recalled"
    also: tuple[str, ...] = field(default=("left",))

    @functools.cached_property
    def unary_table(self) -> dict[str, Operation]:
        """Unary operations by name, in the order that rows of numbers count them."""
        names = dict.fromkeys([*self.unaries, *(name for name in self.also if name in UNARIES)])
        return {name: UNARIES[name] for name in names}

    @functools.cached_property
    def binary_table(self) -> dict[str, Operation]:
        """Binary operations by name, in the order that rows of numbers count them."""
        names = dict.fromkeys([*self.binaries, *(name for name in self.also if name in BINARIES)])
        return {name: BINARIES[name] for name in names}

    @functools.cached_property
    def operand_table(self) -> dict[str, Operand]:
        """Operands by name."""
        return {operand.name: operand for operand in self.operands}


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ACTIVATION = Vocabulary(
    "activation",
    (Operand("x", "x", meaning="the pre-activation"),),
    _names(
        "identity negative abs square cube sqrt beta_times beta_plus log_abs exp sin cos sinh cosh tanh asinh atan "
        "sinc relu min_zero sigmoid softplus gaussian erf beta"
    ),
    _names("add multiply subtract divide max min gate exp_square exp_abs mix"),
    "Ramachandran et al. 2017, Searching for Activation Functions (arXiv:1710.05941)",
)

_OPTIMIZER_OPERANDS = (
    Operand("g", "g", meaning="the gradient"),
    Operand("g2", "g^{2}"),
    Operand("g3", "g^{3}"),
    Operand("m", r"\hat m", meaning="bias-corrected moving average of g, decay 0.9"),
    Operand("v", r"\hat v", meaning="bias-corrected moving average of g^2, decay 0.999"),
    Operand("gamma", r"\hat\gamma", meaning="bias-corrected moving average of g^3, decay 0.999"),
    Operand("sign_g", r"\operatorname{sign}(g)"),
    Operand("sign_m", r"\operatorname{sign}(\hat m)"),
    Operand("one", "1"),
    Operand("two", "2"),
    Operand("noise", r"\epsilon", meaning="normal noise of variance 0.01"),
    Operand("w4", "10^{-4} w"),
    Operand("w3", "10^{-3} w"),
    Operand("w2", "10^{-2} w"),
    Operand("w1", "10^{-1} w"),
    Operand("adam", r"\mathrm{Adam}", meaning="m / (sqrt(v) + 1e-8)"),
    Operand("rmsprop", r"\mathrm{RMSProp}", meaning="g / (sqrt(v) + 1e-8)"),
)
_OPTIMIZER_UNARIES = _names(
    "identity negative exp log_abs sqrt_abs clip_1e5 clip_1e4 clip_1e3 drop_1 drop_3 drop_5 sign"
)
_OPTIMIZER_BINARIES = _names("add subtract multiply divide power left")
_OPTIMIZER_SOURCE = "Bello et al. 2017, Neural Optimizer Search (arXiv:1709.07417)"
OPTIMIZER = Vocabulary("optimizer", _OPTIMIZER_OPERANDS, _OPTIMIZER_UNARIES, _OPTIMIZER_BINARIES, _OPTIMIZER_SOURCE)
_DECAYS = (
    Operand("ld", r"\mathrm{ld}", meaning="linear decay 1 - t/T"),
    Operand("cd", r"\mathrm{cd}", meaning="cosine decay (1 + cos(2 pi n t/T)) / 2, n = 0.5"),
    Operand("rd", r"\mathrm{rd}", meaning="restart decay (1 + cos(pi (n t mod T)/T)) / 2, n = 20"),
)
OPTIMIZER_DECAYS = Vocabulary(
    "optimizer_decays",
    (*_OPTIMIZER_OPERANDS, *_DECAYS),
    _OPTIMIZER_UNARIES,
    _OPTIMIZER_BINARIES,
    _OPTIMIZER_SOURCE + "; its decays as operands",
)
OPTIMIZER_EXTENDED = Vocabulary(
    "optimizer_extended",
    (
        *_OPTIMIZER_OPERANDS,
        *_DECAYS,
        Operand("velocity", r"u", meaning="sum of g, of which 0.9 is kept at every step, as in SGD with momentum"),
        Operand("mean_square", r"q", meaning="moving average of g^2, decay 0.9, not bias-corrected, as in RMSProp"),
        Operand("blend", r"c", meaning="0.9 times the average of g of decay 0.99 before this step, plus 0.1 g: Lion's"),
    ),
    _OPTIMIZER_UNARIES,
    _OPTIMIZER_BINARIES,
    _OPTIMIZER_SOURCE + "; with decays, and the averages of SGD with momentum, RMSProp and Lion (arXiv:2302.06675)",
)

BACKPROP = Vocabulary(
    "backprop",
    (
        Operand("g_bp", r"g^{bp}", ("batch", "units"), "s'(p_i) * (b_next W^T), the error of back-propagation"),
        Operand("g_fa", r"g^{fa}", ("batch", "units"), "s'(p_i) * (b_next R^T), that of feedback alignment"),
        Operand("g_dfa", r"g^{dfa}", ("batch", "units"), "s'(p_i) * (b_last D^T), that of direct feedback alignment"),
        Operand("p", r"h^{p}_{i}", ("batch", "units"), "pre-activations of the layer"),
        Operand("h", r"h_{i}", ("batch", "units"), "activations of the layer"),
        Operand("slope", r"\sigma'(h^{p}_{i})", ("batch", "units"), "slope of the activation function at p"),
        Operand("p_next", r"h^{p}_{i+1}", ("batch", "next"), "pre-activations of the layer after"),
        Operand("b_next", r"b^{p}_{i+1}", ("batch", "next"), "error that the layer after was given"),
        Operand("b_last", r"b^{p}_{L}", ("batch", "outputs"), "error at the logits"),
        Operand("w", r"W_{i+1}", ("units", "next"), "weights from the layer to the layer after"),
        Operand("sign_w", r"\operatorname{sign}(W_{i+1})", ("units", "next")),
        Operand("r", r"R_{i+1}", ("units", "next"), "fixed normal numbers"),
        Operand("s", r"S_{i+1}", ("units", "next"), "|R| with the signs of the weights"),
        Operand("d", r"D_{i}", ("units", "outputs"), "fixed normal numbers from the layer to the logits"),
    ),
    _names(
        "identity transpose negative abs reciprocal step relu min_zero sign sqrt_abs square cube half twice clip_001 "
        "clip_01 clip_1 drop_1 drop_3 drop_5 norm_all norm_rows_1 norm_rows_2 norm_rows_inf norm_columns_1 "
        "norm_columns_2 norm_columns_inf"
    ),
    _names("add subtract multiply divide min max left matmul"),
    "Alber et al. 2018, Backprop Evolution (arXiv:1808.02822); the selection of terms is this project's",
)
_VOCABULARIES = {each.name: each for each in (ACTIVATION, OPTIMIZER, OPTIMIZER_DECAYS, OPTIMIZER_EXTENDED, BACKPROP)}


def vocabulary(name: str) -> Vocabulary:
    """A vocabulary by name.

    Raises:
        ValueError: if there is none of that name.
    """
    if name not in _VOCABULARIES:
        raise plugins.unknown_name("vocabulary", name, _VOCABULARIES)
    return _VOCABULARIES[name]
