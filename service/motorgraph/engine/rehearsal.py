"""An update made on a draft's copy of the graph, operation by operation, and what came of it, at the cost of the change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeVar

import pyoxigraph as ox

from motorgraph.engine.delta import NQUADS, Delta, GraphName, Quads, graph_lines, moved, nquads
from motorgraph.engine.marked import Functions, Marked, named
from motorgraph.engine.remote import looked_up, remote
from motorgraph.errors import NotRemote
from motorgraph.operations import Data, Manage, Modify, Operation, Step, cut
from motorgraph.syntax import bad_query

Thing = TypeVar("Thing")

_ANY = ox.NamedNode("urn:motorgraph:any")
_FAILS = " DROP GRAPH <urn:motorgraph:none> ; "
"""Fails before anything is evaluated, and after all has been parsed."""


def rehearse(store: ox.Store, text: str, base: str, *, as_lines: bool = False, functions: Functions = None) -> Delta:
    """Makes an update on the store; what came of it: what it made and then undid is no change.

    With `as_lines` the last operation may be left undone, and what it changes is in the lines of the delta. The text may call
    `functions` beyond those of the engine.
    Raises BadSyntax with line and column, and whatever its evaluation meets: then the store is in no state to be used.
    """
    steps = cut(text)
    if steps is None or not _parses(text, steps, base):
        return _compared(store, text, base, functions)
    if as_lines and len(steps) == 1:
        return _alone(store, steps[0].operation, steps[0].prologue, base)
    net = Delta()
    for step in steps:
        _add(net, _made(store, step.operation, step.prologue, base, functions))
    return net


def _parses(text: str, steps: Sequence[Step], base: str) -> bool:
    """Whether the engine can parse the operations as they have been cut. Raises BadSyntax for one that it cannot parse."""
    scratch = ox.Store()
    for written, whole in _parts(text, steps):
        try:
            scratch.update(written, base_iri=base or None)
        except SyntaxError:
            refuse_syntax(whole(), base)
            return False
        except RuntimeError:
            continue
        return False
    return True


def _parts(text: str, steps: Sequence[Step]) -> Iterator[tuple[str, Callable[[], str]]]:
    """What the engine is to parse, and the text to tell its mistakes by: all at once, or each operation where declarations stand
    between them."""
    if len({step.declared for step in steps}) > 1:
        for step in steps:
            yield step.prologue + _FAILS + step.operation.text, partial(step.alone, text)
    else:
        end = steps[0].declared[-1][1] if steps and steps[0].declared else 0
        yield text[:end] + _FAILS + text[end:], lambda: text


def refuse_syntax(text: str, base: str) -> None:
    """Raises BadSyntax, with the place, if a text is no update."""
    scratch = ox.Store()

    def parse(again: str) -> None:
        scratch.update(again, base_iri=base or None)

    try:
        parse(text)
    except SyntaxError as error:
        raise bad_query(text, parse, error, start="Updates") from error
    except (OSError, ValueError, RuntimeError):
        pass  # it parses, and it is for the graph itself to say how it fails


def _made(store: ox.Store, operation: Operation, prologue: str, base: str, functions: Functions = None) -> Delta:
    """Makes one operation."""
    if isinstance(operation, Manage):
        return _managed(store, operation, prologue, base).opened()
    if isinstance(operation, Data):
        delta = _data(store, operation, prologue, base)
    else:
        found = _marked(store, operation, prologue, base, functions)
        if found is None:
            return _compared(store, f"{prologue}\n{operation.text}", base, functions)
        delta = Delta(made=found.made())
        for graph in found.graphs:
            delta.removed.update(found.removed(graph))
            delta.added.update(found.added(graph))
        found.forget()
    delta.make(store)
    return delta


def _alone(store: ox.Store, operation: Operation, prologue: str, base: str) -> Delta:
    """What the only operation of an update changes, as lines where it may be much."""
    if isinstance(operation, Modify):
        found = _marked(store, operation, prologue, base)
        if found is not None:
            lines = {graph: (nquads(found.removed(graph)), nquads(found.added(graph))) for graph in found.graphs}
            return Delta(made=found.made(), lines=lines)
    if isinstance(operation, Manage):
        return _managed(store, operation, prologue, base)
    return _made(store, operation, prologue, base)


def _marked(store: ox.Store, operation: Modify, prologue: str, base: str, functions: Functions = None) -> Marked | None:
    """What the operation would remove and add; None if that cannot be told."""
    try:
        found = Marked(store, operation, prologue, base, functions)
    except SyntaxError:
        return None  # it has been cut wrongly
    if not found.met_blank:
        return found
    found.forget()
    return None


def _data(store: ox.Store, operation: Data, prologue: str, base: str) -> Delta:
    """What the quads of the text change; blank nodes are given their labels here."""
    scratch = ox.Store()
    scratch.update(f"{prologue}\nINSERT DATA {operation.block}", base_iri=base or None)
    if operation.deletes:
        return Delta(removed={quad for quad in looked_up(store, scratch) if quad in store})
    added = {quad for quad in looked_up(store, scratch) if quad not in store}
    made = {graph.value for graph in {quad.graph_name for quad in added} if isinstance(graph, ox.NamedNode)}
    return Delta(made=made - _there(store, scratch.named_graphs()), added=added)


def _managed(store: ox.Store, operation: Manage, prologue: str, base: str) -> Delta:
    """Has the engine make an operation on whole graphs; what came of it, as lines."""
    graphs = _graphs(store, operation, prologue, base)
    names = _there(store, graphs)
    lines = {}
    if operation.verb in ("CLEAR", "DROP"):
        lines = {graph: (graph_lines(store, graph), b"") for graph in graphs}
    elif operation.verb != "CREATE" and graphs[0] != graphs[1]:
        lines = _transferred(store, graphs[0], graphs[1], operation.verb)
    made = store if remote(store) is None else _named_alike(names)
    made.update(f"{prologue}\n{operation.text}", base_iri=base or None)
    now = _there(made, graphs)
    return Delta(now - names, names - now, lines=lines)


def _named_alike(names: Iterable[str]) -> ox.Store:
    """A store with such graphs, to see which come and go, and how an operation fails: a remote one is not changed to see that."""
    scratch = ox.Store()
    scratch.extend(ox.Quad(_ANY, _ANY, _ANY, ox.NamedNode(name)) for name in names)
    return scratch


def _transferred(store: ox.Store, source: GraphName, target: GraphName, verb: str) -> dict[GraphName, tuple[bytes, bytes]]:
    """What COPY, MOVE or ADD removes and adds (§3.2.3 to 3.2.5)."""
    coming = (moved(quad, target) for quad in store.quads_for_pattern(None, None, None, source))
    there = store.quads_for_pattern(None, None, None, target)
    added = nquads(quad for quad in coming if quad not in store)
    removed = b"" if verb == "ADD" else nquads(quad for quad in there if moved(quad, source) not in store)
    lines = {target: (removed, added)}
    return lines | {source: (graph_lines(store, source), b"")} if verb == "MOVE" else lines


def _graphs(store: ox.Store, operation: Manage, prologue: str, base: str) -> list[GraphName]:
    """The graphs that an operation is about."""
    if operation.graphs in (("ALL",), ("NAMED",)):
        default = [ox.DefaultGraph()] if operation.graphs == ("ALL",) else []
        return [*default, *store.named_graphs()]
    written = ["" if graph == "DEFAULT" else graph for graph in operation.graphs]
    names = named(prologue, base, written)
    return [names[graph] for graph in written]


def _there(store: ox.Store, graphs: Iterable[GraphName]) -> set[str]:
    """Those of the graphs that have an IRI and are there."""
    return {graph.value for graph in graphs if isinstance(graph, ox.NamedNode) and store.contains_named_graph(graph)}


def _add(net: Delta, delta: Delta) -> None:
    """Adds what came afterwards: what had come before and goes now has never been there, and the other way round."""
    net.made, net.dropped = _after((net.made, net.dropped), (delta.made, delta.dropped))
    net.added, net.removed = _after((net.added, net.removed), (delta.added, delta.removed))


def _after(net: tuple[set[Thing], set[Thing]], then: tuple[set[Thing], set[Thing]]) -> tuple[set[Thing], set[Thing]]:
    """What has come and what has gone in the end."""
    come, gone = net
    if not come and not gone:
        return then
    return (come - then[1]) | (then[0] - gone), (gone - then[0]) | (then[1] - come)


# Where the text does not tell


def _compared(store: ox.Store, text: str, base: str, functions: Functions = None) -> Delta:
    """Makes an update by itself; what changed is found by a look at the whole graph before and after, if it is an update at all.

    Raises BadSyntax, and NotRemote where the graph is elsewhere.
    """
    refuse_syntax(text, base)
    if remote(store) is not None:
        raise NotRemote("This update cannot be cut into its operations, which a remote store asks for. Send each by itself.")
    names, lines, added = _there(store, store.named_graphs()), set(_lines(store)), []  # lines are half the memory of quads
    store.update(text, base_iri=base or None, custom_functions=functions)
    for line in _lines(store):
        if line in lines:
            lines.remove(line)
        else:
            added.append(line)
    now = _there(store, store.named_graphs())
    return Delta(now - names, names - now, _parsed(lines), _parsed(added))


def _lines(store: ox.Store) -> list[bytes]:
    dumped = store.dump(format=NQUADS)
    assert dumped is not None  # bytes, since no output was given
    return dumped.splitlines()


def _parsed(lines: Iterable[bytes]) -> Quads:
    return set(ox.parse(b"\n".join(lines), NQUADS))
