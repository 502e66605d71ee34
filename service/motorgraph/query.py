"""From a request to a plan: which dataset a query sees, and which of the world's hosts it may not reach.

The text is looked through in the process that evaluates it, never in the front: looking at a megabyte takes a while too.
"""

from __future__ import annotations

import re
import unicodedata  # noqa: F401  # urlsplit imports it at a host in other letters, and no reader can open a file
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
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
    """A SPARQL query as the protocol brought it; `dataset` overrides FROM and FROM NAMED when it is not empty.

    `at` is the commit or time of the graph that is asked, "" for the newest. `form` is the suffix of a format that the address
    names, "" for what Accept says.
    """

    text: str
    dataset: Dataset = field(default_factory=Dataset)
    base: str = ""
    at: str = ""
    form: str = ""


@dataclass(frozen=True, slots=True)
class Update:
    """A SPARQL update as the protocol brought it; `using` stands for USING and USING NAMED in every operation.

    A `dry_run` is not made.
    """

    text: str
    using: Dataset = field(default_factory=Dataset)
    base: str = ""
    dry_run: bool = False


_DATASET_WORDS = ("from",)
_HOST_WORDS = ("service", "load", "\\u")
_MENTIONS_DATASET = re.compile("|".join(map(re.escape, _DATASET_WORDS)), re.IGNORECASE)
_MENTIONS_HOST = re.compile("|".join(map(re.escape, _HOST_WORDS)), re.IGNORECASE)
_CHANGES_BY_ITSELF = re.compile(r"(?:now|rand|uuid|bnode)\s*+[(#]|service|\\u", re.IGNORECASE)  # "#": the bracket may follow
_GAP = r"(?:\s|\#[^\r\n]*)*+"
_LOOKS_LIKE_SERVICE = re.compile(
    rf"(?<![?$])service(?:\s|\#[^\r\n]*|silent)*+(<[^<>\s]*>|[?$][^\s{{}}<>]+|[^\s<>{{}}\"'?$.;,()\[\]:]*:[^\s{{}}<>\#]*){_GAP}\{{",
    re.IGNORECASE,
)
_HAS_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
_ANY_BASE = re.compile(r"base\s*<([^<>\s]*)>", re.IGNORECASE)
_FETCHES = re.compile(r"(SERVICE|LOAD)", re.IGNORECASE)


def planned(query: Query, hosts: Sequence[str] = ()) -> Query:
    """The query with its dataset settled. Raises Forbidden for a SERVICE on a host that is not in `hosts`."""
    refuse_hosts(query.text, hosts)
    if query.dataset or not _mentions(query.text, _DATASET_WORDS, _MENTIONS_DATASET):
        return query
    return replace(query, dataset=_written_dataset(query))


def _mentions(text: str, words: Sequence[str], pattern: re.Pattern[str]) -> bool:
    """What `pattern`, which is any of the words in whatever case, finds, in a fifth of the time where the text is ASCII."""
    if not text.isascii():
        return pattern.search(text) is not None
    lowered = text.lower()
    return any(word in lowered for word in words)


def is_repeatable(text: str) -> bool:
    """Whether the same query on the same commit gives the same answer, so that an ETag can stand for it."""
    return not _CHANGES_BY_ITSELF.search(text)


def refuse_hosts(text: str, hosts: Sequence[str]) -> None:
    """Raises Forbidden, naming the host, if the text would have us ask (SERVICE) or fetch from (LOAD) a host not in `hosts`.

    The engine reads keywords without their boundaries (`SERVICESILENT`, `1SERVICE`, `SERVICE:x`), so every word that holds one
    counts; no other word of SPARQL does.
    """
    if not _mentions(text, _HOST_WORDS, _MENTIONS_HOST):
        return
    if hosts:
        _refuse_whatever_looks_so(text, hosts)
    _refuse_in(text, hosts)
    if "\\" in text:  # an engine that replaces \u before it parses would see another text
        _refuse_in(unescape_unicode(text), hosts)


