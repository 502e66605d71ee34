"""What is around a thing: what points to it, its neighbours with the lines to them, the map, the parties of a deal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from urllib.parse import urlencode

from motorgraph.entity import NAMES, Answered
from motorgraph.literal import text_of
from motorgraph.marks import Mark
from motorgraph.portrait.facts import mark_of, shown
from motorgraph.portrait.gathering import ANYTHING, LATITUDE, LONGITUDE
from motorgraph.portrait.layout import LINES, MOST_NEIGHBOURS, TIES
from motorgraph.portrait.material import Material, last
from motorgraph.portrait.sayings import Sayings
from motorgraph.portrait.values import Group, Neighbour, Party, Pointer, Spot

MOST_SPOTS = 600
MOST_DEALS = 4
MOST_OTHERS = 12
CLOSED = {"closed", "idled", "repurposed", "defunct"}
MOST_PLACES = 4
MAKERS = {"Automaker", "AutomotiveGroup", "ContractManufacturer", "Brand"}
"""Classes of which cars are; a joint venture or supplier may be none of them."""
CAR_PLANTS = ("vehicle-assembly", "contract-assembly")
MARKET = "eu"
"""The market whose duties a page asks about first: its measures are known best."""


def groups(of: Material, sayings: Sayings, counted: Answered, kinds: Answered) -> list[Group]:
    """What points to the thing, by class and property; what stands in tables or among the claims is left out."""
    above = shown(of) | sayings.told()
    classes: dict[str, set[str]] = {}
    for kind in kinds:
        if kind[3] != of.inferred:
            classes.setdefault(kind[0], set()).add(kind[2])
    here: dict[tuple[str, str], set[str]] = {}
    asserted = {s[0] for s in of.found.incoming if s[3] != of.inferred}
    for subject, predicate, _, graph in of.found.incoming:
        follows = graph == of.inferred and subject in asserted and not predicate.startswith(f"<{of.names.term('')}")
        if subject not in above and not follows:
            for of_it in _narrowest(classes.get(subject, {ANYTHING})):
                here.setdefault((of_it, predicate), set()).add(subject)
    numbers = {(kind, predicate): int(text_of(number)) for kind, predicate, number, _ in counted}
    found = [_group(of, key, max(numbers.get(key, 0), len(nodes)), nodes) for key, nodes in here.items()]
    return sorted(found, key=lambda group: (-group.count, group.kind, group.property.text))


def _narrowest(classes: set[str]) -> list[str]:
    """One class for each thing: an organization that is known as an automaker is one."""
    broad = [c for c in classes if last(c) in ("Organization", "Concept", "RegulatoryMeasure", "Deal")]
    narrow = sorted(classes - set(broad))
    return narrow[:1] or sorted(broad)[:1]


def _group(of: Material, key: tuple[str, str], count: int, nodes: set[str]) -> Group:
    of_it, predicate = key
    named = "thing" if of_it == ANYTHING else of.name(of_it)
    things = [Pointer(of.link(node), mark_of(of, node)) for node in nodes]
    return Group(named, of.property(predicate), count, sorted(things, key=lambda p: (p.link.text, p.link.page)))


def neighbours(of: Material, sayings: Sayings) -> list[Neighbour]:
    """The nearest of what is tied to the thing: open matters first, then what it has, then what has it."""
    ranked = [*_sites(of, sayings), *islice(_deals(of), MOST_DEALS), *_own(of), *_built(of), *_pointing(of)]
    once: dict[str, Neighbour] = {}
    for node, neighbour in ranked:
        if neighbour.link.page and node != of.thing:
            once.setdefault(node, neighbour)
    return list(once.values())[:MOST_NEIGHBOURS]


def _sites(of: Material, sayings: Sayings) -> Iterator[tuple[str, Neighbour]]:
    """The deals for which a plant is said to be a site, and the sites that are named for a deal."""
    for node in of.of_class("Proposition"):
        if last(of.first(node, "predicate")) in ("leadingSiteFor", "candidateSiteFor"):
            far = of.first(node, "object") if of.first(node, "subject") == of.thing else of.first(node, "subject")
            if of.thing in of.all(node, "subject", "object") or "Deal" in of.classes(of.thing):
                yield far, Neighbour(of.link(far), of.property(of.first(node, "predicate")).text, "talks", mark_of(of, far))


def _own(of: Material) -> Iterator[tuple[str, Neighbour]]:
    for name in TIES:
        for statement in of.about[of.thing]:
            if last(statement[1]) == name and statement[2][:1] == "<":
                yield statement[2], _neighbour(of, statement[2], of.property(statement[1]).text)


def _built(of: Material) -> Iterator[tuple[str, Neighbour]]:
    """What is built where, and who holds whom."""
    for node in of.of_class("ProductionAssignment"):
        for far in of.all(node, "ofModel", "ofPlant", "assembledFor"):
            if far != of.thing:
                mark = mark_of(of, node)
                yield far, Neighbour(of.link(far), mark.word.lower() if mark else "built", _line(mark), mark)
    for node in of.of_class("Shareholding"):
        for far in of.all(node, "holder", "issuer"):
            percent = of.value(node, "stakePercent")
            by = "holds" if of.first(node, "issuer") == far else "held by"
            yield (
                far,
                Neighbour(of.link(far), f"{by} {percent} %" if percent else by, _line(mark_of(of, node)), mark_of(of, node)),
            )


def _deals(of: Material) -> Iterator[tuple[str, Neighbour]]:
    for node in of.of_class("DealRole"):
        ends = of.all(node, "party", "inDeal")
        if of.thing in ends:
            for far in ends:
                role = ", ".join(of.name(role) for role in of.all(node, "role"))
                deal = of.first(node, "inDeal")
                yield far, Neighbour(of.link(far), role, _line(mark_of(of, deal)), mark_of(of, far))
    for statement in of.found.incoming:
        if last(statement[1]) == "concernsPlant":
            yield statement[0], _neighbour(of, statement[0], of.property(statement[1]).text)


def _pointing(of: Material) -> Iterator[tuple[str, Neighbour]]:
    order = {name: place for place, name in enumerate(TIES)}
    for statement in sorted(
        of.found.incoming, key=lambda s: (order.get(last(s[1]), 99), mark_of(of, s[0]) is None, of.name(s[0]))
    ):
        if last(statement[1]) in (*TIES, "unitOf") and of.has_name(statement[0]):
            yield statement[0], _neighbour(of, statement[0], of.property(statement[1]).text)


def _neighbour(of: Material, node: str, by: str) -> Neighbour:
    mark = mark_of(of, node)
    is_deal = bool(of.first(node, "currentStatus"))
    return Neighbour(of.link(node), by, _line(mark) if is_deal else "is", mark)


def _line(mark: Mark | None) -> str:
    return LINES.get(mark.glyph, "is") if mark else "is"


# The map


def spots(of: Material, plants: Answered) -> list[Spot]:
    """The plants that a map of the thing shows, and what the map is about; nothing where there is nothing to show."""
    given: dict[str, dict[str, str]] = {}
    for subject, predicate, value, _ in plants:
        given.setdefault(subject, {}).setdefault("name" if predicate in NAMES else predicate, value)
    meant = _meant(of, given)
    here = {last(place) for place in meant}
    country = of.first(of.thing, "country") if {"Plant", "Place"} & of.classes(of.thing) else of.thing
    by = of.term("country")
    beside = [node for node, has in given.items() if has.get(by) == country and node not in meant] if country else []
    found = (
        [_spot(of, node, given[node], "") for node in beside]
        if not here or "Plant" in of.classes(of.thing) or _is_place(of)
        else []
    )
    found += [_spot(of, node, given[node], "deal") for node in meant if node in given]
    point = _own_point(of)
    if _is_place(of) and point:
        found.append(Spot(of.name(of.thing), "", *point, "deal"))
    return [spot for spot in found if spot is not None][:MOST_SPOTS]


def _is_place(of: Material) -> bool:
    return bool({"Place", "Country"} & of.classes(of.thing))


def _own_point(of: Material) -> tuple[float, float] | None:
    own = {s[1]: s[2] for s in of.about[of.thing]}
    if LATITUDE not in own or LONGITUDE not in own:
        return None
    return float(text_of(own[LONGITUDE])), float(text_of(own[LATITUDE]))


def _meant(of: Material, given: dict[str, dict[str, str]]) -> list[str]:
    """The plants that the map is about: the thing itself, or those of a deal, a model or a maker."""
    if of.thing in given:
        return [of.thing]
    sites = [
        of.first(p, "subject")
        for p in of.of_class("Proposition")
        if last(of.first(p, "predicate")) in ("leadingSiteFor", "candidateSiteFor")
    ]
    near = [*of.all(of.thing, "concernsPlant"), *(sites if "Deal" in of.classes(of.thing) else [])]
    near += [of.first(node, "ofPlant") for node in of.of_class("ProductionAssignment")]
    near += [s[0] for s in of.found.incoming if last(s[1]) in ("owner", "operator", "lastOperator", "buildsBrand")]
    return [node for node in dict.fromkeys(near) if node in given]


def _spot(of: Material, node: str, has: dict[str, str], kind: str) -> Spot | None:
    if LATITUDE not in has or LONGITUDE not in has:
        return None
    state = last(has.get(of.term("plantStatus"), ""))
    drawn = kind or ("closed" if state in CLOSED else "open" if state else "unknown")
    name, page = text_of(has.get("name", "")), of.link(node).page
    return Spot(name, page, float(text_of(has[LONGITUDE])), float(text_of(has[LATITUDE])), drawn)


# A deal


def parties(of: Material) -> list[Party]:
    """Who plays which part in a deal, and how sure it is whom the texts mean."""
    if "Deal" not in of.classes(of.thing):
        return []
    mentions = {of.first(node, "resolvedTo"): node for node in of.of_class("SourceMention")}
    found: dict[str, Party] = {}
    for node in of.of_class("DealRole"):
        party = of.first(node, "party")
        if of.thing in of.all(node, "inDeal"):
            mention = mentions.get(party, "")
            said, sure = of.value(mention, "mentionText"), of.value(mention, "resolutionConfidence")
            words = f"the texts say “{said}”, resolved with confidence {sure}" if said and sure else ""
            found[party] = Party(of.link(party), ", ".join(of.name(role) for role in of.all(node, "role")), words)
    return sorted(found.values(), key=lambda party: party.link.text)


def others(of: Material) -> list[Pointer]:
    """The other deals of the parties of a deal."""
    if "Deal" not in of.classes(of.thing):
        return []
    deals = {deal for node in of.of_class("DealRole") for deal in of.all(node, "inDeal")} - {of.thing}
    found = [Pointer(of.link(deal), mark_of(of, deal)) for deal in deals if of.has_name(deal)]
    return sorted(found, key=lambda pointer: pointer.link.text)[:MOST_OTHERS]


def duty(of: Material, plants: Answered) -> str:
    """The parameters of the duty planner for who would build here: here, and in their own country. "" if nobody is named."""
    plant = next(iter(_meeting_place(of)), "")
    owners = {s[2] for s in plants if s[0] == plant and last(s[1]) in ("owner", "operator")}
    parties = [of.first(n, "party") for n in of.of_class("DealRole") if _counts(of, of.first(n, "inDeal"))]
    maker = next((party for party in parties if party not in owners), "")
    if not plant or not maker:
        return ""
    origin = of.first(maker, "basedIn")
    return urlencode(
        [("maker", last(maker)), ("plant", last(plant)), *([("plant", last(origin))] if origin else []), ("market", MARKET)]
    )


def duties(of: Material, plants: Answered) -> str:
    """The parameters of the duty planner for the cars of a plant, model, maker or brand, from where they are built.

    "" for what builds no cars, or of which it is not known where it does.
    """
    kinds, thing = of.classes(of.thing), last(of.thing)
    if "Plant" in kinds:
        if last(of.first(of.thing, "plantKind")) not in CAR_PLANTS:
            return ""
        operators = of.all(of.thing, "operator")
        return urlencode([*(("maker", f"organization/{last(node)}") for node in operators), ("plant", thing)])
    if "VehicleModel" in kinds:
        sites = [of.first(n, "ofPlant") for n in of.of_class("ProductionAssignment") if of.thing in of.all(n, "ofModel")]
        brand = of.first(of.thing, "ofBrand")
        places = list(dict.fromkeys(filter(None, sites)))[:MOST_PLACES]
        asked = [("maker", f"brand/{last(brand)}"), *(("plant", last(p)) for p in places), ("model", f"model/{thing}")]
        return urlencode(asked) if brand and places else ""
    if not kinds & MAKERS:
        return ""
    own = {s[0] for s in of.found.incoming if last(s[1]) in ("owner", "operator", "inGroup", "buildsBrand")}
    lands = Counter(s[2] for s in plants if s[0] in own and last(s[1]) == "country")
    home = of.first(of.thing, "country", "basedIn")
    places = sorted(lands, key=lambda land: -lands[land])[:MOST_PLACES] or ([home] if home and "/country/" in home else [])
    kind = "brand" if "Brand" in kinds else "organization"
    return urlencode([("maker", f"{kind}/{thing}"), *(("plant", last(land)) for land in places)]) if places else ""


def _meeting_place(of: Material) -> list[str]:
    """The plant of which a deal speaks: that of the page, or the one that a deal names, or for which it is the leading site."""
    sites = [p for p in of.of_class("Proposition") if last(of.first(p, "predicate")) == "leadingSiteFor"]
    if "Plant" in of.classes(of.thing):
        return [of.thing] if sites or any(last(s[1]) == "concernsPlant" for s in of.found.incoming) else []
    return (
        [*of.all(of.thing, "concernsPlant"), *(of.first(p, "subject") for p in sites)] if "Deal" in of.classes(of.thing) else []
    )


def _counts(of: Material, deal: str) -> bool:
    """Whether the parties of a deal are those that would build here."""
    return deal == of.thing or "Deal" not in of.classes(of.thing)
