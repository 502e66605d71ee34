"""From a request to a plan: which dataset a query sees, and which of the world's hosts it may not reach."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from urllib.parse import urljoin, urlsplit

from motorgraph.errors import BadRequest, Forbidden
from motorgraph.tokens import Token, tokens, unescape_unicode


@dataclass(frozen=True, slots=True)
class Dataset:
    """The graphs that a query sees (SPARQL 1.1 §13.2): those merged into its default graph, and the named ones."""

    default: tuple[str, ...] = ()
    named: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.default or self.named)


@dataclass(frozen=True, slots=True)
class Query:
    """A SPARQL query as the protocol brought it; `dataset` overrides FROM and FROM NAMED when it is not empty."""

    text: str
    dataset: Dataset = field(default_factory=Dataset)
    base: str = ""


@dataclass(frozen=True, slots=True)
class Update:
    """A SPARQL update as the protocol brought it; `using` stands for USING and USING NAMED in every operation."""

    text: str
    using: Dataset = field(default_factory=Dataset)
    base: str = ""


_MENTIONS_DATASET = re.compile(r"\bfrom\b", re.IGNORECASE)
_MENTIONS_HOST = re.compile(r"service|load|\\u", re.IGNORECASE)
_CHANGES_BY_ITSELF = re.compile(r"\b(now|rand|uuid|struuid|bnode|service)\b|\\u", re.IGNORECASE)


def planned(query: Query, hosts: Sequence[str] = ()) -> Query:
    """The query with its dataset settled. Raises Forbidden for a SERVICE on a host that is not in `hosts`."""
    refuse_hosts(query.text, hosts)
    if query.dataset or not _MENTIONS_DATASET.search(query.text):
        return query
    return replace(query, dataset=_written_dataset(query))


def is_repeatable(text: str) -> bool:
    """Whether the same query on the same commit gives the same answer, so that an ETag can stand for it."""
    return not _CHANGES_BY_ITSELF.search(text)


def refuse_hosts(text: str, hosts: Sequence[str]) -> None:
    """Raises Forbidden, naming the host, if the text would have us ask (SERVICE) or fetch from (LOAD) a host not in `hosts`."""
    if not _MENTIONS_HOST.search(text):
        return
    found = list(tokens(unescape_unicode(text)))
    for place, token in enumerate(found):
        if token.is_word("SERVICE", "LOAD"):
            target = next((t for t in found[place + 1 :] if not t.is_word("SILENT")), token)
            _refuse_host(token.text.upper(), _resolved(target, _prefixes(found), _base(found, "")), hosts)


def _refuse_host(keyword: str, iri: str | None, hosts: Sequence[str]) -> None:
    host = (urlsplit(iri).hostname or "") if iri else ""
    if host and host in hosts and keyword == "SERVICE":
        return
    if keyword == "LOAD":
        raise Forbidden(
            f"LOAD of {iri or 'an unnamed document'} is not allowed: this service fetches from no host"
            f"{f' (here {host})' if host else ''}. Send the data itself to /graphs.",
            host=host,
        )
    raise Forbidden(
        f"SERVICE on {host or 'a host that the query does not name'} is not allowed. "
        f"{'Allowed are: ' + ', '.join(hosts) + '.' if hosts else 'No host is allowed (setting service_hosts).'}",
        host=host,
    )


def _written_dataset(query: Query) -> Dataset:
    """What FROM and FROM NAMED say, resolved against BASE and PREFIX as they stand in the text."""
    text = unescape_unicode(query.text)
    found = list(tokens(text))
    prefixes, base = _prefixes(found), _base(found, query.base)
    default: list[str] = []
    named: list[str] = []
    for name, iri in _from_clauses(found):
        resolved = _resolved(iri, prefixes, base)
        if resolved is None:
            return Dataset()  # not a graph name: the parser will say so better than we can
        (named if name else default).append(resolved)
    return Dataset(tuple(dict.fromkeys(default)), tuple(dict.fromkeys(named)))


def _from_clauses(found: Sequence[Token]) -> Iterator[tuple[bool, Token]]:
    """Each FROM before the first brace of the pattern: whether it is NAMED, and the token of the graph."""
    pattern = _pattern_start(found)
    for place, token in enumerate(found[:pattern]):
        if token.is_word("FROM") and place + 2 < len(found):
            is_named = found[place + 1].is_word("NAMED")
            yield is_named, found[place + 2 if is_named else place + 1]


def _pattern_start(found: Sequence[Token]) -> int:
    """Where the WHERE pattern begins: a CONSTRUCT template stands before FROM, so its braces are passed over."""
    depth = 0
    is_template = any(t.is_word("CONSTRUCT") for t in found)
    for place, token in enumerate(found):
        if token.text == "{":
            if depth == 0 and not (is_template and found[place - 1].is_word("CONSTRUCT")):
                return place
            depth += 1
        elif token.text == "}":
            depth -= 1
    return len(found)


def _prefixes(found: Sequence[Token]) -> dict[str, str]:
    """The PREFIX declarations of the text: `ex:` to its IRI."""
    return {
        name.text: iri.text[1:-1]
        for word, name, iri in zip(found, found[1:], found[2:], strict=False)
        if word.is_word("PREFIX") and name.kind == "name" and iri.kind == "iri"
    }


def _base(found: Sequence[Token], outer: str) -> str:
    """The base IRI after the BASE declarations of the text, starting from the protocol's own."""
    for word, iri in pairwise(found):
        if word.is_word("BASE") and iri.kind == "iri":
            outer = urljoin(outer, iri.text[1:-1])
    return outer


