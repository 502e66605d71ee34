"""Terms of a remote store: blank nodes are IRIs there (RDF 1.1 Concepts §3.5), since no query and no update can name one.

On the way out each is an IRI below `BASE/.well-known/genid/`, on the way in it is a blank node again, of the same label.
A literal that the engine would rewrite does not go out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

import pyoxigraph as ox

from motorgraph.engine.dialects import DIALECTS, Dialect
from motorgraph.errors import NotRemote
from motorgraph.media import CSV, JSON, XML

Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
PATH = "/.well-known/genid/"
BOOLEAN = "http://www.w3.org/2001/XMLSchema#boolean"
MOST_KEPT = 1 << 20
_LABEL = rb"([A-Za-z0-9][A-Za-z0-9_.-]*)"
_TRUTH = re.compile(rb'("datatype"\s*:\s*"' + re.escape(BOOLEAN).encode() + rb'"\s*,\s*"value"\s*:\s*)"([01])"')
_TESTS = re.compile(r"\b(isblank|isiri|isuri)\s*\(", re.IGNORECASE)
_LITERALS = r"""'{3}.*?'{3}|"{3}.*?"{3}|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*(?:")"""
_SKIPPED = re.compile(r"""#[^\n]*|<[^<>"{}|^`\\\s]*>|""" + _LITERALS, re.DOTALL)


class Skolem:
    """The way between the terms of a graph and those that stand for them in an engine, for a base."""

    def __init__(self, base: str, dialect: Dialect = DIALECTS["sparql"]) -> None:
        self.root = base + PATH
        self._dialect = dialect
        root = re.escape(self.root.encode())
        self._mark = self.root.encode()
        self._numbers_truth = not dialect.keeps(BOOLEAN, "1")
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
        """The term as the store has it. Raises NotRemote for a literal that it would rewrite."""
        if isinstance(term, ox.BlankNode):
            return ox.NamedNode(self.root + term.value)
        if isinstance(term, ox.Literal) and not self._dialect.keeps(term.datatype.value, term.value):
            raise NotRemote(f"A store of this kind would not keep {term} as it is. What it keeps is told in docs/operation.md.")
        if isinstance(term, ox.Triple):
            subject, value = self.out(term.subject), self.out(term.object)
            return ox.Triple(subject, term.predicate, value)  # type: ignore[arg-type]  # a subject becomes no literal
        return term

    def lines(self, lines: Sequence[bytes]) -> list[bytes]:
        """Lines of N-Quads of the engine's own as the store has them. Raises NotRemote as `out` does."""
        if not self._dialect.kept and not any(b"_:" in line for line in lines):
            return list(lines)
        return [self._line(line) if self._dialect.kept or b"_:" in line else line for line in lines]

    def _line(self, line: bytes) -> bytes:
        quad = next(ox.parse(line, ox.RdfFormat.N_QUADS))
        subject, value, graph = self.out(quad.subject), self.out(quad.object), quad.graph_name
        graph = graph if isinstance(graph, ox.DefaultGraph) else self.out(graph)
        made = ox.serialize([ox.Quad(subject, quad.predicate, value, graph)], format=ox.RdfFormat.N_QUADS)  # type: ignore[arg-type]  # as above
        assert made is not None  # bytes, since no output was given
        return made

    def within(self, name: Term | ox.DefaultGraph, triples: str) -> str:
        """Triples, or patterns of them, in a graph."""
        if isinstance(name, ox.DefaultGraph):
            return f"GRAPH <{self._dialect.default}> {{ {triples} }}" if self._dialect.default else triples
        return f"GRAPH {self.out(name)} {{ {triples} }}"

    def back(self, term: Term) -> Term:
        """The term as we have it."""
        if isinstance(term, ox.NamedNode):
            return ox.BlankNode(term.value[len(self.root) :]) if term.value.startswith(self.root) else term
        if isinstance(term, ox.Literal):
            text = self._dialect.read(term.datatype.value, term.value)
            return term if text == term.value else ox.Literal(text, datatype=term.datatype)
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
            yield self._read(pattern.sub(replaced, now) if self._mark in now else now, media_type)
        if kept:
            yield self._read(pattern.sub(replaced, kept) if self._mark in kept else kept, media_type)

    def _read(self, piece: bytes, media_type: str) -> bytes:
        """A piece with its booleans as words: where 1 does not come back as it went, it stands for true."""
        if not self._numbers_truth or media_type != JSON.media_type:
            return piece
        return _TRUTH.sub(lambda match: match[1] + (b'"true"' if match[2] == b"1" else b'"false"'), piece)

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