def _refuse_whatever_looks_so(text: str, hosts: Sequence[str]) -> None:
    """Where some hosts may be asked, no text may look as if it asked another, be it in a string or a comment.

    What hides in what is a matter on which two readers of a text can differ, and then a host would be reached. So every
    declaration of a prefix and of a base counts, wherever it stands.
    """
    for match in _LOOKS_LIKE_SERVICE.finditer(text):
        targets: list[str | None] = [*_possible_targets(match[1], text)]
        for iri in targets or [None]:
            _refuse_host("SERVICE", iri, hosts)


def _possible_targets(target: str, text: str) -> list[str]:
    """The IRIs that an IRI or prefixed name can stand for, by any of the declarations in the text."""
    if target.startswith("<"):
        iri = unescape_unicode(target[1:-1])
        bases = [unescape_unicode(base) for base in _ANY_BASE.findall(text)]
        return [iri] if _HAS_SCHEME.match(iri) else [urljoin(base, iri) for base in bases]
    prefix, colon, _ = target.partition(":")
    if not colon or target[0] in "?$":
        return []
    declared = re.findall(rf"prefix[\s\x00-\x20]*{re.escape(prefix)}:\s*(<[^<>\s]*>)", text, re.IGNORECASE)
    return [iri for namespace in declared for iri in _possible_targets(namespace, text)]


def _refuse_in(text: str, hosts: Sequence[str]) -> None:
    found = list(tokens(text))
    scope = Scope()
    for place, token in enumerate(found):
        scope.see(found, place)
        if not _FETCHES.search(token.text) or token.kind not in ("word", "name"):
            continue
        if token.kind == "name" and not _may_be_keyword(token, found[place + 1 :], scope):
            continue
        keyword = "LOAD" if "LOAD" in token.text.upper() else "SERVICE"
        _refuse_host(keyword, _target(token, found[place + 1 :], scope), hosts)


def _may_be_keyword(name: Token, following: Sequence[Token], scope: Scope) -> bool:
    """Whether the engine may read `SERVICE:x` as `SERVICE :x`: where the prefix is not declared, or a group comes next."""
    prefix = name.text.partition(":")[0]
    if not _FETCHES.search(prefix) or (scope.declares and name.text.endswith(":")):
        return False
    return prefix + ":" not in scope.prefixes or bool(following and following[0].text == "{")


def _target(token: Token, following: Sequence[Token], scope: Scope) -> str | None:
    """The IRI that SERVICE or LOAD names, or None if it is a variable or nothing that we can resolve."""
    if token.kind == "name":
        return scope.resolve(Token("name", ":" + token.text.partition(":")[2], token.start))
    first = next((t for t in following[:2] if not t.is_word("SILENT")), None)
    return scope.resolve(first) if first else None


def _refuse_host(keyword: str, iri: str | None, hosts: Sequence[str]) -> None:
    try:
        host = (urlsplit(iri).hostname or "") if iri else ""
    except ValueError:
        host = ""
    if host and host in hosts and keyword == "SERVICE":
        return
    if keyword == "LOAD":
        raise Forbidden(
            f"LOAD of {iri or 'an unnamed document'} is not allowed: this service fetches from no host"
            f"{f' (here {host})' if host else ''}. Send the data itself to /graphs.",
            host=host,
        )
    raise Forbidden(
        f"SERVICE on {host or 'a host that the query does not name by its full IRI'} is not allowed. "
        f"{'Allowed are: ' + ', '.join(hosts) + '.' if hosts else 'No host is allowed (setting service_hosts).'}",
        host=host,
    )


