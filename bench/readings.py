"""What runs have left in `bench/readings`: figures of each graph, of growth and of things, with what was typed to get them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from bench.figures import Drive, Figures
from bench.growth import Cost
from bench.mixture import Mixture
from bench.targets import Target, Verdict

FOLDER = Path(__file__).with_name("readings")
SHIPPED, GROWTH, THINGS = "shipped", "growth", "things"


@dataclass(frozen=True)
class Record:
    """What one command has left, as its JSON says it."""

    content: Mapping[str, Any]

    @property
    def command(self) -> str:
        """What was typed."""
        return str(self.content["command"])

    def circumstance(self, topic: str) -> str:
        """The machine, versions, load, commit or date."""
        return str(self.content["circumstances"][topic])

    @cached_property
    def figures(self) -> Figures:
        """The drives of a run."""
        return Figures([Drive.of(record) for record in self.content["drives"]])

    @property
    def mixtures(self) -> dict[str, Mixture]:
        """Reads beside writes by server."""
        return {name: Mixture(**mixture) for name, mixture in self.content["mixtures"].items()}

    @property
    def not_modified(self) -> dict[str, float]:
        """304s a second by server."""
        return dict(self.content["not_modified"])

    @property
    def verdicts(self) -> list[Verdict]:
        """The goals, held against the run when it was made."""
        told = self.content["targets"]
        return [Verdict(Target(**each["target"]), each["figure"], each["note"]) for each in told]

    @property
    def costs(self) -> Sequence[Cost]:
        """What each size costs, of growth, the smallest first."""
        return sorted((Cost(**cost) for cost in self.content["costs"]), key=lambda cost: cost.triples)

    @property
    def things(self) -> Sequence[Mapping[str, Any]]:
        """The figures of things by kind."""
        return list(self.content["things"])


@dataclass(frozen=True)
class Readings:
    """The records of a folder: runs of generated graphs by size, the smallest first, and the others where there are any."""

    runs: Mapping[int, Record]
    shipped: Record | None
    growth: Record | None
    things: Record | None

    @classmethod
    def of(cls, folder: Path = FOLDER) -> "Readings":
        """The readings in a folder; a file's name says what is in it."""
        found = {path.stem: Record(json.loads(path.read_text("utf-8"))) for path in folder.glob("*.json")}
        sizes = sorted(int(name) for name in found if name.isdigit())
        return cls({size: found[str(size)] for size in sizes}, *(found.get(name) for name in (SHIPPED, GROWTH, THINGS)))

    @property
    def main(self) -> int:
        """The size of which most is told: a million if it is there, else the largest."""
        return 1_000_000 if 1_000_000 in self.runs else max(self.runs)
