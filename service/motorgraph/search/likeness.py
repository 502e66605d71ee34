"""How like names are: the known ones that somebody may have meant by one that is not known."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean

from rapidfuzz import fuzz, process, utils
from rapidfuzz.distance import OSA

MOST = 5
MOST_COMPARED = 200
ALIKE = 80.0
"""Of 100: what is less like the name than this is not near."""
_IN_PART = 90.0
"""What it is worth, at most, that the words of one text are all in the other."""


def likest_of(name: str, names: Mapping[str, str], alike: float = ALIKE) -> list[str]:
    """The IRIs whose last part or name is most like a name, at least `alike` of 100, the likest first; at most `MOST`."""
    wanted = utils.default_process(name[:MOST_COMPARED])
    lasts = {iri: utils.default_process(iri.rpartition("/")[2]) for iri in names}
    called = {iri: utils.default_process(text) for iri, text in names.items()}
    best: dict[str, float] = {}
    for texts in (lasts, called):
        for _, score, iri in process.extract(wanted, texts, scorer=fuzz.WRatio, limit=MOST, score_cutoff=alike):
            best[iri] = max(score, best.get(iri, 0.0))
    return sorted(best, key=lambda iri: (-best[iri], iri))[:MOST]


def likest(name: str, names: list[str]) -> str:
    """The name that is most like another; "" if there are none."""
    found = process.extractOne(name[:MOST_COMPARED], names, scorer=fuzz.ratio)
    return found[0] if found else ""


def likeness(one: str, other: str) -> float:
    """How like two folded texts are, whatever the order of their words: 0 to 100."""
    ordered = " ".join(sorted(one.split())), " ".join(sorted(other.split()))
    best = 100.0 * max(OSA.normalized_similarity(one, other), 0.98 * OSA.normalized_similarity(*ordered))
    return max(best, fmean((best, _IN_PART / 100 * fuzz.token_set_ratio(one, other))))
