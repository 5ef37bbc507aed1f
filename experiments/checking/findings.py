"""What a check finds: each contract kept, or the problem with its line and its fix."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One contract.

    Attributes:
        contract: what a domain must keep to.
        problem: what is wrong, None if it is kept.
        fix: what to do about it.
        line: where in the file, None if it is nowhere in it.
        note: something worth knowing that is no fault.
    """

    contract: str
    problem: str | None = None
    fix: str | None = None
    line: int | None = None
    note: str | None = None


class BrokenContract(Exception):
    """A contract that is not kept.

    Args:
        problem: what is wrong, in one sentence.
        fix: what to do about it.
        line: where in the file.
    """

    def __init__(self, problem: str, fix: str, line: int | None) -> None:
        super().__init__(problem)
        self.problem, self.fix, self.line = problem, fix, line


@dataclass(frozen=True)
class Report:
    """The findings on a domain.

    Attributes:
        reference: the domain as it was named.
        path: its file, None if it has none.
        findings: one for each contract that was reached.
    """

    reference: str
    path: Path | None
    findings: list[Finding]

    @property
    def ok(self) -> bool:
        """Whether all contracts are kept."""
        return not self.problems

    @property
    def problems(self) -> list[Finding]:
        """Contracts that are not kept."""
        return [finding for finding in self.findings if finding.problem is not None]

    def sentence(self, finding: Finding) -> str:
        """A problem as file:line: problem; fix."""
        where = self.reference if self.path is None else str(self.path)
        line = "" if finding.line is None else f":{finding.line}"
        return f"{where}{line}: {finding.problem} Fix: {finding.fix}"

    def to_json(self) -> dict[str, Any]:
        """Plain object."""
        contracts = [{"contract": f.contract, "ok": f.problem is None, **vars(f)} for f in self.findings]
        path = None if self.path is None else str(self.path)
        return {"domain": self.reference, "file": path, "ok": self.ok, "contracts": contracts}
