"""What the keeper knows of rules and shapes, so that no draft or trial that is forked from it has to find it out for itself."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING

import pyoxigraph as ox

from motorgraph.engine.delta import Written
from motorgraph.engine.draft import Known
from motorgraph.errors import StoreAway
from motorgraph.inference import Rule, renew
from motorgraph.notes import Notes

if TYPE_CHECKING:
    from motorgraph.consequences import Outcomes
    from motorgraph.readings import Readings
    from motorgraph.shapes import Shapes

log = logging.getLogger("motorgraph.store")


@dataclass
class Knowledge:
    """Of a store: its rules, its graph of shapes (`shapes_graph`, "" for none), and the graphs `apart` that they do not judge."""

    store: ox.Store
    rules: Sequence[Rule] = ()
    shapes_graph: str = ""
    apart: Sequence[ox.NamedNode] = ()
    notes: Notes | None = None
    _made: ox.Store | None = None
    """What each of the rules has made, where somebody has need of it."""
    _outcomes: Outcomes | None = None
    _shapes: Shapes | None = None
    _readings: Readings | None = field(default=None, repr=False)

    @property
    def known(self) -> Known:
        """As drafts and trials are given it."""
        return Known(self.rules, self._outcomes, self._shapes, frozenset(self._shapes.prepared if self._shapes else ()))

    def infer(self, *, keeps: bool) -> None:
        """Makes the graphs of the rules say what follows, and `keeps` what each of them makes, or not. Raises ValueError."""
        self._made = ox.Store() if self.rules and keeps else None
        renew(self.store, self.rules, self._made)

    def take_up(self, store: ox.Store, made: ox.Store | None) -> None:
        """Takes another store, whose graphs say what follows already, and what each rule has made there, if that is known."""
        self.store = store
        self._made = made if made is not None or not self.rules else ox.Store()

    def prepare(self, *, judges: bool) -> bool:
        """Reads the rules and, if somebody `judges`, the shapes, unless they are as they were. Whether anything was read."""
        before = self.known
        for step in self.steps(judges=judges):
            step()
        return before != self.known

    def steps(self, *, judges: bool) -> list[Callable[[], None]]:
        """What `prepare` does, one short step after the other."""
        reading = [self._find_outcomes, self._read_rules]
        return [*reading, *([_import_judging, self._parse_shapes] if judges else []), self._keep]

    def follow(self, written: Written) -> None:
        """Takes notice of a change that the store has."""
        if self._made is not None:
            written.keep(self._made)
        if self.shapes_graph in written.head["graphs"]:
            self._shapes = None

    def learn(self, constraints: Iterable[str]) -> None:
        """Parses constraints that a draft has had to ask, so that the next need not."""
        for text in constraints:
            if self._shapes is not None:
                self._shapes.prepare(text)

    def _find_outcomes(self) -> None:
        if self.rules and self._made is None:  # nobody writes here, so nobody has needed it
            self.infer(keeps=True)

    def _read_rules(self) -> None:
        if self._outcomes is None and self._made is not None:
            from motorgraph.consequences import Outcomes  # only for a service with rules that somebody writes to

            self._outcomes = Outcomes.of(self.rules, self._made, self._reader)

    def _parse_shapes(self) -> None:
        if self._shapes is not None or not self.shapes_graph:
            return
        from motorgraph.shapes import Shapes  # only for a service with shapes that somebody writes to

        try:
            self._shapes = Shapes.of(self.store, self.shapes_graph, self.apart, self._reader)
        except StoreAway as away:  # drafts judge in full, or are told so too
            log.warning("the shapes could not be read: %s", away.detail)
        except Exception:  # noqa: BLE001  # whatever pySHACL finds wrong with them: drafts judge in full, and say it
            traceback.print_exc()
            sys.stderr.flush()

    @property
    def _reader(self) -> Readings:
        from motorgraph.readings import Readings  # it knows of rdflib, as what reads does

        if self._readings is None:
            self._readings = Readings(self.notes)
        return self._readings

    def _keep(self) -> None:
        if self._readings is not None:
            self._readings.keep()


def _import_judging() -> None:
    """Imports what every draft and trial would import otherwise, each for itself."""
    import_module("motorgraph.change")
