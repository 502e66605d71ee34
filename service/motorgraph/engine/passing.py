"""The answer of a remote store on its way to a client: handed on as it comes, or row by row in another format."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pyoxigraph as ox

from motorgraph.engine.asked import kind_of
from motorgraph.engine.remote import Remote, remote
from motorgraph.engine.rows import ROW_COUNTERS
from motorgraph.engine.stream import Stream
from motorgraph.engine.wire import Job
from motorgraph.errors import Failed
from motorgraph.media import JSON
from motorgraph.query import Dataset

if TYPE_CHECKING:
    from motorgraph.engine.reader import Outlet

Task = Callable[[Job, ox.Store, "Outlet"], None]
FORMS: dict[type, str] = {ox.QuerySolutions: "solutions", ox.QueryBoolean: "boolean", ox.QueryTriples: "graph"}


def passed_on(job: Job, store: Remote, dataset: Dataset, outlet: Outlet) -> bool:
    """Hands on what a remote store answers; false where that is better made here. Raises SyntaxError for the query's mistakes."""
    kind = kind_of(job.text, job.base or None)
    media_type = job.graphs if kind is ox.QueryTriples else job.solutions
    is_table = kind is ox.QuerySolutions
    if media_type is None or len(dataset.default) > 1 or not (is_table or store.passes_on(media_type)):
        return False
    named = store.endpoint.place.kind.dataset(dataset.default, dataset.named)
    comes_as = media_type if store.passes_on(media_type) else JSON.media_type

    def asked() -> Iterator[bytes]:
        return iter(()) if job.head_only else store.said(job.text, job.base or None, comes_as, named)

    pieces, commit = store.course.told(store.number, asked)
    outlet.commit = commit or outlet.commit
    outlet.begin(FORMS[kind], media_type, ROW_COUNTERS[media_type]() if is_table else None)
    if job.head_only or store.passes_on(media_type):
        for piece in pieces:
            outlet.write(piece)
    else:
        _written_anew(Stream(pieces), media_type, outlet)
    outlet.finish()
    return True


def of_one_commit(task: Task) -> Task:
    """The task, all of whose questions a remote store answers at one commit; if it goes on meanwhile, all are asked once more."""

    def told(job: Job, store: ox.Store, outlet: Outlet) -> None:
        there = remote(store)
        if there is None:
            task(job, store, outlet)
            return
        course = there.course

        def ask() -> None:
            outlet.commit = course.commit or outlet.commit
            task(job, store, outlet)

        with outlet.held():
            _, commit = course.told(there.number, ask, several=True)
            outlet.commit = commit or outlet.commit

    return told


def _written_anew(said: Stream, media_type: str, outlet: Outlet) -> None:
    try:
        rows = ox.parse_query_results(said, ox.QueryResultsFormat.JSON)  # type: ignore[arg-type]  # read() is all that is used
        assert isinstance(rows, ox.QuerySolutions)
        rows.serialize(outlet, ox.QueryResultsFormat.from_media_type(media_type))  # type: ignore[arg-type]  # as above, write()
    except SyntaxError as error:
        raise Failed(f"What the store answers is no table in JSON: {error}.") from error
