"""Marks: one table from what the graph says to a glyph, a word and a colour."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from motorgraph import marks
from motorgraph.resources import web

SCHEMES = Path(__file__).parents[1] / "ontology" / "schemes"
EVERY = [
    *(marks.ACCEPTED, marks.ASSERTED, marks.CONTESTED, marks.UNKNOWN),
    *marks.BY_STANCE.values(),
    *marks.BY_MODALITY.values(),
    *marks.BY_STATUS.values(),
]


def concepts(scheme: str) -> set[str]:
    return set(re.findall(r"^concept:([\w-]+)", (SCHEMES / f"{scheme}.ttl").read_text(), re.MULTILINE))


@pytest.mark.parametrize("scheme", ["status", "plant-status", "act-status", "life-state", "stake-state"])
def test_every_status_has_a_mark(scheme: str) -> None:
    assert concepts(scheme)
    assert concepts(scheme) <= set(marks.BY_STATUS)


def test_every_stance_and_modality_has_a_mark() -> None:
    assert concepts("stance") - set(marks.BY_STANCE) == {"asserted"}
    assert concepts("modality") - set(marks.BY_MODALITY) == {"actual"}


def test_every_mark_has_a_word_a_glyph_and_a_colour() -> None:
    glyphs, sheet = (web("static") / "marks.svg").read_text(), (web("static") / "style.css").read_text()
    for mark in EVERY:
        assert mark.word
        assert f'id="{mark.glyph}"' in glyphs
        assert f".st-{mark.glyph} " in sheet
        assert f"--{mark.glyph}: light-dark(" in sheet


def test_a_status_without_a_mark_keeps_its_word_and_none_is_not_known() -> None:
    assert marks.status("half-built").word == "Half built"
    assert marks.status("") == marks.UNKNOWN
    assert marks.mark("denied", "planned").word == "Denied"
    assert marks.mark("asserted", "planned").word == "Planned"


def test_each_shape_is_explained_once() -> None:
    explained = [mark.glyph for mark, _, _ in marks.MEANINGS]
    assert sorted(explained) == sorted({mark.glyph for mark in EVERY})
