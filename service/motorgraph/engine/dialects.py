"""What endpoints of SPARQL differ in, as far as it matters to a store that lies behind one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from urllib.parse import urlsplit, urlunsplit

from motorgraph.media import CSV, JSON, NQUADS, NTRIPLES, TRIG, TSV, TURTLE, XML

XSD = "http://www.w3.org/2001/XMLSchema#"
NONE = "urn:motorgraph:none"
Told = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Dialect:
    """One kind of engine.

    `passed_on` are the media types that it writes as ours do, so that its bytes can be handed to a client as they come; what it
    answers otherwise is read and written anew. `union` is the parameter by which a query takes all graphs as the default one;
    None: there is none. `updates` is the end of the address for updates, by that for queries; `loads` that of the address which
    takes N-Quads of all graphs at once, of which a part may come if it fails.

    `default` names the graph that stands for the default one in an engine that has none, `hidden` graphs that it has of its own;
    `is_merged`: what it has for a default graph is always the merge of all. `kept` says by datatype which literals come back as
    they went, where it rewrites others; those of any other datatype are kept. `pads`: seconds come with zeros behind them.
    `most_quads` can be in one update, 0: any number. `drops_all` is whether DROP ALL does so, `digests` whether a name and a
    password are proven by Digest (RFC 7616). `many` asks for many rows, which shows whether an engine cuts answers that does not
    say so of all of them.

    `deadline` is the parameter by which a query says how long it may take, and what it says, by `seconds` (whole ones) or
    `milliseconds`; one that only those may give who have signed in is `guarded`.
    """

    passed_on: frozenset[str]
    union: Told | None = None
    updates: Mapping[str, str] = field(default_factory=lambda: {"/query": "/update"})
    loads: Mapping[str, str] = field(default_factory=dict)
    default: str = ""
    hidden: tuple[str, ...] = ()
    is_merged: bool = False
    kept: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    pads: bool = False
    most_quads: int = 0
    drops_all: bool = True
    digests: bool = False
    many: str = ""
    deadline: tuple[str, str] | None = None
    guarded: bool = False

    def ending(self, seconds: float) -> Told:
        """The parameter of a query that is to be ended after so long."""
        if self.deadline is None:
            return ()
        whole = ceil(seconds)
        return ((self.deadline[0], self.deadline[1].format(seconds=whole, milliseconds=1000 * whole)),)

    def beginning(self, named: Iterable[str] | None) -> str:
        """What a query begins with that is to see the default graph and these; None: all others but the engine's own."""
        if named is None:
            return "".join(f"DEFINE input:named-graph-exclude <{iri}> " for iri in (self.default, *self.hidden))
        seen = "".join(f"DEFINE input:named-graph-uri <{iri}> " for iri in named)
        return f"DEFINE input:default-graph-uri <{self.default}> {seen}"

    def dataset(self, default: Sequence[str], named: Sequence[str]) -> list[tuple[str, str]]:
        """The graphs of a query as the protocol names them."""
        told = [("default-graph-uri", iri) for iri in default] + [("named-graph-uri", iri) for iri in named]
        if self.default and told and not named:  # where no named one is given, it sees all of them
            told.append(("named-graph-uri", NONE))
        return told

    def read(self, datatype: str, text: str) -> str:
        """What a literal of such a form said when it went: fractions of a second come with zeros behind them."""
        return _PADDED.sub(r"\1", text) if self.pads and datatype == XSD + "dateTime" else text

    def keeps(self, datatype: str, text: str) -> bool:
        """Whether a literal comes back as it went."""
        known = self.kept.get(datatype)
        return known is None or known.fullmatch(text) is not None


_PADDED = re.compile(r"(?:(\.\d*[1-9])|\.)0*(?=Z|[+-]|$)")
_NEVER = re.compile(r"(?!)")
_INTEGER = re.compile(r"0|-?[1-9]\d{0,17}")
_DAY = r"\d{4}-\d\d-\d\d"
_ZONE = r"(Z|(?![+-]00:00)[+-]\d\d:\d\d)?"
_INTEGERS = ("integer", "int", "long", "nonNegativeInteger", "positiveInteger", "short", "byte")
_KEPT_BY_VIRTUOSO = {
    **{XSD + name: _INTEGER for name in _INTEGERS},
    XSD + "decimal": re.compile(r"0|(?!-0$)-?(0|[1-9]\d{0,17})(\.\d{0,14}[1-9])?"),
    XSD + "double": re.compile(r"-?[1-9]\d{0,5}\.\d{0,5}[1-9]"),
    XSD + "float": re.compile(r"-?[1-9]\d{0,2}\.[1-9]"),
    XSD + "boolean": re.compile(r"true|false"),
    XSD + "date": re.compile(_DAY + _ZONE),
    XSD + "dateTime": re.compile(_DAY + r"T\d\d:\d\d:\d\d(\.\d{1,6})?" + _ZONE),
    XSD + "time": _NEVER,
    **{XSD + name: _NEVER for name in ("duration", "dayTimeDuration", "yearMonthDuration", "hexBinary", "base64Binary")},
    "http://www.opengis.net/ont/geosparql#wktLiteral": _NEVER,
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#XMLLiteral": _NEVER,
}

