"""The pictures of the explorer in a browser: what is looked at is lifted, keys move along ties, one comes nearer and stays."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looking import chromium
from tests.running import Service

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)
FOCUSED = "document.activeElement.getAttribute('aria-label')"
MOVED = "document.querySelector('.not-phone > g').getAttribute('transform') ?? ''"


@pytest.fixture(scope="module")
def page(shipped: Service) -> Iterator[Page]:
    with chromium() as browser, browser.new_context(viewport={"width": 1280, "height": 900}, base_url=shipped.url) as context:
        yield context.new_page()


def test_a_name_that_is_focused_lifts_its_ties_and_arrows_move_along_them_to_the_deal(page: Page) -> None:
    page.goto("/explore/network")
    picture = page.locator("svg.sides.not-phone")
    expect(picture.locator(".name[tabindex='0']")).to_have_count(1)
    ford = picture.locator(".name[data-group='ford']")
    ford.focus()
    ties = picture.locator(".tie[data-ends~='ford']").count()
    expect(picture.locator(".tie.lifted")).to_have_count(ties)
    page.keyboard.press("ArrowLeft")
    expect(picture.locator(".tie.lifted")).to_have_count(1)
    first = page.evaluate(FOCUSED)
    page.keyboard.press("ArrowDown")
    assert page.evaluate(FOCUSED) != first
    page.keyboard.press("Escape")
    assert page.evaluate(FOCUSED) == ford.get_attribute("aria-label")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    page.wait_for_url("**focus=**")
    assert first.rpartition(":")[0] in page.locator(".panel").inner_text()


def test_a_name_that_is_pointed_at_is_lifted_until_the_pointer_leaves(page: Page) -> None:
    page.goto("/explore/network")
    picture = page.locator("svg.sides.not-phone")
    picture.locator(".name[data-group='geely-holding']").hover()
    partners = {ends for tie in picture.locator(".tie.lifted").all() for ends in (tie.get_attribute("data-ends") or "").split()}
    assert "geely-holding" in partners
    expect(picture.locator(".name.lifted")).to_have_count(len(partners))
    page.get_by_role("heading", level=1).hover()
    expect(picture.locator(".lifted")).to_have_count(0)


def test_one_comes_nearer_by_buttons_and_keys_and_stays_there_when_a_filter_changes(page: Page) -> None:
    page.goto("/explore/network")
    page.get_by_role("button", name="Come nearer").click()
    near = page.evaluate(MOVED)
    assert "scale(1.6)" in near
    page.get_by_role("link", name="Operating").first.click()
    page.wait_for_url("**status=operating**")
    page.wait_for_function("document.querySelector('.zooms')")
    assert page.evaluate(MOVED) == near
    page.locator("svg.sides.not-phone .name[tabindex='0']").focus()
    page.keyboard.press("-")
    assert "scale(1)" in page.evaluate(MOVED)
    page.keyboard.press("+")
    page.get_by_role("button", name="Show the whole picture").click()
    assert "scale(1)" in page.evaluate(MOVED)
    assert page.locator("[style]").count() == 0


def test_arrows_move_between_the_places_of_a_map_and_a_number_narrows_the_list(page: Page) -> None:
    page.goto("/explore/plants?view=map")
    picture = page.locator("svg.map.not-phone")
    expect(picture.locator(".spot[tabindex='0']")).to_have_count(1)
    picture.locator(".spot[tabindex='0']").focus()
    first = page.evaluate(FOCUSED)
    page.keyboard.press("ArrowRight")
    assert page.evaluate(FOCUSED) != first
    total = page.locator(".bar [role=status] b").inner_text()
    picture.locator(".spot:has(.cluster)").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**bbox=**")
    assert int(page.locator(".bar [role=status] b").inner_text()) < int(total)
    page.get_by_role("link", name="No longer only a part of the map").click()
    expect(page.locator(".bar [role=status] b")).to_have_text(total)


def test_on_a_phone_the_list_comes_before_the_picture(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 900})
    try:
        page.goto("/explore/network")
        partners, picture = page.locator(".partners").bounding_box(), page.locator("#picture").bounding_box()
        assert partners is not None
        assert picture is not None
        assert partners["y"] < picture["y"]
        expect(page.locator("svg.sides.only-phone")).to_be_visible()
    finally:
        page.set_viewport_size({"width": 1280, "height": 900})