def _resolved(token: Token, prefixes: dict[str, str], base: str) -> str | None:
    if token.kind == "iri":
        return urljoin(base, token.text[1:-1]) if base else token.text[1:-1]
    if token.kind == "name":
        prefix, _, local = token.text.partition(":")
        namespace = prefixes.get(prefix + ":")
        return None if namespace is None else urljoin(base, namespace) + re.sub(r"\\(.)", r"\1", local)
    return None


def with_using(update: Update) -> str:
    """The update's text with USING clauses for the protocol's graphs (SPARQL 1.1 Protocol §2.2.3).

    Raises BadRequest if the text already says USING or WITH.
    """
    if not update.using:
        return update.text
    text = unescape_unicode(update.text)
    found = list(tokens(text))
    if any(t.is_word("USING", "WITH") for t in found):
        raise BadRequest(
            "The request gives using-graph-uri or using-named-graph-uri, so the update may not say USING or WITH itself. "
            "Leave out one of the two."
        )
    clause = "".join(f" USING <{g}>" for g in update.using.default)
    clause += "".join(f" USING NAMED <{g}>" for g in update.using.named)
    return _insert_using(text, found, clause)


def _insert_using(text: str, found: Sequence[Token], clause: str) -> str:
    """Puts the clause before each outermost WHERE; `DELETE WHERE {p}` becomes `DELETE {p} USING … WHERE {p}`."""
    pieces, copied, depth = [], 0, 0
    for place, token in enumerate(found):
        if token.text == "{":
            depth += 1
        elif token.text == "}":
            depth -= 1
        elif depth == 0 and token.is_word("WHERE"):
            template = ""
            if place and found[place - 1].is_word("DELETE"):
                template = " " + _braces(text, found[place + 1 :])
            pieces.append(text[copied : token.start] + template + clause + " ")
            copied = token.start
    return "".join(pieces) + text[copied:]


def _braces(text: str, following: Sequence[Token]) -> str:
    """The text from the first brace to its partner."""
    depth = 0
    for token in following:
        depth += {"{": 1, "}": -1}.get(token.text, 0)
        if depth == 0:
            return text[following[0].start : token.end]
    return ""
