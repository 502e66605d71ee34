"""Blank nodes of a remote store: there they are IRIs (RDF 1.1 Concepts §3.5), since no query and no update can name a blank node.

On the way out each is an IRI below `BASE/.well-known/genid/`, on the way in it is a blank node again, of the same label.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

import pyoxigraph as ox

from motorgraph.media import CSV, JSON, XML

Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
PATH = "/.well-known/genid/"
MOST_KEPT = 1 << 20
_LABEL = rb"([A-Za-z0-9][A-Za-z0-9_.-]*)"
_TESTS = re.compile(r"\b(isblank|isiri|isuri)\s*\(", re.IGNORECASE)
_LITERALS = r"""'{3}.*?'{3}|"{3}.*?"{3}|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*(?:")"""
_SKIPPED = re.compile(r"""#[^\n]*|<[^<>"{}|^`\\\s]*>|""" + _LITERALS, re.DOTALL)


class Skolem:
    """The way between the blank nodes of a graph and the IRIs that stand for them, for a base."""

    def __init__(self, base: str) -> None:
        self.root = base + PATH
        root = re.escape(self.root.encode())
        self._mark = self.root.encode()
        angled = re.compile(rb'"(?:[^"\\]|\\.)*+"|<' + root + _LABEL + b">", re.DOTALL)
        self._texts: dict[str, tuple[re.Pattern[bytes], bytes, bytes]] = {
            JSON.media_type: (
                re.compile(rb'"type"\s*:\s*"uri"\s*,\s*"value"\s*:\s*"' + root + _LABEL + b'"'),
                rb'"type":"bnode","value":"\1"',
                b"}",
            ),
            XML.media_type: (re.compile(b"<uri>" + root + _LABEL + b"</uri>"), rb"<bnode>\1</bnode>", b">"),
            CSV.media_type: (re.compile(root + _LABEL), rb"_:\1", b"\n"),
        }
        self._angled = angled

    def out(self, term: Term) -> Term:
        """The term as the store has it."""
        if isinstance(term, ox.BlankNode):
            return ox.NamedNode(self.root + term.value)
        if isinstance(term, ox.Triple):
            subject, value = self.out(term.subject), self.out(term.object)
            return ox.Triple(subject, term.predicate, value)  # type: ignore[arg-type]  # a subject becomes no literal
        return term

    def back(self, term: Term) -> Term:
        """The term as we have it."""
        if isinstance(term, ox.NamedNode):
            return ox.BlankNode(term.value[len(self.root) :]) if term.value.startswith(self.root) else term
        if isinstance(term, ox.Triple):
            subject, value = self.back(term.subject), self.back(term.object)
            return ox.Triple(subject, term.predicate, value)  # type: ignore[arg-type]  # as above
        return term

    def stream(self, pieces: Iterable[bytes], media_type: str) -> Iterator[bytes]:
        """An answer in one of the formats that are passed on, its blank nodes as such again."""
        pattern, made, end = self._texts.get(media_type, (self._angled, b"", b"\n"))
        replaced: bytes | Callable[[re.Match[bytes]], bytes] = made or _angled_label
        kept = b""
        for piece in pieces:
            whole = kept + piece
            cut = whole.rfind(end) + 1
            if not cut and len(whole) < MOST_KEPT:
                kept = whole
                continue
            now, kept = (whole[:cut], whole[cut:]) if cut else (whole, b"")
            yield pattern.sub(replaced, now) if self._mark in now else now
        if kept:
            yield pattern.sub(replaced, kept) if self._mark in kept else kept

    def asked(self, text: str) -> str:
        """A query that sees in these IRIs the blank nodes that they stand for: isBlank() and isIRI() are told."""
        if not _TESTS.search(text):
            return text
        out, at = [], 0
        skipped = [match.span() for match in _SKIPPED.finditer(text)]
        for match in _TESTS.finditer(text):
            end = _closing(text, match.end(), skipped)
            if match.start() < at or not end or any(start <= match.start() < stop for start, stop in skipped):
                continue
            inner = self.asked(text[match.end() : end])
            ours = f'(ISIRI({inner}) && STRSTARTS(STR({inner}), "{self.root}"))'
            told = f"(ISBLANK({inner}) || {ours})" if match[1].lower() == "isblank" else f"(ISIRI({inner}) && !{ours})"
            out += [text[at : match.start()], told]
            at = end + 1
        return "".join([*out, text[at:]])


def _angled_label(match: re.Match[bytes]) -> bytes:
    return b"_:" + match[1] if match[1] is not None else match[0]


def _closing(text: str, start: int, skipped: Iterable[tuple[int, int]]) -> int:
    """Where the bracket that was opened before `start` is closed; 0 if it is not."""
    inside = {at for first, end in skipped for at in range(first, end)}
    depth = 1
    for at in range(start, len(text)):
        if at not in inside:
            depth += {"(": 1, ")": -1}.get(text[at], 0)
            if not depth:
                return at
    return 0
