"""The sentence at the head of a page: what kind of thing this is, whose, where, what it does, and the strongest open claim."""

from __future__ import annotations

import re
from collections.abc import Callable

from motorgraph.dates import vague
from motorgraph.entity import TYPE
from motorgraph.literal import text_of
from motorgraph.portrait.facts import mark_of
from motorgraph.portrait.material import Material, last
from motorgraph.portrait.sayings import Sayings
from motorgraph.portrait.values import Lead

MOST_NAMED = 3
SENTENCES: dict[str, tuple[str, ...]] = {
    "Plant": (
        "{plantKind} plant",
        "{state}",
        " of {owner|operator|lastOperator}",
        " at {locality|inPlace}",
        ", {country}",
        ".",
        " Builds {models|buildsBrand|productText}.",
        " {underway}.",
    ),
    "PlantUnit": ("Hall", " of {unitOf}", "."),
    "Deal": ("{dealKind}", " of {parties}", "{concerning}", ".", " {outcome}"),
    "DealComponent": ("Part of a deal", ": {dealKind}", "."),
    "VehicleModel": (
        "{propulsion} ",
        "vehicle model",
        " of {ofBrand}",
        ", from model year {firstModelYear}",
        ".",
        " Built at {plants}.",
    ),
    "Brand": ("Brand", " of {brandOf|inGroup}", ", {country}", "."),
    "LegalAct": ("{type|kinds}", " of {passed_by|jurisdiction}", " of {date_document}", ": {state}", ".", " {description}."),
    "TradeMeasure": ("{measureKind}", " of {importTerritory}", " on goods from {originScope}", ", under {legalBasis}", "."),
    "ComplianceRule": ("{measureKind|kinds}", " of {jurisdiction}", " on {covers}", "."),
    "SourceDocument": ("Document", " of {publisher}", ", {issued|dateEDTF}", ".", " {claims}"),
    "Claim": ("{saying}",),
    "Proposition": ("A statement that can be asserted or denied.", " {claims}"),
    "Country": ("Country", " in the customs territory {inCustomsTerritory}", ".", " {plants here}"),
    "Place": ("Place", " in {country}", "."),
    "DealEvent": ("Event", " in the course of {inCourseOf}", ", {dateEDTF|onDate}", "."),
    "Technology": ("{definition}",),
    "Concept": ("{definition}",),
    "Person": ("Person.", " {claims}"),
    "Organization": ("{kinds}", " in {locality}", ", {basedIn}", ".", " Part of {inGroup|subOrganizationOf}."),
}
"""By class, the pieces of the sentence; a piece is left out where none of the properties that it names is known."""
_FIELD = re.compile(r"\{([^}]*)\}")


