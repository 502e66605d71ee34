"""What a change makes of what the rules infer, at the cost of the change: each rule is worked out again only where it is touched.

Of each rule is known what it has made (`Outcomes.made`). A changed triple touches it at some terms of its focus; what it makes
there is compared with what it made there before, and the difference is a change for the rules that come after it. A rule without
a focus, and those that settle together, are worked out again in full, if a changed triple touches them at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import pyoxigraph as ox
from rdflib.plugins.sparql import prepareQuery

from motorgraph.engine.footprint import seeing
from motorgraph.focus import Focus, Sight, sight
from motorgraph.inference import Rule, blocks, inferred, settle
from motorgraph.merged import EVERYWHERE, Unmerged
from motorgraph.queried import GraphLook
from motorgraph.reach import HERE, OBJECT, PREDICATE, Look, Term
from motorgraph.readings import Readings

MOST_TERMS = 10_000
MOST_ALONE = 100
"""At how many terms of its focus a rule is worked out: if the engine takes them all at once, and one by one. Then in full."""
MOST_WALKS = 20_000
"""How many walks from changed triples to the focus of a rule are worth their while."""
Quads = set[ox.Quad]
Triples = set[ox.Triple]
Seen = tuple[Term | None, ox.NamedNode | None, Term | None]


@dataclass(frozen=True)
class Outcomes:
    """The rules, read, and what each of them has made (`made`, in the graph `Rule.outcome`): of one state of the graph."""

    blocks: list[tuple[Rule, ...]]
    sights: dict[Rule, Sight]
    made: ox.Store
    _places: dict[ox.NamedNode, tuple[int, ox.NamedNode]]
    """By the graph `Rule.outcome`: the number of the rule's block, and the graph that it fills."""

    @classmethod
    def of(cls, rules: Sequence[Rule], made: ox.Store, readings: Readings | None = None) -> Outcomes:
        """With what the rules have made so far; `readings` are what has been read out of rules before."""
        known = readings or Readings()
        rows = blocks(rules)
        places = {rule.outcome: (at, ox.NamedNode(rule.graph)) for at, block in enumerate(rows) for rule in block}
        return cls(rows, {rule: _read(rule, known) for rule in rules}, made, places)

    def found(
        self,
        subject: Term | None = None,
        predicate: ox.NamedNode | None = None,
        object_: Term | None = None,
        graph: ox.NamedNode | None = None,
    ) -> Iterator[ox.Quad]:
        """What the rules, or the one with this outcome, have made of a pattern (None: any term)."""
        if not isinstance(subject, ox.Literal):
            yield from self.made.quads_for_pattern(subject, predicate, object_, graph)

    def place(self, made: ox.Quad) -> tuple[int, ox.NamedNode]:
        """The number of the block whose rule has made it, and the graph that this rule fills."""
        assert isinstance(made.graph_name, ox.NamedNode)
        return self._places[made.graph_name]


def _read(rule: Rule, readings: Readings) -> Sight:
    try:
        return readings.of(rule.text, {}, lambda: sight(prepareQuery(rule.text), in_part=not rule.runs_again))
    except Exception:  # noqa: BLE001  # rdflib raises what it likes, also for what only the engine reads
        return Sight(None)


