"""The documents behind statements: from each statement of a graph to where it was found, who published that, and when."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from motorgraph.errors import TooLarge
from motorgraph.inquiry import Inquiry, solutions
from motorgraph.stores.embedded import Embedded
from motorgraph.vocab import DCTERMS, SCHEMA, SKOS

MOST_STATEMENTS = 20_000
UNDATED = "undated"
_VARIABLES = ("node", "claimed", "document", "title", "url", "publisher", "issued", "reported", "fuzzy", "vague", "seen")
_IRI = re.compile(r"https?:[^\s<>\"{}|\\^`]+")
# A claim names its document. What is accepted, or only told, names its claims; what is inferred its grounds; a figure and a row
# of a register their documents. A proposition stands for the claims that make it.
_BEHIND = f"""PREFIX mg: <{{base}}/ontology/> PREFIX dcterms: <{DCTERMS}>
SELECT ?node ?claimed ?document ?title ?url ?publisher ?issued ?reported ?fuzzy ?vague ?seen {{{{
  VALUES ?node {{{{ {{nodes}} }}}}
  ?node (mg:inferredFrom*/(mg:acceptedFrom|mg:basedOnClaim))|^mg:proposition|mg:foundIn|mg:observationSource|mg:fromDataset
    ?told .
  OPTIONAL {{{{ ?told mg:foundIn ?found }}}}
  BIND(BOUND(?found) || EXISTS {{{{ ?node mg:foundIn ?told }}}} AS ?claimed)
  BIND(COALESCE(?found, ?told) AS ?document)
  BIND(IF(BOUND(?found), ?told, ?node) AS ?claim)
  OPTIONAL {{{{ ?claim mg:reportedOn ?reported }}}}
  OPTIONAL {{{{ ?claim mg:dateEDTF ?fuzzy }}}}
  OPTIONAL {{{{ ?document dcterms:title ?title }}}}
  OPTIONAL {{{{ ?document <{SCHEMA}url> ?url }}}}
  OPTIONAL {{{{ ?document dcterms:issued ?issued }}}}
  OPTIONAL {{{{ ?document mg:dateEDTF ?vague }}}}
  OPTIONAL {{{{ ?document mg:accessedOn ?seen }}}}
  OPTIONAL {{{{ ?document dcterms:publisher/<{SKOS}prefLabel> ?publisher }}}}
}}}}"""


@dataclass(frozen=True, slots=True)
class Source:
    """A document: its IRI and address, its title and publisher, its day (ISO 8601 or EDTF; `UNDATED`), and when it was seen."""

    iri: str
    url: str = field(compare=False)
    title: str = field(compare=False)
    publisher: str = field(compare=False)
    date: str = field(compare=False)
    seen: str = field(compare=False)

    @property
    def key(self) -> tuple[str, str, str]:
        """What sources are put in order by."""
        return self.date, self.publisher, self.iri

    def as_json(self) -> dict[str, str]:
        """As a member of an answer."""
        told = {"iri": self.iri, "url": self.url, "publisher": self.publisher, "title": self.title, "date": self.date}
        return {**told, "seen": self.seen}

    def __str__(self) -> str:
        """In one cell of a table: outlet, day, address."""
        return ", ".join(part for part in (self.publisher or self.title, self.date, self.url or self.iri) if part)


class Sources:
    """Finds the documents behind statements."""

    def __init__(self, store: Embedded) -> None:
        self._base = store.settings.base
        self._inquiry = Inquiry(store)

    async def behind(self, statements: Iterable[str], commit: int) -> dict[str, frozenset[Source]]:
        """The documents behind each of these statements (IRIs), in the graph of a commit. Raises TooLarge.

        Where claims tell of a statement, the register that it was also put into is not named.
        """
        nodes = [iri for iri in dict.fromkeys(statements) if _IRI.fullmatch(iri)]
        if not nodes:
            return {}
        if len(nodes) > MOST_STATEMENTS:
            raise TooLarge(
                f"The answer rests on {len(nodes):,} statements; the sources of {MOST_STATEMENTS:,} can be told. Ask with cite=0."
            )
        text = _BEHIND.format(base=self._base, nodes=" ".join(f"<{iri}>" for iri in nodes))
        _, body = await self._inquiry.answer(text, {}, commit)
        claimed: dict[str, dict[str, Source]] = {}
        listed: dict[str, dict[str, Source]] = {}
        for row in solutions(body):
            told = {name: row[name].value for name in _VARIABLES if row[name] is not None}
            found = claimed if told["claimed"] == "true" else listed
            earlier = found.setdefault(told["node"], {}).get(told["document"])
            source = _source(told)
            if earlier is None or source.key < earlier.key:
                found[told["node"]][source.iri] = source
        return {node: frozenset(documents.values()) for node, documents in {**listed, **claimed}.items()}


def _source(told: Mapping[str, str]) -> Source:
    dates = (told.get(name) for name in ("issued", "reported", "vague", "fuzzy"))
    return Source(
        iri=told["document"],
        url=told.get("url", ""),
        title=told.get("title", ""),
        publisher=told.get("publisher", ""),
        date=next((date for date in dates if date), UNDATED),
        seen=told.get("seen", ""),
    )
