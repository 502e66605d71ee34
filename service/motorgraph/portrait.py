"""What a page shows of a thing: facts by property, what hangs on it, what is claimed of it and by whom, what points to it."""

from __future__ import annotations

from dataclasses import dataclass, field

from motorgraph.marks import Mark


@dataclass(frozen=True, slots=True)
class Link:
    """A thing by its name: where this service tells of it, or where it is elsewhere; neither if there is nowhere to go."""

    text: str
    page: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a fact, and the numbers of its sources."""

    link: Link
    language: str = ""
    sources: tuple[int, ...] = ()


@dataclass(slots=True)
class Fact:
    """A property and its values."""

    name: Link
    values: list[Value] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Part:
    """A node without a name that hangs on the thing: by which property, and what is said of it."""

    page: str
    by: Link | None
    facts: list[Fact]
    sources: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Saying:
    """A claim: how sure it is, what it says, who says so from whom and when, in which document; what the curator makes of it."""

    page: str
    mark: Mark
    text: str
    by: Link
    behind: str
    day: str
    document: Link
    address: str
    verdict: str
    accepted: Mark | None
    sources: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """What points to the thing: things of one class by one property, how many there are (0 of what only follows by rules, which
    is not counted), those on this page."""

    kind: str
    property: Link
    count: int
    things: list[Link]


@dataclass(frozen=True, slots=True)
class Source:
    """A graph that statements are in: its number on the page, the document that owns it or what it is in words."""

    number: int
    link: Link
    graph: Link


@dataclass(frozen=True, slots=True)
class Portrait:
    """Everything that a page about a thing shows."""

    iri: str
    name: str
    kinds: list[str]
    aliases: list[str]
    facts: list[Fact]
    parts: list[tuple[str, list[Part]]]
    claims: list[Saying]
    groups: list[Group]
    sources: list[Source]
    page: int
    has_more: bool
