"""What follows from the graph: rules, each a SPARQL CONSTRUCT in ontology/rules, fill the graph `inferred` in order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import pyoxigraph as ox

from motorgraph.resources import asset
from motorgraph.vocab import CANONICAL_BASE, Names

AGAIN = "# again: until it adds nothing"
MOST_ROUNDS = 50


@dataclass(frozen=True, slots=True)
class Rule:
    """A CONSTRUCT over the named graphs, and the graph that it fills.

    One that reads what it makes has the comment `AGAIN`; several such in a row also read what the others of them make.
    """

    name: str
    text: str
    graph: str

    @property
    def runs_again(self) -> bool:
        """Whether it runs until it adds nothing."""
        return AGAIN in self.text.splitlines()


def shipped_rules(names: Names) -> list[Rule]:
    """The rules of this package in the order of their names, written for the base of `names`."""
    files = sorted((asset("ontology") / "rules").glob("*.rq"))
    return [Rule(p.stem, p.read_text("utf-8").replace(CANONICAL_BASE, names.base), names.graph("inferred")) for p in files]


def rebuild(store: ox.Store, rules: Sequence[Rule]) -> set[ox.Quad]:
    """All that the rules infer from the rest of the store, which is left as it was: what their graphs say counts for nothing.

    Raises ValueError for a rule that the engine cannot run or that never comes to rest.
    """
    before = filled(store, rules)
    _replace(store, before, ())
    try:
        for again, block in groupby(rules, lambda rule: rule.runs_again):
            _settle(store, list(block), MOST_ROUNDS if again else 1)
        return filled(store, rules)
    finally:
        _replace(store, filled(store, rules), before)


def renew(store: ox.Store, rules: Sequence[Rule]) -> None:
    """Makes the graphs of the rules say what follows now, and nothing else. Raises what `rebuild` does."""
    made = rebuild(store, rules)
    _replace(store, filled(store, rules) - made, made)


def filled(store: ox.Store, rules: Sequence[Rule]) -> set[ox.Quad]:
    """What the graphs of the rules say."""
    graphs = {ox.NamedNode(rule.graph) for rule in rules}
    return {quad for graph in graphs for quad in store.quads_for_pattern(None, None, None, graph)}


def _settle(store: ox.Store, rules: Sequence[Rule], rounds: int) -> None:
    """Adds to the store what the rules infer, each until it adds nothing before the next, all of them until none does."""
    for _ in range(rounds):
        added = [_run(store, rule, rounds) for rule in rules]
        if rounds == 1 or not any(added):
            return
    raise ValueError(f"The rules {', '.join(rule.name for rule in rules)} still add something after {rounds} rounds")


def _run(store: ox.Store, rule: Rule, rounds: int) -> bool:
    """Adds to the store what the rule infers; whether that was anything."""
    for done in range(rounds):
        added = [quad for quad in _inferred(store, rule) if quad not in store]
        store.extend(added)
        if not added or rounds == 1:
            return bool(added or done)
    raise ValueError(f"The rule {rule.name} still adds something after {rounds} rounds")


def _inferred(store: ox.Store, rule: Rule) -> list[ox.Quad]:
    try:
        found = store.query(rule.text)
    except SyntaxError as error:
        raise ValueError(f"The rule {rule.name}: {error.msg}") from error
    if not isinstance(found, ox.QueryTriples):
        raise ValueError(f"The rule {rule.name} is no CONSTRUCT")
    graph = ox.NamedNode(rule.graph)
    return [ox.Quad(t.subject, t.predicate, t.object, graph) for t in found]


def _replace(store: ox.Store, old: Iterable[ox.Quad], new: Iterable[ox.Quad]) -> None:
    for quad in old:
        store.remove(quad)
    store.extend(new)
