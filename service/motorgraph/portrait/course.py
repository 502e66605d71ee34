"""How a thing went: the stages of a deal, its parts, and what happened and was said, as a line of time."""

from __future__ import annotations

from dataclasses import replace

from motorgraph.dates import is_vague, vague
from motorgraph.marks import BY_STATUS, UNKNOWN, status
from motorgraph.portrait.facts import is_planned, stages
from motorgraph.portrait.material import Material, last
from motorgraph.portrait.sayings import Sayings
from motorgraph.portrait.values import Event, Part, Step

STAGES = (
    ("rumoured",),
    ("in-talks",),
    ("memorandum", "letter-of-intent"),
    ("agreed",),
    ("approved", "completed"),
    ("operating", "producing"),
)
"""The stages of a deal, with those that stand for the same one."""
OUT = {"denied", "cancelled", "superseded", "ended", "paused"}
MOST_EVENTS = 14
FIGURES = {"figure", "size of the holding", "holding or control", "place on the map", "coordinates", "what is known by heart"}
"""Aspects that stand in tables: no events."""


def steps(of: Material) -> list[Step]:
    """How far a deal has got; nothing for other things. A side exit stands where the next stage would."""
    if "Deal" not in of.classes(of.thing):
        return []
    dates = stages(of, of.thing)
    current = last(of.first(of.thing, "currentStatus")) or max(dates, key=lambda name: dates[name], default="")
    if not dates and not current:
        return []
    reached = [n for n, names in enumerate(STAGES) if any(name in dates or name == current for name in names)]
    newest = max(reached, default=-1)
    found = []
    for number, names in enumerate(STAGES):
        name = next((n for n in names if n in dates or n == current), names[0])
        state = "next" if number > newest else "done" if number < newest or current in OUT else "now"
        found.append(Step(BY_STATUS[name].word, state, dates.get(name, "") if number == newest else ""))
    if current in OUT:
        found[newest + 1 : newest + 2] = [Step(status(current).word, "out", dates.get(current, ""), status(current))]
    return found


def parts(of: Material, sayings: Sayings) -> list[Part]:
    """The parts of a deal and how far each is; of one that is not accepted the claims alone speak."""
    said = [p for p in of.of_class("Proposition") if last(of.first(p, "predicate")) == "hasComponent"]
    nodes = [*of.all(of.thing, "hasComponent"), *(of.first(p, "object") for p in said if of.first(p, "subject") == of.thing)]
    found = []
    for node in dict.fromkeys(filter(None, nodes)):
        dates = stages(of, node)
        current = last(of.first(node, "currentStatus")) or max(dates, key=lambda name: dates[name], default="")
        events = [e for e in of.of_class("StatusEvent") if node in of.all(e, "statusOf")]
        kinds = [of.name(kind) for kind in of.all(node, "dealKind")]
        mark = status(current) if current else UNKNOWN
        found.append(Part(of.link(node), kinds, mark, dates.get(current, ""), sayings.on([node, *events])))
    return found


def events(of: Material, sayings: Sayings) -> list[Event]:
    """What happened, and what was said to happen, the newest first; a page about a document or a person has none."""
    if of.classes(of.thing) & {"Claim", "Proposition", "SourceDocument", "NewsOutlet", "Verdict"}:
        return []
    found = [*_of_status(of), *_of_deal(of), *_of_building(of)]
    days = {event.day[:10] for event in found}
    for claim in sayings.shown:
        saying = sayings.saying(claim)
        is_figure = of.value(of.first(claim, "proposition"), "aspect") in FIGURES
        if saying.day and saying.day[:10] not in days and not is_figure:
            days.add(saying.day[:10])
            words = f"{saying.by.text}: {saying.text}"
            found.append(
                Event(saying.day, vague(saying.day), is_vague(saying.day), saying.mark, words, saying.page, saying.sources)
            )
    return sorted(found, key=lambda event: (event.day, event.text), reverse=True)[:MOST_EVENTS]


def _of_status(of: Material) -> list[Event]:
    """The changes of the status of the thing and its parts."""
    found = []
    for node in of.of_class("StatusEvent"):
        whose = of.first(node, "statusOf")
        mark = status(last(of.first(node, "newStatus")))
        name = "" if whose == of.thing else f": {of.name(whose)}"
        if is_planned(of, node):
            event = _event(of, node, f"Planned: {mark.word.lower()}{name}", mark.glyph)
            found.append(replace(event, mark=BY_STATUS["planned"]))
        else:
            found.append(_event(of, node, f"{mark.word}{name}", mark.glyph))
    return [event for event in found if event.day]


def _of_deal(of: Material) -> list[Event]:
    return [_event(of, node, of.name(node), "") for node in of.of_class("DealEvent") if of.thing in of.all(node, "inCourseOf")]


def _of_building(of: Material) -> list[Event]:
    """When it began to be built, or ceased, as far as a day is known."""
    found = []
    for node in of.of_class("ProductionAssignment"):
        what = ", ".join(of.name(x) for x in of.all(node, "ofModel", "assembledFor", "ofPlant")[:2] if x != of.thing)
        mark = status(last(of.first(node, "assignmentStatus")))
        if of.first(node, "validFrom"):
            words = f"{'Planned start' if mark.glyph == 'planned' else 'Start'}: {what}"
            found.append(_event(of, node, words, mark.glyph))
    return found


def _event(of: Material, node: str, words: str, glyph: str) -> Event:
    day = of.value(node, "dateEDTF") or of.value(node, "onDate", "validFrom", "resolvedStart")
    told = of.value(node, "dateText")
    mark = status(last(of.first(node, "newStatus", "assignmentStatus"))) if glyph else BY_STATUS["rumoured"]
    if not glyph:
        is_accepted = bool(of.first(node, "acceptedFrom"))
        mark = BY_STATUS["completed"] if is_accepted else mark
        mark = type(mark)(mark.glyph, "On record" if is_accepted else "Reported")
    in_words = vague(day) + (f" (“{told}”)" if told else "")
    return Event(day.lstrip("./"), in_words, is_vague(day), mark, words, of.link(node).page, of.rests_on(node))
