"""The formats that are read and written, and the choice among them by Accept (RFC 9110 §12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from motorgraph.errors import UnsupportedMediaType
from motorgraph.packing import unpacked_name


@dataclass(frozen=True, slots=True)
class Format:
    """One serialisation: its media type, other names that clients use for it, suffix, W3C format IRI.

    `worth` is how well it serves (RFC 9110 §12.1): what a client takes as gladly as another is chosen by it.
    """

    name: str
    media_type: str
    suffix: str
    also: tuple[str, ...] = ()
    iri: str = ""
    datasets: bool = False
    worth: float = 1.0

    @property
    def content_type(self) -> str:
        """What the Content-Type header says."""
        return f"{self.media_type}; charset=utf-8" if self.media_type.startswith("text/") else self.media_type


_F = "http://www.w3.org/ns/formats/"
JSON = Format("JSON", "application/sparql-results+json", "srj", ("application/json",), _F + "SPARQL_Results_JSON")
XML = Format("XML", "application/sparql-results+xml", "srx", ("application/xml", "text/xml"), _F + "SPARQL_Results_XML")
CSV = Format("CSV", "text/csv", "csv", (), _F + "SPARQL_Results_CSV")
TSV = Format("TSV", "text/tab-separated-values", "tsv", (), _F + "SPARQL_Results_TSV")

TURTLE = Format("Turtle", "text/turtle", "ttl", ("application/x-turtle", "application/turtle"), _F + "Turtle")
NTRIPLES = Format("N-Triples", "application/n-triples", "nt", ("text/plain",), _F + "N-Triples")
NQUADS = Format("N-Quads", "application/n-quads", "nq", ("text/x-nquads", "text/nquads"), _F + "N-Quads", datasets=True)
TRIG = Format("TriG", "application/trig", "trig", ("application/x-trig",), _F + "TriG", datasets=True)
JSONLD = Format("JSON-LD", "application/ld+json", "jsonld", ("application/json",), _F + "JSON-LD", datasets=True)
RDFXML = Format("RDF/XML", "application/rdf+xml", "rdf", ("application/xml", "text/xml"), _F + "RDF_XML")
N3 = Format("N3", "text/n3", "n3", ("text/rdf+n3",), _F + "N3")

SOLUTIONS = (JSON, XML, TSV, CSV)
PLAIN_JSON = Format("JSON", "application/json", "json")
"""Whatever is told as JSON that is neither results of a query nor RDF."""
GRAPHS = (TURTLE, NTRIPLES, JSONLD, RDFXML, NQUADS, TRIG)
READABLE = (TURTLE, NTRIPLES, NQUADS, TRIG, JSONLD, RDFXML, N3)
NAMED = {"json": JSON, "xml": XML, "csv": CSV, "tsv": TSV, **{form.suffix: form for form in GRAPHS}}
"""The formats that an address can name (`format=csv`), where a link has no Accept."""
PROBLEM = "application/problem+json"
HTML = "text/html"


@dataclass(frozen=True, slots=True)
class Range:
    """One media range of an Accept header with its quality, 0 to 1."""

    kind: str
    sub: str
    quality: float

    def fit(self, media_type: str) -> int:
        """How specifically this range names the type: 2 exactly, 1 by main type, 0 by `*/*`, -1 not at all."""
        kind, _, sub = media_type.partition("/")
        if (self.kind, self.sub) == (kind, sub):
            return 2
        if (self.kind, self.sub) == (kind, "*"):
            return 1
        return 0 if (self.kind, self.sub) == ("*", "*") else -1


# A parameter's quoted value may hold commas and semicolons. One that is never closed runs to the end, so the search is linear.
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_LANGUAGE = re.compile(r"[a-z]{1,8}(?:-[a-z0-9]{1,8})*")
MOST_LANGUAGES = 4
_QUALITY = re.compile(r"[01](?:\.[0-9]*)?|\.[0-9]+")


@lru_cache(maxsize=256)
def accepted(header: str) -> tuple[Range, ...]:
    """The ranges of an Accept header. Parameters other than q are ignored; what is no media range is passed over."""
    return tuple(r for r in map(_range, _QUOTED.sub("", header).split(",")) if r is not None)


def _range(text: str) -> Range | None:
    name, *parameters = (part.strip() for part in text.split(";"))
    kind, slash, sub = name.lower().partition("/")
    if not slash or not kind or not sub or (kind == "*" and sub != "*"):
        return None
    weight = next((p.partition("=")[2].strip() for p in parameters if p.lower().replace(" ", "").startswith("q=")), "1")
    if not _QUALITY.fullmatch(weight) or float(weight) > 1:
        return None
    return Range(kind, sub, float(weight))


def quality(ranges: Sequence[Range], media_type: str) -> float:
    """The quality that the most specific fitting range gives to a media type; 0 if none fits."""
    fits = [(r.fit(media_type), r.quality) for r in ranges]
    best = max((fit for fit, _ in fits), default=-1)
    return max((q for fit, q in fits if fit == best), default=0.0) if best >= 0 else 0.0


def choose(header: str, formats: tuple[Format, ...]) -> Format | None:
    """The one of the formats that the client likes best; our own order decides between equals. None if it takes none of them.

    It is the very object that was given, not one equal to it that was chosen before: callers ask with `is`.
    """
    place = _liked(header, formats)
    return None if place is None else formats[place]


@lru_cache(maxsize=1024)
def _liked(header: str, formats: tuple[Format, ...]) -> int | None:
    """The place of the format that the client likes best."""
    ranges = accepted(header)
    if not ranges:
        return 0
    best, chosen = 0.0, None
    for place, form in enumerate(formats):
        # A type that we also answer to (application/json) counts only where the client named it.
        liked = max([quality(ranges, form.media_type)] + [_named(ranges, name) for name in form.also])
        if liked * form.worth > best:
            best, chosen = liked * form.worth, place
    return chosen


def _named(ranges: Sequence[Range], media_type: str) -> float:
    return max((r.quality for r in ranges if r.fit(media_type) == 2), default=0.0)


def prefers_html(header: str) -> bool:
    """Whether a browser asks: HTML is named, and liked at least as much as any format of ours."""
    ranges = accepted(header)
    html = _named(ranges, HTML)
    return html > 0 and all(_named(ranges, name) <= html for f in (*SOLUTIONS, *GRAPHS) for name in (f.media_type, *f.also))


def leaves_open(header: str) -> bool:
    """Whether an Accept header chooses nothing: it is empty, takes anything, or is that of a browser."""
    return not header or any(wanted.fit(HTML) in (0, 2) for wanted in accepted(header))


@lru_cache(maxsize=256)
def languages(header: str) -> tuple[str, ...]:
    """The languages of an Accept-Language header in lower case, the best first, at most `MOST_LANGUAGES`; English is always last.

    Each is followed by what it is a form of (`de` after `de-at`). What is no language, or not wanted at all, is passed over
    (RFC 9110 §12.5.4).
    """
    liked = []
    for place, part in enumerate(header.lower().split(",")):
        name, _, weight = (piece.strip() for piece in part.partition(";"))
        given = weight.removeprefix("q=").strip() if weight else "1"
        if _LANGUAGE.fullmatch(name) and _QUALITY.fullmatch(given) and float(given) > 0:
            liked.append((-float(given), place, name))
    best = [name for _, _, name in sorted(liked)][:MOST_LANGUAGES]
    return tuple(dict.fromkeys([*(form for name in best for form in (name, name.partition("-")[0])), "en"]))


def readable(content_type: str) -> Format | None:
    """The format of a body by its Content-Type (parameters ignored); None if it is not one that we read."""
    name = content_type.partition(";")[0].strip().lower()
    return next((f for f in READABLE if name == f.media_type or name in f.also), None)


_CHARSET = re.compile(r""";\s*charset\s*=\s*"?([^\s";]+)""", re.IGNORECASE)


def refuse_charset(content_type: str) -> None:
    """Raises UnsupportedMediaType for a Content-Type that says another charset than UTF-8 or its part US-ASCII."""
    said = _CHARSET.search(content_type)
    if said and said[1].lower() not in ("utf-8", "utf8", "us-ascii", "ascii"):
        raise UnsupportedMediaType(f"A body in the charset {said[1][:40]} is not read here; send it in UTF-8.")


def by_suffix(file_name: str) -> Format | None:
    """The format of a file by its name; a `.gz` or `.zst` at the end is passed over."""
    _, dot, suffix = unpacked_name(file_name.lower()).rpartition(".")
    if not dot:
        return None
    return next((f for f in READABLE if suffix == f.suffix), {"xml": RDFXML, "owl": RDFXML, "json": JSONLD}.get(suffix))


def listing(formats: Sequence[Format]) -> str:
    """The media types in words, for a refusal."""
    return ", ".join(f.media_type for f in formats)


def accepts_gzip(header: str) -> bool:
    """Whether Accept-Encoding names gzip with a quality above 0."""
    for part in header.lower().split(","):
        name, _, weight = part.partition(";")
        if name.strip() in ("gzip", "x-gzip"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
