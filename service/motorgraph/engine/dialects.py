"""What endpoints of SPARQL differ in, as far as it matters to a store that lies behind one."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from motorgraph.media import CSV, JSON, NQUADS, NTRIPLES, TRIG, TSV, TURTLE, XML


@dataclass(frozen=True, slots=True)
class Dialect:
    """One kind of engine.

    `passed_on` are the media types that it writes as ours do, so that its bytes can be handed to a client as they come; what it
    answers otherwise is read and written anew. `union` is the parameter by which a query takes all graphs as the default one;
    None: there is none.
    """

    passed_on: frozenset[str]
    union: tuple[tuple[str, str], ...] | None = None


DIALECTS = {
    "oxigraph": Dialect(
        frozenset(form.media_type for form in (JSON, XML, TSV, CSV, NTRIPLES, TURTLE, TRIG, NQUADS)),
        (("union-default-graph", "true"),),
    ),
    "sparql": Dialect(frozenset(form.media_type for form in (TSV, CSV, NTRIPLES))),
}
"""By the value of the setting remote_dialect; `sparql` is for any that keeps to the standard."""


def updates_at(url: str) -> str:
    """The usual address for updates beside that for queries: `update` in place of `query` at the end, else the same."""
    parts = urlsplit(url)
    head, name = parts.path.removesuffix("/").rpartition("/")[::2]
    return urlunsplit(parts._replace(path=f"{head}/update")) if name == "query" else url
