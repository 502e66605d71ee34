"""What follows from the graph: rules, each a SPARQL CONSTRUCT in ontology/rules, fill the graph `inferred` in order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from urllib.parse import quote

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

    @property
    def outcome(self) -> ox.NamedNode:
        """The graph that has what it alone makes, in a store that keeps that."""
        return ox.NamedNode(f"urn:rule:{quote(self.name)}")


def shipped_rules(names: Names) -> list[Rule]:
    """The rules of this package in the order of their names, written for the base of `names`."""
    files = sorted((asset("ontology") / "rules").glob("*.rq"))
    return [Rule(p.stem, p.read_text("utf-8").replace(CANONICAL_BASE, names.base), names.graph("inferred")) for p in files]


def blocks(rules: Sequence[Rule]) -> list[tuple[Rule, ...]]:
    """The rules one by one, but those in a row that run again together."""
    rows = ((again, tuple(row)) for again, row in groupby(rules, lambda rule: rule.runs_again))
    return [block for again, row in rows for block in ([row] if again else [(rule,) for rule in row])]


def rebuild(store: ox.Store, rules: Sequence[Rule], made: ox.Store | None = None) -> set[ox.Quad]:
    """All that the rules infer from the rest of the store, which is left as it was: what their graphs say counts for nothing.

    Adds to `made` what each rule makes, in the graph `Rule.outcome`. Raises ValueError for a rule that the engine cannot run or
    that never comes to rest.
    """
    before = filled(store, rules)
    _replace(store, before, ())
    try:
        for block in blocks(rules):
            settle(store, block, made)
        return filled(store, rules)
    finally:
        _replace(store, filled(store, rules), before)


def renew(store: ox.Store, rules: Sequence[Rule], made: ox.Store | None = None) -> None:
    """Makes the graphs of the rules say what follows now, and nothing else. Fills `made` and raises as `rebuild` does."""
    now = rebuild(store, rules, made)
    _replace(store, filled(store, rules) - now, now)


def filled(store: ox.Store, rules: Sequence[Rule]) -> set[ox.Quad]:
    """What the graphs of the rules say."""
    graphs = {ox.NamedNode(rule.graph) for rule in rules}
    return {quad for graph in graphs for quad in store.quads_for_pattern(None, None, None, graph)}


def settle(store: ox.Store, block: Sequence[Rule], made: ox.Store | None = None) -> None:
    """Adds to the store what the rules of a block infer, each until it adds nothing before the next, all of them until none does.

    To `made` goes all that each of them makes, also what the store had before.
    """
    rounds = MOST_ROUNDS if block[0].runs_again else 1
    at_rest: set[Rule] = set()
    for _ in range(rounds):
        for rule in block:
            if rule not in at_rest and _run(store, rule, rounds, made):
                at_rest.clear()
            at_rest.add(rule)
        if rounds == 1 or len(at_rest) == len(block):
            return
    raise ValueError(f"The rules {', '.join(rule.name for rule in block)} still add something after {rounds} rounds")


def _run(store: ox.Store, rule: Rule, rounds: int, made: ox.Store | None) -> bool:
    """Adds to the store what the rule infers; whether that was anything."""
    graph, outcome = ox.NamedNode(rule.graph), rule.outcome
    for done in range(rounds):
        triples = inferred(store, rule)
        added = [quad for quad in (ox.Quad(t.subject, t.predicate, t.object, graph) for t in triples) if quad not in store]
        store.extend(added)
        if made is not None:
            made.extend(ox.Quad(t.subject, t.predicate, t.object, outcome) for t in triples)
        if not added or rounds == 1:
            return bool(added or done)
    raise ValueError(f"The rule {rule.name} still adds something after {rounds} rounds")


def inferred(store: ox.Store, rule: Rule, values: str = "", **options: Any) -> list[ox.Triple]:  # Any: the engine's own
    """What the rule makes, with a VALUES clause behind it if need be. Raises ValueError for one that the engine cannot run."""
    text = f"{rule.text}\n{values}" if values else rule.text  # by itself an error at its end is told where it is
    try:
        found = store.query(text, **options)
    except SyntaxError as error:
        raise ValueError(f"The rule {rule.name}: {error.msg}") from error
    if not isinstance(found, ox.QueryTriples):
        raise ValueError(f"The rule {rule.name} is no CONSTRUCT")
    return list(found)


def _replace(store: ox.Store, old: Iterable[ox.Quad], new: Iterable[ox.Quad]) -> None:
    for quad in old:
        store.remove(quad)
    store.extend(new)
