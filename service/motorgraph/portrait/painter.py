"""From a description whose statements tell their graphs to its portrait."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from motorgraph.address import local
from motorgraph.entity import TYPE, Answered, Description, Dialect, Question, Teller, best
from motorgraph.literal import text_of
from motorgraph.portrait import course, facts, surroundings
from motorgraph.portrait.gathering import Gatherer, counting, plants
from motorgraph.portrait.layout import COLUMNS, CRUMBS
from motorgraph.portrait.lead import Leads
from motorgraph.portrait.material import Material
from motorgraph.portrait.sayings import Sayings
from motorgraph.portrait.values import Link, Portrait
from motorgraph.vocab import SKOS, Names

PLACED = {"Plant", "Deal", "DealComponent", "Place", "Country", "VehicleModel", "Brand", "Organization"}
"""Classes of which there may be a map."""


def painted(
    found: Description, names: Names, dialect: Dialect, languages: Sequence[str]
) -> Generator[Question, Answered, Portrait]:
    """The steps to the portrait."""
    gathered = yield from Gatherer(found, names, dialect).gathered()
    of = Material(found, names, gathered, languages)
    counted = (yield counting(found.thing, names, dialect)) if found.has_more else []
    pointing = dict.fromkeys(s[0] for s in found.incoming if s[0][0] == "<")
    teller = Teller(dialect, names)
    kinds = yield from teller.given(pointing, (TYPE,))
    placed = (yield plants(names, dialect)) if of.classes(found.thing) & PLACED else []
    named = yield from teller.names(of.unnamed([*counted, *kinds]))
    of.call(best(named, languages))
    return _portrait(of, counted, kinds, placed)


def _portrait(of: Material, counted: Answered, kinds: Answered, placed: Answered) -> Portrait:
    """All of it. The sources are numbered in the order in which the page comes to them."""
    thing = of.thing
    kind = _kind(of)
    sayings = Sayings(of, kind)
    lead = Leads(of, sayings).lead()
    name = _name(of)
    return Portrait(
        iri=thing[1:-1],
        name=name,
        kind=kind,
        kinds=of.kinds(thing),
        aliases=sorted({text_of(s[2]) for s in of.about[thing] if s[1] == f"<{SKOS}altLabel>"} - {name}),
        lead=lead,
        mark=facts.mark_of(of, thing),
        crumbs=_crumbs(of, kind),
        steps=course.steps(of),
        parts=course.parts(of, sayings),
        facts=facts.sections(of, sayings.contested()),
        tables=facts.tables(of),
        chips=sayings.chips(),
        topics=sayings.topics(),
        corrected=sayings.corrected(),
        groups=surroundings.groups(of, sayings, counted, kinds),
        spots=surroundings.spots(of, placed),
        neighbours=surroundings.neighbours(of, sayings),
        parties=surroundings.parties(of),
        others=surroundings.others(of),
        events=course.events(of, sayings),
        duty=surroundings.duty(of, placed),
        sources=of.sources(),
        page=of.found.page,
        has_more=of.found.has_more,
    )


def _name(of: Material) -> str:
    """What the thing is called; a claim or verdict by what it is about, any other node without a name by what it ties."""
    if of.has_name(of.thing):
        return of.name(of.thing)
    about = of.first(of.thing, "proposition", "onProposition")
    if about:
        return of.name(about)
    kind = next((name for name in COLUMNS if name in of.classes(of.thing)), "")
    tied = [of.name(value) for _, terms in COLUMNS.get(kind, ()) for value in of.all(of.thing, *terms) if value[:1] == "<"]
    words = of.name(of.term(kind)) if kind else ""
    return f"{words[:1].upper()}{words[1:]}: {', '.join(tied[:3])}" if tied else of.name(of.thing)


def _kind(of: Material) -> str:
    """The first part of the address of the thing: `plant`, `deal`, `concept`; "" for what is elsewhere."""
    path = local(of.thing[1:-1], of.names.base)
    return path.split("/")[2] if path.startswith("/page/") else ""


def _crumbs(of: Material, kind: str) -> list[Link]:
    """What the thing is below: the list of its kind, then its country, scheme or broader concept."""
    above = [Link(words, f"/explore/{path}") for words, path in [CRUMBS[kind]]] if kind in CRUMBS else []
    return above + [of.link(node) for node in (*of.all(of.thing, "country", "basedIn"), *_broader(of))[:1]]


def _broader(of: Material) -> list[str]:
    own = of.about[of.thing]
    return [s[2] for name in ("broader", "inScheme") for s in own if s[1] == f"<{SKOS}{name}>"]