@dataclass
class Consequences:
    """What follows from a change, as it is worked out: on the store after the change, on which it is made, too.

    `removed` and `added` are what no rule makes any more and what none made before; `lost` and `won` are what each rule does not
    make any more and makes anew, in the graph `Rule.outcome`.
    """

    store: ox.Store
    outcomes: Outcomes
    removed: Quads = field(default_factory=set)
    added: Quads = field(default_factory=set)
    lost: Quads = field(default_factory=set)
    won: Quads = field(default_factory=set)
    _changed: defaultdict[Term, list[ox.Quad]] = field(default_factory=lambda: defaultdict(list))
    _was: dict[ox.Quad, bool] = field(default_factory=dict)

    @classmethod
    def of(cls, store: ox.Store, outcomes: Outcomes, removed: Iterable[ox.Quad], added: Iterable[ox.Quad]) -> Consequences:
        """Those of a change that is made already. Raises ValueError for a rule that never comes to rest."""
        made = cls(store, outcomes)
        made._note(_as_stored(removed), _as_stored(added))
        for block in outcomes.blocks:
            made._follow(block)
        now = {quad: made._is_made(quad) for quad in made._was}
        made.removed = {quad for quad, was in made._was.items() if was and not now[quad]}
        made.added = {quad for quad, was in made._was.items() if not was and now[quad]}
        return made

    def __post_init__(self) -> None:
        self._data = Unmerged(self.store)

    def _note(self, removed: Iterable[ox.Quad], added: Iterable[ox.Quad]) -> None:
        """Takes note of a change for the rules to come."""
        removed = list(removed)
        self._data.gone.extend(removed)
        for quad in (*removed, *added):
            self._changed[quad.predicate].append(quad)

    def _follow(self, block: tuple[Rule, ...]) -> None:
        focus = self.outcomes.sights[block[0]].focus
        if focus is None or len(block) > 1:
            if any(led is EVERYWHERE or led for rule in block for led in self._led_to(rule)):
                self._work_out(block)
            return
        touched = self._touched(block[0], MOST_TERMS if focus.takes_many else MOST_ALONE)
        if touched is EVERYWHERE:
            self._work_out(block)
        elif touched:
            self._work_out_at(block[0], focus, touched)

    # Where a change touches a rule

    def _touched(self, rule: Rule, most: int) -> set[Term] | None:
        """The terms of the focus at which a changed triple touches the rule, and all that have a share in what it made there."""
        found: set[Term] = set()
        for count, led in enumerate(self._led_to(rule)):
            if led is EVERYWHERE or len(found) > most or count > MOST_WALKS:
                return EVERYWHERE
            found |= led
        return self._with_sharers(rule, found, most)

    def _led_to(self, rule: Rule) -> Iterator[set[Term] | None]:
        """For each look that meets a changed triple: the terms to which that leads."""
        looks = self.outcomes.sights[rule].looks
        if looks is None:
            yield EVERYWHERE if self._changed else set()
        for seen in looks or ():
            predicates = self._changed.keys() if seen.look.predicate is None else [seen.look.predicate]
            for quad in (quad for predicate in predicates for quad in self._changed.get(predicate, ())):
                if (seen.graphs is None or quad.graph_name in seen.graphs) and seen.look.meets(quad.triple):
                    yield self._data.led_to(seen.look, quad.triple)

    def _with_sharers(self, rule: Rule, terms: set[Term], most: int) -> set[Term] | None:
        focus = self.outcomes.sights[rule].focus
        assert focus is not None
        found, new = set(terms), terms
        while new and focus.links:
            subjects = self._subjects(rule, focus, new)
            new = {term for subject in subjects for term in self._terms(rule, focus, subject)} - found
            found |= new
            if len(found) > most:
                return EVERYWHERE
        return found if len(found) <= most else EVERYWHERE

    def _subjects(self, rule: Rule, focus: Focus, terms: Iterable[Term]) -> set[Term]:
        """The subjects of what the rule has made at some terms of its focus."""
        outcome = rule.outcome
        found: set[Term] = {term for term in terms if focus.is_subject and not isinstance(term, ox.Literal)}
        for link in focus.links:
            for term in terms:
                found |= {quad.subject for quad in self.outcomes.found(None, link, term, outcome)}
        return found

    def _terms(self, rule: Rule, focus: Focus, subject: Term) -> Iterator[Term]:
        """The terms of its focus at which the rule may have made triples of a subject."""
        if focus.is_subject:
            yield subject
        for link in focus.links:
            for quad in self.outcomes.found(subject, link, None, rule.outcome):
                yield quad.object

    # What the rules make now

    def _work_out_at(self, rule: Rule, focus: Focus, terms: set[Term]) -> None:
        """Works the rule out at some terms of its focus."""
        hidden = self._hidden((rule,), terms)
        self._remove(hidden)
        with seeing(self.store, self._looks((rule,)), terms):
            now = self._made_at(rule, focus, terms)
        self.store.extend(hidden)
        subjects, outcome = self._subjects(rule, focus, terms), rule.outcome
        before = {quad.triple for subject in subjects for quad in self.outcomes.found(subject, graph=outcome)}
        known = {triple for triple in now - before if _quad(triple, outcome) in self.outcomes.made}
        self._change(rule, before - now, now - before - known)

    def _made_at(self, rule: Rule, focus: Focus, terms: set[Term]) -> Triples:
        written = [str(term) for term in terms if not isinstance(term, ox.BlankNode | ox.Triple)] if focus.takes_many else []
        alone = [term for term in terms if not focus.takes_many or isinstance(term, ox.BlankNode | ox.Triple)]
        found = inferred(self.store, rule, f"VALUES {focus.variable} {{ {' '.join(written)} }}") if written else []
        for term in alone:
            found += inferred(self.store, rule, substitutions={focus.variable: term})
        return {quad.triple for quad in _as_stored(_quad(triple, ox.DefaultGraph()) for triple in found)}

    def _work_out(self, block: tuple[Rule, ...]) -> None:
        """Works a block out in full."""
        hidden = self._hidden(block, EVERYWHERE)
        self._remove(hidden)
        now = ox.Store()
        with seeing(self.store, self._looks(block), EVERYWHERE):
            settle(self.store, block, now)
        self.store.extend(hidden)
        for rule in block:
            then, anew = (
                {quad.triple for quad in made.quads_for_pattern(None, None, None, rule.outcome)}
                for made in (self.outcomes.made, now)
            )
            self._change(rule, then - anew, anew - then)

    def _looks(self, block: Iterable[Rule]) -> list[Look] | None:
        """What the rules look at; None if that cannot be told of one."""
        found = [self.outcomes.sights[rule].looks for rule in block]
        return None if None in found else [seen.look for looks in found for seen in looks or ()]

    def _hidden(self, block: tuple[Rule, ...], terms: set[Term] | None) -> Quads:
        """What rules of this block and later ones made, and no earlier one, as far as this block could see it."""
        first = self.outcomes.blocks.index(block)
        makers: dict[ox.Quad, int] = {}
        for rule in block:
            for pattern, graphs in self._seen(rule, terms):
                for quad in self.outcomes.found(*pattern):
                    maker, graph = self.outcomes.place(quad)
                    if graphs is None or graph in graphs:
                        inferred_quad = _quad(quad.triple, graph)
                        makers[inferred_quad] = min(maker, makers.get(inferred_quad, maker))
        return {quad for quad, maker in makers.items() if maker >= first}

    def _seen(self, rule: Rule, terms: set[Term] | None) -> Iterator[tuple[Seen, frozenset[Term] | None]]:
        looks = self.outcomes.sights[rule].looks
        if looks is None:
            yield (None, None, None), None
        for seen in looks or ():
            yield from ((pattern, seen.graphs) for pattern in _patterns(seen, terms))

    def _change(self, rule: Rule, lost: Triples, won: Triples) -> None:
        """Does to the store, and to what is known, what a rule makes anew and does not make any more."""
        graph, outcome = ox.NamedNode(rule.graph), rule.outcome
        for triple in (*lost, *won):
            quad = _quad(triple, graph)
            self._was.setdefault(quad, self._is_made(quad))
        gone, come = ({_quad(triple, outcome) for triple in triples} for triples in (lost, won))
        for quad in gone:
            self.outcomes.made.remove(quad)
        self.outcomes.made.extend(come)
        self.lost |= gone
        self.won |= come
        removed, added = [_quad(triple, graph) for triple in lost], [_quad(triple, graph) for triple in won]
        self._remove(quad for quad in removed if not self._is_made(quad))
        self.store.extend(added)
        self._note(removed, added)

    def _is_made(self, quad: ox.Quad) -> bool:
        """Whether a rule makes it."""
        made = self.outcomes.found(quad.subject, quad.predicate, quad.object)
        return any(self.outcomes.place(one)[1] == quad.graph_name for one in made)

    def _remove(self, quads: Iterable[ox.Quad]) -> None:
        for quad in quads:
            self.store.remove(quad)


def _patterns(seen: GraphLook, terms: set[Term] | None) -> Iterator[Seen]:
    """The triples that a look can see from some terms of the focus."""
    look = seen.look
    ends = [way.end for way in look.ways if way.path == HERE]
    if terms is EVERYWHERE or not ends:
        yield look.subject, look.predicate, look.object
        return
    for term in terms:
        if ends[0] == PREDICATE:
            if isinstance(term, ox.NamedNode):
                yield look.subject, term, look.object
        elif ends[0] == OBJECT:
            yield look.subject, look.predicate, term
        elif not isinstance(term, ox.Literal):
            yield term, look.predicate, look.object


def _quad(triple: ox.Triple, graph: ox.NamedNode | ox.DefaultGraph) -> ox.Quad:
    return ox.Quad(triple.subject, triple.predicate, triple.object, graph)


def _as_stored(quads: Iterable[ox.Quad]) -> list[ox.Quad]:
    """The quads with their terms written as the engine writes them: the integer 01 is 1."""
    store = ox.Store()
    store.extend(quads)
    return list(store)