class Leads:
    """Makes the sentence of a thing."""

    def __init__(self, of: Material, sayings: Sayings, plants: int) -> None:
        self._of = of
        self._sayings = sayings
        self._own: dict[str, list[str]] = {}
        for statement in of.about[of.thing]:
            if statement[1] != TYPE:
                self._own.setdefault(last(statement[1]), []).append(statement[2])
        self._made: dict[str, Callable[[], str]] = {
            "models": lambda: self._listed([m for n in self._working() for m in of.all(n, "ofModel")]),
            "plants": lambda: self._listed([p for n in of.of_class("ProductionAssignment") for p in of.all(n, "ofPlant")]),
            "parties": lambda: self._listed(
                [p for n in of.of_class("DealRole") if of.thing in of.all(n, "inDeal") for p in of.all(n, "party")]
            ),
            "concerning": lambda: (
                f" at {self._listed(of.all(of.thing, 'concernsPlant'))}" if of.first(of.thing, "concernsPlant") else ""
            ),
            "underway": self._underway,
            "state": self._state,
            "outcome": self._outcome,
            "claims": self._claims,
            "saying": self._saying,
            "kinds": lambda: ", ".join(self._kinds()),
            "plants here": lambda: f"{plants} plant{'s' if plants != 1 else ''} on record." if plants else "",
        }

    def lead(self) -> Lead:
        """The sentence; without a better one the classes in words."""
        of = self._of
        kind = next((name for name in SENTENCES if name in of.classes(of.thing) or self._is_concept(name)), "")
        pieces = SENTENCES.get(kind, ("{kinds}", "."))
        text = "".join(filter(None, map(self._filled, pieces))).strip()
        text = text[:1].upper() + text[1:] if text.strip(".") else ", ".join(self._kinds()).capitalize()
        closed = text.replace("..", ".")
        return Lead(closed, self._sayings.strongest() if kind in ("Plant", "Deal", "DealComponent", "Organization") else None)

    def _is_concept(self, name: str) -> bool:
        return name == "Concept" and any(s[1] == TYPE and last(s[2]) == "Concept" for s in self._of.about[self._of.thing])

    def _filled(self, piece: str) -> str:
        """A piece with its fields filled, "" if one cannot be."""
        filled = piece
        for field in _FIELD.findall(piece):
            value = next(filter(None, map(self._field, field.split("|"))), "")
            if not value:
                return ""
            filled = filled.replace(f"{{{field}}}", value)
        return filled

    def _field(self, name: str) -> str:
        if name in self._made:
            return self._made[name]()
        values = self._own.get(name, [])
        words = [vague(text_of(v)) if name.startswith(("date", "issued")) else self._of.name(v) for v in values if v[:1] != "_"]
        words = [word.removeprefix("model year ") for word in words]
        return (
            _joined(sorted(dict.fromkeys(words))) if name != "description" else text_of(values[0]).rstrip(".") if values else ""
        )

    def _listed(self, nodes: list[str]) -> str:
        return _joined([self._of.name(node) for node in dict.fromkeys(nodes)])

    def _kinds(self) -> list[str]:
        """The classes in words, the narrowest only."""
        kinds = self._of.kinds(self._of.thing)
        return [kind for kind in kinds if kind not in ("organization", "Concept") or len(kinds) == 1]

    def _working(self) -> list[str]:
        of = self._of
        return [n for n in of.of_class("ProductionAssignment") if last(of.first(n, "assignmentStatus")) == "producing"]

    def _state(self) -> str:
        mark = mark_of(self._of, self._of.thing)
        if mark is None or ("Plant" in self._of.classes(self._of.thing) and mark.glyph == "accepted"):
            return ""
        return mark.word.lower() if "Plant" not in self._of.classes(self._of.thing) else f", {mark.word.lower()},"

    def _underway(self) -> str:
        """The deals on a plant that are not yet at work, with how far each is."""
        of = self._of
        deals = [s[0] for s in of.found.incoming if last(s[1]) == "concernsPlant"]
        marks = {deal: mark for deal in deals if (mark := mark_of(of, deal)) and mark.glyph in ("planned", "study")}
        return "; ".join(f"{mark.word}: {of.name(deal)}" for deal, mark in marks.items())

    def _outcome(self) -> str:
        """How far a deal is, and who denies it."""
        mark = mark_of(self._of, self._of.thing)
        deniers = self._sayings.deniers()
        denied = f"Denied by {_joined(deniers)}." if deniers and mark and mark.glyph == "denied" else ""
        after = self._of.all(self._of.thing, "supersededBy")
        follows = f" Followed by {self._listed(after)}." if after else ""
        state = f"{mark.word}." if mark and not denied else "" if mark else "How far it has got is not known."
        return (denied or state) + follows

    def _claims(self) -> str:
        number = len(self._sayings.all)
        return f"{number} claim{'s' if number != 1 else ''}." if number else ""

    def _saying(self) -> str:
        of = self._of
        stance = of.name(of.first(of.thing, "stance")) if of.first(of.thing, "stance") else "stated"
        who = of.name(of.first(of.thing, "assertedBy"))
        day = of.value(of.thing, "reportedOn")
        verdict = self._sayings.saying(of.thing).verdict
        return f"{stance} by {who}{f', {vague(day)}' if day else ', undated'}.{f' Verdict: {verdict}.' if verdict else ''}"


def _joined(words: list[str]) -> str:
    """Words as a list in a sentence, of which the first few are named."""
    if len(words) > MOST_NAMED + 1:
        return f"{', '.join(words[:MOST_NAMED])} and {len(words) - MOST_NAMED} more"
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))