class Scope:
    """The prefixes and the base IRI in force at a place of a text, which BASE and PREFIX before it have made."""

    def __init__(self, base: str = "") -> None:
        self.prefixes: dict[str, str] = {}
        self.declares = False
        self._base = base

    def see(self, found: Sequence[Token], place: int) -> None:
        """Takes notice of the token at `place`: a declaration counts from there on."""
        token, rest = found[place], found[place + 1 : place + 3]
        self.declares = place > 0 and found[place - 1].is_word("PREFIX")
        if token.is_word("BASE") and rest and rest[0].kind == "iri":
            self._base = urljoin(self._base, unescape_unicode(rest[0].text[1:-1]))
        elif token.is_word("PREFIX") and len(rest) == 2 and rest[0].kind == "name" and rest[1].kind == "iri":
            self.prefixes[rest[0].text] = urljoin(self._base, unescape_unicode(rest[1].text[1:-1]))

    def resolve(self, token: Token) -> str | None:
        """The IRI that an IRI or a prefixed name stands for; None for anything else."""
        if token.kind == "iri":
            return urljoin(self._base, unescape_unicode(token.text[1:-1]))
        if token.kind == "name":
            prefix, _, local = token.text.partition(":")
            namespace = self.prefixes.get(prefix + ":")
            return None if namespace is None else namespace + re.sub(r"\\(.)", r"\1", local)
        return None


def _written_dataset(query: Query) -> Dataset:
    """What FROM and FROM NAMED say, resolved against BASE and PREFIX as they stand before them."""
    default: list[str] = []
    named: list[str] = []
    for is_named, iri in _from_clauses(query):
        if iri is None:
            return Dataset()  # not a graph's name: the parser will say so better than we can
        (named if is_named else default).append(iri)
    return Dataset(tuple(dict.fromkeys(default)), tuple(dict.fromkeys(named)))


def _from_clauses(query: Query) -> Iterator[tuple[bool, str | None]]:
    """Each FROM of the text: whether it is NAMED, and its graph. The keyword stands nowhere but in a dataset clause."""
    found = list(tokens(query.text))
    scope = Scope(query.base)
    for place, token in enumerate(found):
        scope.see(found, place)
        if token.is_word("FROM"):
            is_named = place + 1 < len(found) and found[place + 1].is_word("NAMED")
            graph = found[place + 1 + is_named : place + 2 + is_named]
            yield is_named, scope.resolve(graph[0]) if graph else None


def with_using(update: Update) -> str:
    """The update's text with USING clauses for the protocol's graphs (SPARQL 1.1 Protocol §2.2.3).

    Raises BadRequest if the text already says USING or WITH.
    """
    if not update.using:
        return update.text
    found = list(tokens(update.text))
    if any(t.is_word("USING", "WITH") for t in found):
        raise BadRequest(
            "The request gives using-graph-uri or using-named-graph-uri, so the update may not say USING or WITH itself. "
            "Leave out one of the two."
        )
    clause = "".join(f" USING <{g}>" for g in update.using.default)
    clause += "".join(f" USING NAMED <{g}>" for g in update.using.named)
    return _insert_using(update.text, found, clause)


def _insert_using(text: str, found: Sequence[Token], clause: str) -> str:
    """Puts the clause before each outermost WHERE; `DELETE WHERE {p}` becomes `DELETE {p} USING … WHERE {p}`."""
    pieces, copied, depth = [], 0, 0
    for place, token in enumerate(found):
        depth += _BRACES.get(token.text, 0)
        if depth == 0 and token.is_word("WHERE"):
            template = ""
            if place and found[place - 1].is_word("DELETE"):
                template = " " + _braces(text, found[place + 1 :])
            pieces.append(text[copied : token.start] + template + clause + " ")
            copied = token.start
    return "".join(pieces) + text[copied:]


_BRACES = {"{": 1, "}": -1}


def _braces(text: str, following: Sequence[Token]) -> str:
    """The text from the first brace to its partner."""
    depth = 0
    for token in following:
        depth += _BRACES.get(token.text, 0)
        if depth == 0:
            return text[following[0].start : token.end]
    return ""
