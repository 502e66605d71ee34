"""What a figure has to be, and the table that says whether it is."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A bound that a figure keeps: not under it if `at_least`, else not over it."""

    name: str
    bound: float
    unit: str = ""
    at_least: bool = False


@dataclass(frozen=True)
class Verdict:
    """A target held against a figure; no figure means that it was not measured or that it is void."""

    target: Target
    figure: float | None
    note: str = ""

    @property
    def word(self) -> str:
        """One of pass, miss and none."""
        if self.figure is None:
            return "none"
        kept = self.figure >= self.target.bound if self.target.at_least else self.figure <= self.target.bound
        return "pass" if kept else "miss"

    def row(self) -> str:
        """The verdict as a line of text."""
        figure = "-" if self.figure is None else f"{self.figure:,.2f}"
        sign = ">=" if self.target.at_least else "<="
        bound = f"{sign} {self.target.bound:,.2f} {self.target.unit}"
        return f"{self.word:4}  {self.target.name:58} {figure:>12} {bound:20} {self.note}".rstrip()


def print_verdicts(verdicts: Sequence[Verdict]) -> bool:
    """Print the table and return whether every figure was measured and keeps its bound."""
    print("\nTargets")
    for verdict in verdicts:
        print(verdict.row())
    return all(verdict.word == "pass" for verdict in verdicts)
