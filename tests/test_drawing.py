"""Pictures of modules: every box stands free, arrows lead from line to box, the same boxes give the same picture."""

from __future__ import annotations

import random
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest

from motorgraph.drawing import Box, Drawing, Line

SPACE = "{http://www.w3.org/2000/svg}"


def box(name: str, *to: str) -> Box:
    return Box(f"urn:{name}", name, tuple(Line(f"to{each}", f"urn:p{each}", (f"urn:{each}",)) for each in to))


def drawn(*boxes: Box) -> ElementTree.Element:
    return ElementTree.fromstring(Drawing(boxes).svg("x", "A & B", "words <here>", lambda iri: iri))


def random_boxes(seed: int) -> list[Box]:
    chance = random.Random(seed)  # no secret
    names = [f"C{number}" for number in range(chance.randint(1, 25))]
    return [box(name, *chance.sample(names, min(len(names), chance.randint(0, 3)))) for name in names]


@pytest.mark.parametrize("seed", range(30))
def test_no_box_covers_another_and_all_are_within_the_picture(seed: int) -> None:
    boxes = random_boxes(seed)
    picture = drawn(*boxes)
    places = [[float(rect.get(name) or 0) for name in ("x", "y", "width", "height")] for rect in picture.iter(f"{SPACE}rect")]
    assert len(places) == len(boxes)
    for (x, y, width, height), (other_x, other_y, other_width, other_height) in combinations(places, 2):
        apart = x + width <= other_x or other_x + other_width <= x or y + height <= other_y or other_y + other_height <= y
        assert apart
    for x, y, width, height in places:
        assert x >= 0
        assert y >= 0
        assert x + width <= float(picture.get("width") or 0)
        assert y + height <= float(picture.get("height") or 0)


@pytest.mark.parametrize("seed", range(5))
def test_the_order_in_which_boxes_come_does_not_matter(seed: int) -> None:
    boxes = random_boxes(seed)
    shuffled = random.Random(seed).sample(boxes, len(boxes))  # no secret
    assert ElementTree.tostring(drawn(*boxes)) == ElementTree.tostring(drawn(*shuffled))


def test_each_arrow_has_a_line_and_a_tip_and_leads_only_to_what_is_there() -> None:
    picture = drawn(box("A", "B", "Elsewhere"), box("B", "B", "A"))
    tips = [path for path in picture.iter(f"{SPACE}path") if "tip" in (path.get("class") or "")]
    lines = [path for path in picture.iter(f"{SPACE}path") if "tip" not in (path.get("class") or "")]
    assert len(tips) == len(lines) == 3


def test_a_chain_runs_from_left_to_right() -> None:
    picture = drawn(box("A", "B"), box("B", "C"), box("C"))
    lefts = [float(rect.get("x") or 0) for rect in picture.iter(f"{SPACE}rect")]
    assert all(one < other for one, other in pairwise(lefts))


def test_every_text_fits_into_its_box() -> None:
    long = Box("urn:A", "A" * 40, (Line("b" * 70, "urn:p"),))
    picture = drawn(long, box("B"))
    (rect, _) = picture.iter(f"{SPACE}rect")
    assert float(rect.get("width") or 0) >= 70 * 6.6
    assert long.width >= 40 * 7.2


def test_what_a_picture_says_is_escaped_and_links_only_where_there_is_an_address() -> None:
    drawing = Drawing([Box("javascript:x", '<&">', (Line("<i>", "urn:p"),))])
    picture = ElementTree.fromstring(drawing.svg("x", "<t>", "<d>", lambda iri: "" if iri.startswith("javascript:") else iri))
    assert [text.text for text in picture.iter(f"{SPACE}text")] == ['<&">', "<i>"]
    assert [link.get("href") for link in picture.iter(f"{SPACE}a")] == ["urn:p"]