_CANONICAL = re.compile(r"0|-?[1-9]\d*|(?![+-]?\d+$).*", re.DOTALL)
_KEPT_BY_TDB2 = {
    **{XSD + name: _CANONICAL for name in (*_INTEGERS, "nonPositiveInteger", "negativeInteger")},
    **{XSD + f"unsigned{name}": _CANONICAL for name in ("Long", "Int", "Short", "Byte")},
    XSD + "decimal": re.compile(r"0(\.\d+)?|-?[1-9]\d*(\.\d+)?|-0\.\d*[1-9]\d*"),
    XSD + "double": re.compile(r"-?[1-9]\d{0,5}\.(0|\d{0,7}[1-9])e0|0\.0e0|-?0\.[1-9](\d{0,7}[1-9])?e0|NaN|-?INF"),
    XSD + "float": re.compile(r"-?[1-9]\d{0,2}\.(0|\d{0,2}[1-9])|NaN|-?INF"),
    XSD + "boolean": re.compile(r"true|false"),
    XSD + "date": re.compile(r"(?!.*-00:00).*"),
    XSD + "dateTime": re.compile(r"(?!.*(-00:00|\.\d*0(\D|$))).*"),
}

_READ = frozenset(form.media_type for form in (TSV, CSV, NTRIPLES))
DIALECTS = {
    "oxigraph": Dialect(
        frozenset(form.media_type for form in (JSON, XML, TSV, CSV, NTRIPLES, TURTLE, TRIG, NQUADS)),
        (("union-default-graph", "true"),),
        loads={"/query": "/store?no_transaction"},
    ),
    "virtuoso": Dialect(
        frozenset({NTRIPLES.media_type}),
        updates={},
        default="urn:motorgraph:default",
        hidden=(
            "http://www.openlinksw.com/schemas/virtrdf#",
            "http://www.w3.org/ns/ldp#",
            "http://www.w3.org/2002/07/owl#",
            "http://localuriqaserver/sparql",
        ),
        kept=_KEPT_BY_VIRTUOSO,
        pads=True,
        most_quads=1000,
        drops_all=False,
        digests=True,
        deadline=("timeout", "{milliseconds}"),  # README.ANYTIME.md of its source
        many="SELECT ?p { GRAPH <http://www.openlinksw.com/schemas/virtrdf#> { ?s ?p ?o . ?a ?b ?c } } LIMIT 100001",
    ),
    "fuseki": Dialect(
        _READ,
        updates={"/query": "/update", "/sparql": "/update"},
        kept=_KEPT_BY_TDB2,
        deadline=("timeout", "{seconds}"),  # SPARQLQueryProcessor.java
    ),
    "graphdb": Dialect(
        _READ,
        updates={"": "/statements"},
        is_merged=True,
        deadline=("timeout", "{seconds}"),  # the REST API of RDF4J
    ),
    "neptune": Dialect(
        _READ, updates={}, is_merged=True
    ),  # its hint queryTimeout has to be below a limit that nobody can ask for
    "stardog": Dialect(
        _READ,
        updates={"/query": "/update"},
        deadline=("timeout", "{milliseconds}"),  # docs.stardog.com, Query Management; pystardog
    ),
    "qlever": Dialect(
        _READ,
        updates={},
        is_merged=True,
        deadline=("timeout", "{seconds}s"),  # Server.cpp: beyond its own limit with a token only
        guarded=True,
    ),
    "sparql": Dialect(_READ),
}
"""By the value of the setting remote_dialect; `sparql` is for any that keeps to the standard."""


def beside(url: str, others: Mapping[str, str]) -> str:
    """The address beside that for queries, by the ends of both; "" if the table has none."""
    parts = urlsplit(url)
    path = parts.path.removesuffix("/")
    for end, other in others.items():
        if path.endswith(end):
            return urlunsplit(parts._replace(path=path.removesuffix(end), query="")) + other
    return ""
