"""Where IRIs lead: addresses of this service for its own, links in texts that name terms."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import quote

from markupsafe import Markup, escape

from motorgraph.prefixes import Prefixes

_PLACE = re.compile(r"<([^<>\"{}|^`\\\s]+)>|(?<![\w<:.-])([a-z]+:[A-Za-z](?:[\w-]*\w)?)")
_SAFE = "/:@!$&'()*+,;=-._~%#?"


@dataclass(frozen=True)
class Links:
    """The links of the pages of one service. `known` are the IRIs below the base that names in a text may lead to."""

    prefixes: Prefixes
    known: frozenset[str] = frozenset()

    def address(self, iri: str) -> str:
        """Where a browser is sent for an IRI: a path of this service for its own, "" for what is no web address."""
        base = self.prefixes.base
        if iri.startswith(base + "/graph/"):
            return f"/graphs?graph={quote(iri, safe='')}"
        if iri.startswith(base + "/"):
            return quote(iri[len(base) :], safe=_SAFE)
        return iri if iri.startswith(("http://", "https://")) else ""

    def name(self, iri: str) -> str:
        """An IRI in short, without brackets."""
        return self.prefixes.shortened(iri) or iri

    def to(self, iri: str) -> Markup:
        """An IRI in short as a link."""
        return self._link(iri, self.name(iri))

    def named(self, iri: str, words: str) -> Markup:
        """Words that lead to where an IRI does."""
        return self._link(iri, words)

    def all(self, iris: Iterable[str]) -> Markup:
        """Several such links with commas between them."""
        return Markup(", ").join(self.to(iri) for iri in iris)

    def text(self, text: str) -> Markup:
        """A text in which the terms that it names are links: prefixed names, and IRIs between angle brackets."""
        return self._marked(text, lambda place, iri: place[2] or self.name(iri))

    def code(self, text: str) -> Markup:
        """Turtle or SPARQL in which names are links and otherwise nothing is changed."""
        return self._marked(text, lambda place, _: place[0])

    def _marked(self, text: str, words: Callable[[re.Match[str], str], str]) -> Markup:
        pieces, end = [Markup("")], 0
        for place in _PLACE.finditer(text):
            iri = place[1] or self.prefixes.expanded(place[2])
            if self._leads(iri):
                pieces += [escape(text[end : place.start()]), self._link(iri, words(place, iri))]
                end = place.end()
        return Markup("").join([*pieces, escape(text[end:])])

    def _leads(self, iri: str) -> bool:
        """Whether a mention becomes a link: of terms and shapes only of those that there are."""
        is_term = iri.startswith((f"{self.prefixes.base}/ontology", f"{self.prefixes.base}/shapes"))
        return iri in self.known if is_term else bool(self.address(iri))

    def _link(self, iri: str, words: str) -> Markup:
        address = self.address(iri)
        return Markup('<a href="{}">{}</a>').format(address, words) if address else Markup("{}").format(words)
