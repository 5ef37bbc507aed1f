"""The members of a front as a value of its own, for notebooks and tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from autoglyph.experiments.run import Run


@dataclass(frozen=True)
class FrontMembers:
    """The Pareto front of a run.

    Attributes:
        run: whose front.
    """

    run: Run

    def __len__(self) -> int:
        return len(self.run.front)

    def __repr__(self) -> str:
        return f"<front of {len(self)} trials of the run {self.run.name!r}>"

    def frame(self) -> pd.DataFrame:
        """One row a member, by the first objective from worst to best; the columns are those of `Run.frame`."""
        return self.run.frame().iloc[self.run.front].reset_index(drop=True)

    def _repr_html_(self) -> str:
        from autoglyph.experiments.views.notebook import front_html

        return front_html(self.run)
