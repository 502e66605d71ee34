"""The values that a portrait is made of: facts by group, tables of what has no name, claims by question, what points here."""

from __future__ import annotations

from dataclasses import dataclass, field

from motorgraph.marks import Mark


@dataclass(frozen=True, slots=True)
class Link:
    """A thing by its name: its IRI, where this service tells of it, or where it is elsewhere; all empty for plain words."""

    text: str
    page: str = ""
    href: str = ""
    iri: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a fact, since when, the mark of a status, and the numbers of its sources."""

    link: Link
    language: str = ""
    sources: tuple[int, ...] = ()
    since: str = ""
    mark: Mark | None = None


@dataclass(slots=True)
class Fact:
    """A property and its values; no value is "not known"."""

    name: Link
    values: list[Value] = field(default_factory=list)
    disagrees: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """Facts of one kind: who, what it makes, where."""

    name: str
    facts: list[Fact]


@dataclass(frozen=True, slots=True)
class Cell:
    """What a row has in a column, and the mark of a status."""

    values: list[Link]
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A node without a name: its values by column, where it is told of, its sources; whether sources disagree on it."""

    page: str
    cells: list[Cell]
    sources: tuple[int, ...]
    disagrees: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """The nodes of one class that hang on the thing, the columns that any of them fills, and how many are left out."""

    kind: str
    columns: list[str]
    rows: list[Row]
    more: int = 0


@dataclass(frozen=True, slots=True)
class Tally:
    """The persons behind a claim: their number (0: not given), whether they are named, and the same in words."""

    number: int
    is_named: bool
    words: str


@dataclass(frozen=True, slots=True)
class Saying:
    """A claim: how sure it is, what it says, who says so from whom and when, in which document; what the curator makes of it."""

    page: str
    iri: str
    mark: Mark
    text: str
    by: Link
    tally: Tally | None
    day: str
    document: Link
    verdict: str
    note: str
    correction: Link | None
    sources: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Topic:
    """The claims on one question: those that stand alone, and groups of those that cannot all hold."""

    question: str
    claims: list[Saying]
    disputes: list[list[Saying]]


@dataclass(frozen=True, slots=True)
class Chip:
    """How many claims have a mark, and the word by which they are asked for."""

    key: str
    mark: Mark
    count: int


@dataclass(frozen=True, slots=True)
class Pointer:
    """A thing that points here, and the mark of its status."""

    link: Link
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """What points to the thing: things of one class by one property, how many there are (0 of what only follows by rules, which
    is not counted), those on this page."""

    kind: str
    property: Link
    count: int
    things: list[Pointer]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, or was said: when (in words too, where the day is vague), and what."""

    day: str
    words: str
    is_vague: bool
    mark: Mark
    text: str
    page: str
    sources: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """A stage of a deal: done, now, next, or out where it has left the line."""

    words: str
    state: str
    day: str = ""
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a deal that has a state of its own: what it is, how far, since when, and who stands behind that."""

    link: Link
    kinds: list[str]
    mark: Mark
    day: str
    claims: list[Saying]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A thing next to this one: how they are tied, and the line of the tie (is, active, planned, talks, denied, ended)."""

    link: Link
    by: str
    line: str
    mark: Mark | None


@dataclass(frozen=True, slots=True)
class Spot:
    """A point of the map: `open`, `closed`, `unknown`, or `deal` for what the map is about."""

    name: str
    page: str
    lon: float
    lat: float
    kind: str


@dataclass(frozen=True, slots=True)
class Party:
    """Who plays which part in a deal, how sure it is whom the texts mean, and what else it has agreed."""

    link: Link
    role: str
    words: str


@dataclass(frozen=True, slots=True)
class Source:
    """What statements rest on: its number on the page, the document, who published it and when."""

    number: int
    link: Link
    about: str
    graph: Link


@dataclass(frozen=True, slots=True)
class Lead:
    """The thing in a sentence, and the strongest claim on it that is open."""

    text: str
    claim: Saying | None = None


@dataclass(frozen=True, slots=True)
class Portrait:
    """Everything that a page about a thing shows. `kind` is the first part of its address, such as `plant`."""

    iri: str
    name: str
    kind: str
    kinds: list[str]
    aliases: list[str]
    lead: Lead
    mark: Mark | None
    crumbs: list[Link]
    steps: list[Step]
    parts: list[Part]
    facts: list[Section]
    tables: list[Table]
    chips: list[Chip]
    topics: list[Topic]
    corrected: list[Saying]
    groups: list[Group]
    spots: list[Spot]
    neighbours: list[Neighbour]
    parties: list[Party]
    others: list[Pointer]
    events: list[Event]
    duty: str
    duties: str
    sources: list[Source]
    page: int
    has_more: bool
