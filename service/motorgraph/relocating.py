"""The commands that put the graph of a journal into a remote store, and that take over what such a store holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from motorgraph.engine import copying, takeover
from motorgraph.engine.provenance import Catalogue
from motorgraph.engine.remote import Remote
from motorgraph.errors import BadRequest
from motorgraph.inference import shipped_rules
from motorgraph.journal import Journal
from motorgraph.settings import Settings
from motorgraph.vocab import Names

PATIENCE_SECONDS = 600.0
"""How long the store may be silent: a rule is asked of a whole graph, and a graph dropped at once."""


def copy(settings: Settings) -> str:
    """Copies the graph of the data folder to the remote store; what it has then, in words. Raises what `copying.copy` does."""
    store, names = _store(settings), Names(settings.base)
    rules = [] if settings.plain else shipped_rules(names)
    is_kept = settings.is_union and not store.endpoint.place.kind.is_merged
    graphs = copying.Graphs(rules, None if settings.plain else Catalogue(settings.base), is_kept)
    with _journal(settings) as journal, _bar("quads copied") as told:
        count = copying.copy(journal, store, graphs, told)
        assert journal.head is not None
        store.endpoint.close()
        return f"{settings.remote} has the {count:,} quads of commit {journal.head.id}. Serve it with --remote {settings.remote}."


def adopt(settings: Settings) -> str:
    """Makes a journal of what the remote store holds; how much that is, in words. Raises what `takeover.adopt` does."""
    store = _store(settings)
    with _journal(settings) as journal, _bar("graphs taken over") as told:
        journal.note(base=settings.base)
        count = takeover.adopt(journal, store, told)
        store.endpoint.close()
        return f"{settings.folder} has the {count:,} quads as commit 1. Serve them with --plain --remote {settings.remote}."


def _store(settings: Settings) -> Remote:
    if settings.place is None:
        raise BadRequest("No store is named: give --remote the address of its SPARQL endpoint.")
    return Remote(replace(settings.place, seconds=PATIENCE_SECONDS), settings.base)


@contextmanager
def _journal(settings: Settings) -> Iterator[Journal]:
    """The journal of the data folder, to write. Raises Failed if a service has it open, or if it has another base."""
    journal = Journal.open(settings.folder)
    try:
        journal.require_whole()
        if (written := journal.about("base")) and written != settings.base:
            raise BadRequest(f"The journal was written with --base {written}. Give that.")
        yield journal
    finally:
        journal.close()


@contextmanager
def _bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(what, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)
