"""Claims as a page shows them: by question, those that cannot all hold in one box, what was corrected with what is right."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from motorgraph.dates import vague
from motorgraph.literal import text_of
from motorgraph.marks import BY_STANCE, CONTESTED, Mark, mark
from motorgraph.portrait.facts import grouped
from motorgraph.portrait.layout import order, question
from motorgraph.portrait.material import Material, last
from motorgraph.portrait.values import Chip, Fact, Link, Saying, Tally, Topic, Value

MOST_SAYINGS = 150
_ACTIVE = ("contradicts", "corrects", "denies", "supersedes", "copies")
_IN_WORDS = {
    "denies": ("denies what is said by", "denied by"),
    "supersedes": ("takes the place of", "replaced by"),
    "copies": ("repeats", "repeated by"),
    "corrects": ("corrects", "corrected by"),
}
_MONTH = re.compile(r"\d{4}-\d\d(-\d\d)?")


class Sayings:
    """The claims of a portrait, and how they bear on each other."""

    def __init__(self, of: Material, kind: str) -> None:
        self._of = of
        self._kind = kind
        self._relations = self._related()
        self._verdicts = {of.first(node, "onProposition"): node for node in of.of_class("Verdict")}
        self._made: dict[str, Saying] = {}
        self._own = self._about_it()
        others = {claim for pair in self._relations for claim in pair}
        self.all = sorted(set(of.of_class("Claim")) & (self._own | others), key=self._order)
        self.shown = self.all[:MOST_SAYINGS]

    def _about_it(self) -> set[str]:
        """The claims of the thing and its parts; the others are there only because they bear on one of these."""
        of = self._of
        bearing = {
            s[2] for node in of.of_class("ClaimRelation") for s in of.about[node] if last(s[1]) in ("fromClaim", "toClaim")
        }
        own = (
            set(of.found.told) - set(of.all(of.thing, "resolvedAgainst"))
            | set(of.all(of.thing, "acceptedFrom", "basedOnClaim"))
            | {of.thing}
        )
        known = self._parts()
        parts = {
            node for node in of.of_class("Proposition") if known.intersection(of.all(node, "aboutNode", "subject", "object"))
        }
        return {c for c in of.of_class("Claim") if c in own or c not in bearing or of.first(c, "proposition") in parts}

    def _parts(self) -> set[str]:
        of = self._of
        wholes = ("statusOf", "inCourseOf", "unitOf", "inDeal")
        parts = {node for node in of.about if of.thing in of.all(node, *wholes)}
        return parts | set(of.all(of.thing, "hasComponent")) | {of.thing}

    def _order(self, claim: str) -> tuple[str, str]:
        return "".join(chr(ord("9") - ord(c) + ord("0")) if c.isdigit() else c for c in self._day(claim)) or "~", claim

    def _day(self, claim: str) -> str:
        of = self._of
        return of.value(claim, "reportedOn") or of.value(claim, "dateEDTF") or of.day(of.first(claim, "foundIn"))

    def told(self) -> set[str]:
        """The nodes that the claims of the page tell of: claims, their propositions, verdicts, persons, and what ties claims."""
        of = self._of
        claims = set(self.shown)
        about = {p for claim in claims for p in of.all(claim, "proposition")}
        verdicts = {verdict for proposition, verdict in self._verdicts.items() if proposition in about}
        ties = {node for node in (*of.of_class("ClaimRelation"), *of.of_class("SourceMention")) if self._is_tie(node, claims)}
        return claims | about | verdicts | ties | {p for claim in claims for p in of.all(claim, "attributedTo")}

    def _is_tie(self, node: str, claims: set[str]) -> bool:
        return not claims.isdisjoint(self._of.all(node, "fromClaim", "toClaim", "mentionOf"))

    def _related(self) -> dict[tuple[str, str], str]:
        """The kind of each relation between two claims."""
        of, found = self._of, {}
        for node in of.of_class("ClaimRelation"):
            kind = last(of.first(node, "relationKind"))
            for one in of.all(node, "fromClaim"):
                for other in of.all(node, "toClaim"):
                    if kind in _ACTIVE:
                        found[one, other] = kind
        return found

    # By question

    def topics(self) -> list[Topic]:
        """The claims by question, in the order of the newest; what was corrected stands by itself."""
        groups: dict[str, list[str]] = {}
        disputes = self._disputes()
        corrected = {other for (_, other), kind in self._relations.items() if kind == "corrects"}
        for claim in self.shown:
            if claim not in corrected:
                groups.setdefault(self._question(claim), []).append(claim)
        home = {claim: self._question(dispute[0]) for dispute in disputes for claim in dispute}
        found = []
        for words, claims in sorted(groups.items(), key=lambda item: order(item[0])):
            alone = [self.saying(c) for c in claims if c not in home and c != self._of.thing]
            boxes = [[self.saying(c) for c in dispute] for dispute in disputes if home[dispute[0]] == words]
            if alone or boxes:
                found.append(Topic(words, alone, boxes))
        return found

    def corrected(self) -> list[Saying]:
        """What was said and set right by another claim."""
        wrong = {other for (_, other), kind in self._relations.items() if kind == "corrects"}
        return [self.saying(claim) for claim in self.shown if claim in wrong]

    def chips(self) -> list[Chip]:
        """How many claims have each mark, and how many cannot hold with another."""
        disputed = {claim for dispute in self._disputes() for claim in dispute}
        listed = [claim for claim in self.shown if claim != self._of.thing or claim in disputed]
        counts = Counter(self.saying(claim).mark.glyph for claim in listed)
        marks = {self.saying(claim).mark.glyph: self.saying(claim).mark for claim in reversed(listed)}
        found = [Chip(glyph, marks[glyph], count) for glyph, count in counts.most_common()]
        return found + ([Chip(CONTESTED.glyph, CONTESTED, len(disputed))] if disputed else [])

    def _question(self, claim: str) -> str:
        of = self._of
        proposition = of.first(claim, "proposition")
        named = of.value(proposition, "aspect") or last(of.first(proposition, "predicate"))
        return question(named, self._kind)

    def _disputes(self) -> list[list[str]]:
        """Claims that contradict each other, straight or by way of others, newest first."""
        group: dict[str, list[str]] = {}
        shown = set(self.shown)
        for (one, other), kind in self._relations.items():
            if kind == "contradicts" and one in shown and other in shown:
                merged = list(dict.fromkeys([*group.get(one, [one]), *group.get(other, [other])]))
                for claim in merged:
                    group[claim] = merged
        unique = {id(some): some for some in group.values()}
        return [sorted(some, key=self.shown.index) for some in unique.values()]

    def contested(self) -> list[Fact]:
        """What sources give different values for: the aspect, and each value with its day and source."""
        of, found = self._of, []
        for dispute in self._disputes():
            about = [of.first(claim, "proposition") for claim in dispute]
            aspects = {of.value(proposition, "aspect") for proposition in about}
            values = [of.value(proposition, "objectValue") for proposition in about]
            if len(aspects) == 1 and "" not in aspects and all(values) and len(set(values)) > 1:
                given = [self._given(claim, value) for claim, value in zip(dispute, values, strict=True)]
                found.append(Fact(Link(aspects.pop()), given, disagrees=True))
        return found

    def _given(self, claim: str, value: str) -> Value:
        of = self._of
        value = vague(value) if _MONTH.fullmatch(value) else value
        qualifier = last(of.first(of.first(claim, "proposition"), "valueQualifier"))
        words = f"{qualifier.replace('-', ' ')} {grouped(value)}" if qualifier not in ("", "exact") else grouped(value)
        documents = [of.first(claim, "foundIn")] if of.first(claim, "foundIn") else []
        return Value(Link(words, of.link(claim).page), sources=of.cited(documents), since=vague(self._day(claim)))

    # One claim

    def saying(self, claim: str) -> Saying:
        """A claim."""
        if claim not in self._made:
            self._made[claim] = self._saying(claim)
        return self._made[claim]

    def _saying(self, claim: str) -> Saying:
        of = self._of
        proposition, document, speaker = (of.first(claim, term) for term in ("proposition", "foundIn", "assertedBy"))
        right = next((one for (one, other), kind in self._relations.items() if kind == "corrects" and other == claim), "")
        link = of.link(claim)
        return Saying(
            page=link.page,
            iri=link.iri,
            mark=BY_STANCE["corrected"] if right else self._mark(claim),
            text=of.name(proposition) if of.has_name(proposition) else "A statement that is told elsewhere",
            by=of.link(speaker) if speaker else Link("not known"),
            tally=self._tally(of.first(claim, "attributedTo")),
            day=self._day(claim),
            document=of.link(document) if document else Link("not known"),
            verdict=self._verdict(proposition),
            note=self._note(claim),
            correction=Link(of.name(of.first(right, "proposition")), of.link(right).page) if right else None,
            sources=of.cited([document] if document else []),
        )

    def _mark(self, claim: str) -> Mark:
        of = self._of
        return mark(last(of.first(claim, "stance")), last(of.first(claim, "modality")))

    def _tally(self, persons: str) -> Tally | None:
        """The persons behind a claim; their number is never added to another."""
        of = self._of
        if not persons:
            return None
        if of.has_name(persons):
            return Tally(1, True, f"from {of.name(persons)}")
        count = of.value(persons, "sourceCount")
        return Tally(int(count) if count.isdigit() else 0, False, of.persons(persons))

    def _verdict(self, proposition: str) -> str:
        """What the curator makes of a proposition, in words."""
        of = self._of
        node = self._verdicts.get(proposition, "")
        outcome, confidence = of.first(node, "outcome"), of.value(node, "confidence")
        return f"{of.name(outcome)}{f', confidence {confidence}' if confidence else ''}" if outcome else ""

    def _note(self, claim: str) -> str:
        """How the claim bears on others, but for what a box or a correction shows."""
        of, found = self._of, []
        for (one, other), kind in self._relations.items():
            if claim in (one, other) and kind in _IN_WORDS and not (kind == "corrects" and other == claim):
                words, far = _IN_WORDS[kind][claim == other], other if claim == one else one
                who = of.name(of.first(far, "assertedBy"))
                is_same = of.first(far, "proposition") == of.first(claim, "proposition")
                found.append(f"{words} {who}" if is_same else f"{words} “{of.name(of.first(far, 'proposition'))}” ({who})")
        return _sentence("; ".join(dict.fromkeys(found)))

    # For the head of the page

    def strongest(self) -> Saying | None:
        """The claim that is believed most of those that no verdict has decided, somebody's "yes" among them first."""
        undecided = [c for c in self.shown if c in self._own and self._outcome(c) in ("unresolved", "contested")]
        says = [c for c in undecided if last(self._of.first(c, "stance")) == "asserted"]
        return self.saying(max(says, key=self._belief)) if says else None

    def _outcome(self, claim: str) -> str:
        return last(self._of.first(self._verdicts.get(self._of.first(claim, "proposition"), ""), "outcome"))

    def _belief(self, claim: str) -> tuple[bool, float, str]:
        node = self._verdicts.get(self._of.first(claim, "proposition"), "")
        confidence = text_of(self._of.first(node, "confidence")) or "0"
        is_site = last(self._of.first(self._of.first(claim, "proposition"), "predicate")) in (
            "leadingSiteFor",
            "candidateSiteFor",
        )
        return is_site, float(confidence), self._day(claim)

    def deniers(self) -> list[str]:
        """Who denies something here, by name."""
        of = self._of
        return list(
            dict.fromkeys(of.name(of.first(c, "assertedBy")) for c in self.shown if last(of.first(c, "stance")) == "denied")
        )

    def on(self, nodes: Iterable[str]) -> list[Saying]:
        """The claims on some nodes, or for which they are believed."""
        of, wanted = self._of, set(nodes)
        rests = {claim for node in wanted for claim in of.all(node, "acceptedFrom", "basedOnClaim")}
        found = [
            c
            for c in self.shown
            if c in rests or wanted & set(of.all(of.first(c, "proposition"), "aboutNode", "subject", "object"))
        ]
        return [self.saying(claim) for claim in found]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("." if text else "")
