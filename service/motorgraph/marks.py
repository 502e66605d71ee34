"""How sure a claim is, as a page shows it: a glyph and a word, never a colour alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mark:
    """The name of a glyph (and of its colour), and the word that always stands beside it."""

    glyph: str
    word: str


ACCEPTED = Mark("accepted", "Accepted")
ASSERTED = Mark("asserted", "Asserted")
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


def mark(stance: str, modality: str) -> Mark:
    """The mark of a claim by the last parts of the IRIs of its stance and modality; a stance other than asserted counts first."""
    return BY_STANCE.get(stance) or BY_MODALITY.get(modality) or ASSERTED
