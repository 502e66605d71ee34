"""Counts a graph for its catalogue: whole by SPARQL, or, after a few changes, only what they touched.

All that is counted is a sum over subjects, objects or quads of what each of them brings. So after a change it is enough to take
away what the touched ones brought before, and to add what they bring now; the rest of the graph is not looked at.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pyoxigraph as ox

from motorgraph.catalogue import about
from motorgraph.engine.delta import Written
from motorgraph.engine.marker import STORE
from motorgraph.engine.moves import TYPE, Classes, Moves, Recent, Subject, Term, TooMuch
from motorgraph.engine.wire import Job

if TYPE_CHECKING:
    from motorgraph.engine.reader import Outlet

Tally = Counter[tuple[str, ...]]
"""How often each thing was counted; the first part of a key says what is counted, the others of what (IRIs or hosts)."""
MOST_CLASSES = 1000
"""Beyond so many classes a graph is not counted class by class: nobody could read it."""
_HOST = 'STRBEFORE(CONCAT(STRAFTER(STR(?o), "//"), "/"), "/")'
_SUBJECTS = "SELECT DISTINCT ?s { ?s ?p ?o }"
_QUADS = f"SELECT ?g (COUNT(*) AS ?quads) {{ GRAPH ?g {{ ?s ?p ?o }} FILTER(?g != <{STORE}>) }} GROUP BY ?g"
_UNNAMED = "SELECT (COUNT(*) AS ?quads) { ?s ?p ?o }"
_COUNTED = (
    """SELECT ?p (COUNT(*) AS ?triples) (COUNT(DISTINCT ?s) AS ?subjects) (COUNT(DISTINCT ?o) AS ?objects)
    { ?s ?p ?o } GROUP BY ?p""",
    "SELECT (COUNT(DISTINCT ?o) AS ?all_objects) { ?s ?p ?o }",
    "SELECT ?c (COUNT(*) AS ?entities) { ?s a ?c } GROUP BY ?c",
    f"SELECT ?p ?h (COUNT(*) AS ?links) {{ ?s ?p ?o FILTER(ISIRI(?o)) BIND({_HOST} AS ?h) }} GROUP BY ?p ?h",
)
"""Columns named by one letter are the key, those with a longer name what is counted by it."""
_BY_CLASS = (
    "SELECT ?c ?p (COUNT(*) AS ?statements) (COUNT(DISTINCT ?s) AS ?describing) { ?s a ?c ; ?p ?o } GROUP BY ?c ?p",
    "SELECT ?c ?p ?d (COUNT(*) AS ?towards) { ?s a ?c ; ?p ?o . ?o a ?d } GROUP BY ?c ?p ?d",
    "SELECT ?c ?p ?d (COUNT(*) AS ?values) { ?s a ?c ; ?p ?o BIND(DATATYPE(?o) AS ?d) } GROUP BY ?c ?p ?d",
)


def answer(recent: Recent, job: Job, store: ox.Store, outlet: Outlet) -> None:
    """The tally of the graph, and what it says of its data sets, as a JSON object with the `commit`.

    The job's `text` is a JSON object: a `tally` that was made before, of which `commit`, and the `examples` then; the `recent`
    changes carry it on if they reach back so far, else all is counted. The job's `base` is what the graph's own IRIs begin with.
    """
    known = json.loads(job.text)
    said = _asked(store, job.base, union=job.union)
    changes = recent.between(known["commit"], outlet.commit) if known["tally"] else None
    try:
        if changes is None:
            raise TooMuch
        before = Counter({tuple(key): count for *key, count in known["tally"]})
        tally = recounted(before, store, changes, f"{job.base}/", union=job.union)
        examples = [name for name in known["examples"] if _is_there(store, name)]
    except TooMuch:
        tally, examples = counted(store, f"{job.base}/", union=job.union), []
    if len(examples) < about.MOST_EXAMPLES:
        examples = _examples(tally, store, job)
    found = {
        **said,
        "commit": outlet.commit,
        "examples": examples,
        "tally": [[*k, n] for k, n in tally.items()],
    }
    outlet.begin("json", "application/json")
    outlet.write(json.dumps(found).encode())
    outlet.finish()


def _asked(store: ox.Store, base: str, *, union: bool) -> dict[str, Any]:  # Any: plain JSON
    """What the graph says of itself, in the words of catalogue/about.py."""
    triples = store.query(about.said_query(base), use_default_graph_as_union=not union)
    assert isinstance(triples, ox.QueryTriples)
    lines = ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES)
    assert lines is not None  # bytes, since no output was given
    tables = {}
    for name, text in about.table_queries(base).items():
        solutions = store.query(text, use_default_graph_as_union=not union)
        assert isinstance(solutions, ox.QuerySolutions)
        columns = [variable.value for variable in solutions.variables]
        tables[name] = [{column: row[column].value for column in columns if row[column] is not None} for row in solutions]
    return {"said": lines.decode(), "tables": tables}


def _is_there(store: ox.Store, name: str) -> bool:
    return next(store.quads_for_pattern(ox.NamedNode(name), TYPE, None, None), None) is not None


def _examples(tally: Tally, store: ox.Store, job: Job) -> list[str]:
    classes = {key[1]: count for key, count in tally.items() if key[0] == "entities"}
    found: dict[str, None] = {}
    for text in about.example_queries(classes, job.base):
        solutions = store.query(text, use_default_graph_as_union=not job.union)
        assert isinstance(solutions, ox.QuerySolutions)
        found |= {row["example"].value: None for row in solutions if row["example"] is not None}
        if len(found) == about.MOST_EXAMPLES:
            break
    return list(found)


def host(iri: str) -> str:
    """The host of an IRI, with its port; "" if it has none."""
    return iri.partition("//")[2].partition("/")[0]


def counted(store: ox.Store, base: str, *, union: bool) -> Tally:
    """All that there is to count in a store, whose default graph is the merge of the others if it is a `union`.

    If it is none the graphs are merged here, for a triple that stands in two of them is one: only for a copy of the store. `base`
    is the beginning of the IRIs that are the graph's own.
    """
    tally: Tally = Counter()
    _add_rows(tally, store, _QUADS)
    if not union:
        _add_rows(tally, store, _UNNAMED, "")
        store.update("INSERT { ?s ?p ?o } WHERE { GRAPH ?g { ?s ?p ?o } }")
    for text in _COUNTED:
        _add_rows(tally, store, text)
    for (subject,) in _rows(store, _SUBJECTS):
        tally.update(_of_itself(subject, base))
    if _has_few_classes(tally):
        for text in _BY_CLASS:
            _add_rows(tally, store, text)
    return _named(tally, store, union=union)


def _has_few_classes(tally: Tally) -> bool:
    return sum(key[0] == "entities" for key in tally) <= MOST_CLASSES


def _named(tally: Tally, store: ox.Store, *, union: bool) -> Tally:
    """Without zeros, but for the graphs that are there and empty; a merge shows none of those."""
    kept = Counter({key: count for key, count in tally.items() if count})
    if not union:
        for graph in store.named_graphs():
            kept.setdefault(("quads", graph.value), 0)
    return kept


def _rows(store: ox.Store, text: str) -> Iterator[ox.QuerySolution]:
    solutions = store.query(text)
    assert isinstance(solutions, ox.QuerySolutions)
    return solutions


def _add_rows(tally: Tally, store: ox.Store, text: str, *key: str) -> None:
    """Counts as a query does; rows with a key that is no IRI and no host are left out."""
    solutions = store.query(text)
    assert isinstance(solutions, ox.QuerySolutions)
    names = [variable.value for variable in solutions.variables]
    by, kinds = [n for n in names if len(n) == 1], [n for n in names if len(n) > 1]
    for row in solutions:
        terms = [row[name] for name in by]
        if all(isinstance(term, ox.NamedNode) or (name == "h" and term.value) for name, term in zip(by, terms, strict=True)):
            for kind in kinds:
                tally[(kind, *key, *(term.value for term in terms))] += int(row[kind].value)


def _of_itself(subject: Subject, base: str) -> Iterator[tuple[str, ...]]:
    """What a subject is counted as, whatever is said of it."""
    yield ("all_subjects",)
    if isinstance(subject, ox.NamedNode):
        yield "spaces", host(subject.value)
        if subject.value.startswith(base):
            yield ("own",)


def _of_subject(subject: Subject, said: Iterable[tuple[ox.NamedNode, Term]], classes_of: Classes, base: str) -> Tally:
    """What a subject brings to the tally by what is said of it; nothing if nothing is."""
    by_predicate: dict[str, list[Term]] = {}
    for predicate, value in said:
        by_predicate.setdefault(predicate.value, []).append(value)
    tally: Tally = Counter(_of_itself(subject, base)) if by_predicate else Counter()
    classes = classes_of(subject)
    tally.update(("entities", name) for name in classes)
    for name, values in by_predicate.items():
        tally["triples", name] += len(values)
        tally["subjects", name] += 1
        tally.update(("links", name, host(v.value)) for v in values if isinstance(v, ox.NamedNode) and host(v.value))
        towards = [("towards", of) for value in values for of in classes_of(value)]
        towards += [("values", value.datatype.value) for value in values if isinstance(value, ox.Literal)]
        for of in classes:
            tally["statements", of, name] += len(values)
            tally["describing", of, name] += 1
            tally.update((kind, of, name, range_) for kind, range_ in towards)
    return tally


def recounted(tally: Tally, store: ox.Store, changes: Sequence[Written], base: str, *, union: bool) -> Tally:
    """A tally brought up to date: it is of the store before these changes, which come oldest first. Raises TooMuch."""
    moves = Moves(store, changes, union=union)
    fresh = Counter(tally)
    deep = _has_few_classes(tally)
    for subject in moves.subjects():
        for sign, said, classes_of in ((-1, moves.said_before, moves.classes_before), (1, moves.said_now, moves.classes_now)):
            for key, count in _of_subject(subject, said(subject), classes_of, base).items():
                if deep or key[0] not in ("statements", "describing", "towards", "values"):
                    fresh[key] += sign * count
    for key, count in moves.objects():
        fresh[key] += count
    for quad, change in moves.quads():
        fresh["quads", "" if isinstance(quad.graph_name, ox.DefaultGraph) else quad.graph_name.value] += change
    names = {"", *(graph.value for graph in store.named_graphs())}
    fresh = Counter({key: count for key, count in fresh.items() if key[0] != "quads" or key[1] in names})
    if _has_few_classes(_named(fresh, store, union=union)) != deep:
        raise TooMuch
    return _named(fresh, store, union=union)
