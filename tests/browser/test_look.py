"""Every page as a browser shows it: for everybody, in both themes, on any screen, with nothing from outside."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser

from tests.browser.addresses import ADDRESSES, STOPS_AT, Address
from tests.browser.looking import AGAIN, Look, axe, look
from tests.running import Service

pytestmark = pytest.mark.browser
MOST_STOPS = 40
Looking = Callable[[Address], Look]
_RING = """() => {
  const style = getComputedStyle(document.activeElement);
  return { tag: document.activeElement.outerHTML.slice(0, 120), is_body: document.activeElement === document.body,
    has_ring: style.outlineStyle === 'solid' && parseFloat(style.outlineWidth) >= 3 };
}"""

_FAINT = """() => {
  const cell = [...document.querySelectorAll('tbody tr')].at(7).lastElementChild;
  cell.textContent = 'faint';
  cell.style = 'color: #777; background: #888';
}"""

every_page = pytest.mark.parametrize("address", ADDRESSES, ids=lambda address: address.path)


@pytest.fixture(scope="module")
def looked(browser: Browser, shipped: Service) -> Looking:
    """Each page is opened once, and all tests ask what was seen of it."""
    seen: dict[Address, Look] = {}

    def at(address: Address) -> Look:
        if address not in seen:
            seen[address] = look(browser, shipped.url, address.path)
        return seen[address]

    return at


@every_page
def test_axe_finds_nothing_in_light_and_dark_on_a_screen_and_a_phone(looked: Looking, address: Address) -> None:
    found = looked(address)
    assert found.status == address.status
    assert {where: findings for where, findings in found.findings.items() if findings} == {}


def test_a_contrast_that_is_too_low_is_found_in_one_of_many_rows(browser: Browser, shipped: Service) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(shipped.url + "/explore/plants")
        page.evaluate(AXE_SCRIPT)
        assert axe(page, "rule", AGAIN[:1]) == []
        page.evaluate(_FAINT)
        (found,) = axe(page, "rule", AGAIN[:1])
    assert "faint" in found


@every_page
def test_nothing_sticks_out_of_a_screen_of_320_pixels(looked: Looking, address: Address) -> None:
    assert looked(address).overflow == []


@every_page
def test_a_page_loads_nothing_from_elsewhere_and_the_browser_has_nothing_to_say(
    looked: Looking, address: Address, shipped: Service
) -> None:
    found = looked(address)
    assert [url for url in found.requests if not url.startswith((shipped.url + "/", "data:"))] == []
    expected = [f"Failed to load resource: the server responded with a status of {address.status} (Not Found)"]
    assert found.console == (expected if address.status == 404 else [])


@every_page
def test_a_page_has_no_style_of_its_own_and_no_text_that_is_too_small(looked: Looking, address: Address) -> None:
    assert looked(address).seen["styled"] == []
    assert looked(address).seen["tiny"] == []


@every_page
def test_each_number_of_a_source_has_its_source_each_mark_a_word_and_each_picture_a_list(
    looked: Looking, address: Address
) -> None:
    seen = looked(address).seen
    assert (seen["dangling"], seen["wordless"], seen["unlisted"]) == ([], [], [])


def test_there_are_marks_and_sources_to_look_at(looked: Looking) -> None:
    seen = looked(next(address for address in ADDRESSES if address.path.startswith("/page/deal/"))).seen
    assert seen["marks"] > 10
    assert seen["cites"] > 10


@every_page
def test_a_page_with_all_that_it_loads_keeps_within_its_budget(looked: Looking, address: Address) -> None:
    assert 0 < looked(address).seen["bytes"] <= address.kilobytes * 1000


@pytest.mark.parametrize("path", STOPS_AT)
def test_every_stop_of_the_keyboard_shows_a_ring_and_the_first_skips_to_the_content(
    browser: Browser, shipped: Service, path: str
) -> None:
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        page.goto(shipped.url + path)
        stops = []
        for _ in range(MOST_STOPS):
            page.keyboard.press("Tab")
            stop = page.evaluate(_RING)
            if stop["is_body"]:
                break
            stops.append(stop)
        assert len(stops) > 5
        assert 'class="skip"' in stops[0]["tag"]
        assert [stop["tag"] for stop in stops if not stop["has_ring"]] == []


def test_a_reader_chooses_dark_on_a_page_and_finds_it_on_the_next_until_the_system_decides_again(
    browser: Browser, shipped: Service
) -> None:
    with browser.new_context(color_scheme="light", viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        page.goto(shipped.url + "/page/deal/ford-geely-2026?page=1")
        ground = "getComputedStyle(document.body).backgroundColor"
        light = page.evaluate(ground)
        page.get_by_role("button", name="Dark").click()
        assert page.url.endswith("/page/deal/ford-geely-2026?page=1")
        dark = page.evaluate(ground)
        assert dark != light
        assert page.get_by_role("button", name="Dark").get_attribute("aria-pressed") == "true"
        page.goto(shipped.url + "/marks")
        assert page.evaluate(ground) == dark
        page.get_by_role("button", name="System").click()
        assert page.evaluate(ground) == light
        page.goto(shipped.url + "/page/deal/ford-geely-2026?page=1")
        assert page.evaluate(ground) == light
