"""Maps: where places are drawn, what of the outlines, and which names fit."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from motorgraph.atlas import EUROPE, WORLD, Area, Atlas, Point

VALENCIA, GRAZ, VIGO = (-0.41, 39.28), (15.44, 47.07), (-8.72, 42.24)


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    return Atlas()


def steps(svg: str) -> list[tuple[int, int]]:
    """Every step of the outlines."""
    paths = re.findall(r'class="(?:land|border)" d="([^"]+)"', svg)
    lines = [line for path in paths for line in re.findall(r"l([-\d, ]+)", path)]
    numbers = [list(map(int, re.findall(r"-?\d+", line))) for line in lines]
    return [(line[at], line[at + 1]) for line in numbers for at in range(0, len(line) - 1, 2)]


@pytest.mark.parametrize("area", [WORLD, EUROPE, Area.around([VALENCIA, VIGO], 288)])
def test_north_is_up_east_is_right_and_the_corners_are_the_corners(area: Area) -> None:
    place = area.projection
    assert place(area.west, 0)[0] == pytest.approx(0, abs=1e-6) if area.is_world else True
    assert place((area.west + area.east) / 2, area.north)[1] == pytest.approx(0, abs=1e-6)
    assert place((area.west + area.east) / 2, area.south)[1] == pytest.approx(area.height, abs=1)
    assert place(GRAZ[0], 10)[0] > place(VALENCIA[0], 10)[0]
    assert place(0, GRAZ[1])[1] < place(0, VALENCIA[1])[1]


def test_an_area_holds_the_places_that_it_is_drawn_around_and_something_of_their_country() -> None:
    alone = Area.around([VALENCIA], 288)
    assert alone.shows(*VALENCIA)
    assert alone.north - alone.south >= 6
    assert all(Area.around([VALENCIA, GRAZ], 288).shows(*place) for place in (VALENCIA, GRAZ))


def test_no_coast_is_drawn_across_the_map_where_it_crosses_the_meridian_of_180_degrees(atlas: Atlas) -> None:
    found = steps(atlas.picture([], WORLD, ""))
    assert len(found) > 3_000
    assert max(abs(across) for across, _ in found) < WORLD.width


def test_a_small_area_has_few_outlines_and_no_more_than_a_page_can_carry(atlas: Atlas) -> None:
    near = atlas.picture([], Area.around([VALENCIA], 288), "")
    assert 'class="land"' in near
    assert 200 < len(near) < 12_000


def test_names_are_written_where_they_do_not_meet_and_never_as_markup(atlas: Atlas) -> None:
    points = [Point(*VALENCIA, "deal", '<b>"A"', "x & y", "/page/a"), Point(*GRAZ, "deal", "Graz", "agreed", "/page/b")]
    svg = atlas.picture([*points, Point(*VIGO), Point(*VIGO, "closed")], EUROPE, "two & more")
    assert "<b>" not in svg
    parser = HTMLParser()
    parser.feed(svg)
    parser.close()
    assert svg.count("<circle") == 2
    assert svg.count("<a ") == 2
    assert 'aria-label="two &amp; more"' in svg
    heights = [float(y) for y in re.findall(r'<text [^>]*y="([\d.]+)"', svg)]
    assert len(heights) == len(set(heights)) == 4


def test_of_points_outside_nothing_is_drawn(atlas: Atlas) -> None:
    assert "dots" not in atlas.picture([Point(116.0, 39.0)], EUROPE, "")
