"""What an operation is: a row of the tables of the vocabularies."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Typing = Literal["same", "transpose", "matmul", "left"]


@dataclass(frozen=True)
class Operation:
    """A unary or binary operation.

    Attributes:
        name: what programs call it.
        arity: 1 or 2.
        function: (backend, *arguments, context) -> array.
        derivative: (backend, *arguments, result, context) -> partial derivatives by each argument and by beta; None
            is a derivative that is 0 everywhere. None as a whole where the operation is not differentiated.
        text: how it is written, with {0} and {1}; a call of its name where empty.
        latex: the same in LaTeX, with @0 and @1.
        commutative: whether its arguments may be exchanged, rounding included.
        typing: "same": all arguments and the result have one shape; "transpose"; "matmul"; "left": that of the first.
        numerics: what it gives outside its domain, or beside the usual; empty where IEEE arithmetic says it.
    """

    name: str
    arity: int
    function: Callable[..., Any]
    derivative: Callable[..., tuple[Any, ...]] | None = None
    text: str = ""
    latex: str = ""
    commutative: bool = False
    typing: Typing = "same"
    numerics: str = ""

    def written(self, *arguments: str) -> str:
        """The operation applied to texts."""
        return self.text.format(*arguments) if self.text else f"{self.name}({', '.join(arguments)})"

    def in_latex(self, *arguments: str) -> str:
        """The operation applied to LaTeX."""
        name = self.name.replace("_", r"\_")
        latex = self.latex or rf"\operatorname{{{name}}}\left(" + r",\, ".join(["@0", "@1"][: self.arity]) + r"\right)"
        return re.sub("@([01])", lambda match: arguments[int(match[1])], latex)
