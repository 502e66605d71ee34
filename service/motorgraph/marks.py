"""How sure a claim is, and how far a thing has got, as a page shows it: a glyph and a word, never a colour alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mark:
    """The name of a glyph in `marks.svg` and of its colour in `style.css`, and the word that always stands beside it."""

    glyph: str
    word: str


ACCEPTED = Mark("accepted", "Accepted")
ASSERTED = Mark("asserted", "Asserted")
CONTESTED = Mark("contested", "Sources disagree")
UNKNOWN = Mark("nocomment", "Not known")
BY_STANCE = {
    "denied": Mark("denied", "Denied"),
    "no-comment": Mark("nocomment", "No comment"),
    "declined-to-confirm": Mark("nocomment", "Declined to confirm"),
    "corrected": Mark("corrected", "Corrected"),
    "withdrawn": Mark("superseded", "Withdrawn"),
}
BY_MODALITY = {
    "under-study": Mark("study", "Under study"),
    "planned": Mark("planned", "Planned"),
    "target": Mark("planned", "Target"),
    "predicted": Mark("predicted", "Predicted"),
    "assessed": Mark("predicted", "Assessed"),
}
BY_STATUS = {
    # of deals and of what is built where
    "rumoured": Mark("asserted", "Rumoured"),
    "in-talks": Mark("study", "In talks"),
    "memorandum": Mark("planned", "Memorandum"),
    "letter-of-intent": Mark("planned", "Letter of intent"),
    "agreed": Mark("planned", "Agreed"),
    "approved": Mark("planned", "Approved"),
    "planned": Mark("planned", "Planned"),
    "under-construction": Mark("planned", "Under construction"),
    "producing": Mark("accepted", "Producing"),
    "operating": Mark("accepted", "Operating"),
    "completed": Mark("accepted", "Completed"),
    "paused": Mark("superseded", "Paused"),
    "ended": Mark("superseded", "Ended"),
    "cancelled": Mark("superseded", "Cancelled"),
    "superseded": Mark("superseded", "Superseded"),
    "denied": Mark("denied", "Denied"),
    # of plants
    "ramp-up": Mark("accepted", "Ramping up"),
    "idled": Mark("superseded", "Idled"),
    "retooling": Mark("planned", "Retooling"),
    "repurposed": Mark("superseded", "Repurposed"),
    "closed": Mark("superseded", "Closed"),
    # of acts
    "in-force": Mark("accepted", "In force"),
    "adopted": Mark("planned", "Adopted"),
    "announced": Mark("planned", "Announced"),
    "draft": Mark("study", "Draft"),
    "expired": Mark("superseded", "Expired"),
    "annulled": Mark("superseded", "Annulled"),
    # of organizations and shares
    "active": Mark("accepted", "Active"),
    "defunct": Mark("superseded", "Defunct"),
    "reported": Mark("asserted", "Reported"),
}
"""By the last part of the IRI of a concept; schemes that share such a name mean the same by it."""
WORKS = {"operating", "ramp-up", "idled", "retooling", "planned", "under-construction"}
"""The statuses of plants that are not closed or put to other use."""
MEANINGS = (
    (ACCEPTED, "in the accepted graph, by a verdict", "filled square, tick"),
    (ASSERTED, "somebody says that it is so", "filled disc"),
    (BY_MODALITY["under-study"], "said to be examined, in talks", "broken ring"),
    (BY_MODALITY["planned"], "a plan or target of a party", "open triangle, forward"),
    (BY_MODALITY["assessed"], "a prediction or judgement: “may”, “could”", "open diamond"),
    (BY_STANCE["denied"], "a party says that it is not so", "filled disc, cross"),
    (BY_STANCE["no-comment"], "asked, neither confirmed nor denied", "ring, bar"),
    (BY_STANCE["corrected"], "printed, and set right by another source", "ring, tick; text struck through"),
    (BY_STATUS["superseded"], "was so and is no longer, or was replaced", "ring, slash"),
    (CONTESTED, "two claims that cannot both hold: a relation, no stance", "two arrows"),
)
"""Each shape once: the mark that is named after it, what it means, how it looks."""


def mark(stance: str, modality: str) -> Mark:
    """The mark of a claim by the last parts of the IRIs of its stance and modality; a stance other than asserted counts first."""
    return BY_STANCE.get(stance) or BY_MODALITY.get(modality) or ASSERTED


def status(name: str) -> Mark:
    """The mark of a status by the last part of its IRI; one that is not in the table shows its own name, as said by somebody."""
    return BY_STATUS.get(name) or Mark(ASSERTED.glyph, name.replace("-", " ").capitalize()) if name else UNKNOWN


def standing(name: str) -> str:
    """How a plant is drawn, by the last part of the IRI of its status: open (working, idle or being built), closed, unknown."""
    return "open" if name in WORKS else "closed" if name else "unknown"
