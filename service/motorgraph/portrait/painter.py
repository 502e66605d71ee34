"""From a description whose statements tell their graphs to its portrait."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from motorgraph.address import local
from motorgraph.entity import TYPE, Answered, Description, Dialect, Question, Teller, best
from motorgraph.literal import text_of
from motorgraph.portrait import course, facts, surroundings
from motorgraph.portrait.gathering import Gatherer, counting, plants
from motorgraph.portrait.layout import CRUMBS
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
    plants = len({s[0] for s in placed if s[2] == thing and s[1] == of.term("country")})
    lead = Leads(of, sayings, plants).lead()
    name = of.name(thing)
    return Portrait(
        iri=thing[1:-1],
        name=name,
        kind=kind,
        kinds=of.kinds(thing),
        aliases=sorted({text_of(s[2]) for s in of.about[thing] if s[1] == f"<{SKOS}altLabel>"} - {name}),
        lead=lead,
        mark=sayings.saying(thing).mark if kind == "claim" else facts.mark_of(of, thing),
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
        duties=surroundings.duties(of, placed),
        sources=of.sources(),
        page=of.found.page,
        has_more=of.found.has_more,
    )


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
