"""The page of a thing in a browser: its picture can be opened out by keyboard, what takes longer comes when it is near."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, expect

from tests.browser.looking import AGAIN, LEAST, PHONE, RULES
from tests.running import Service

pytestmark = pytest.mark.browser
SLOW = 30_000
"""Milliseconds that a first answer on duties may take where all cores are busy."""
VALENCIA = "/page/plant/ford-valencia-body-and-assembly"
_AXE = "async (rules) => (await axe.run({ runOnly: { type: 'rule', values: rules } })).violations.map((found) => found.id)"
_AXE_ALL = "async (tags) => (await axe.run({ runOnly: { type: 'tag', values: tags } })).violations.map((found) => found.id)"
_NAME = "document.activeElement.getAttribute('aria-label')"


@pytest.fixture
def page(browser: Browser, shipped: Service) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light", reduced_motion="reduce") as context:
        opened = context.new_page()
        said: list[str] = []
        opened.on("console", lambda message: said.append(message.text))
        opened.on("pageerror", lambda error: said.append(str(error)))
        opened.goto(shipped.url + VALENCIA)
        yield opened
        assert said == []


def test_the_picture_is_opened_out_along_its_ties_by_keyboard(page: Page, shipped: Service) -> None:
    neighbours = shipped.client.get(VALENCIA.replace("/page/", "/data/") + ".json").json()["neighbours"]
    opening = page.get_by_role("button", name="Explore from here")
    opening.press("Enter")
    picture = page.get_by_role("dialog", name="Around Ford Valencia Body & Assembly")
    told = picture.get_by_role("status")
    expect(told).to_have_text(f"{len(neighbours)} things next to Ford Valencia Body & Assembly, {len(neighbours)} of them new.")
    assert page.evaluate(_NAME) == "Ford Valencia Body & Assembly"
    page.keyboard.press("ArrowLeft")
    beside = page.evaluate(_NAME)
    assert beside in {each["link"]["text"] for each in neighbours}
    page.keyboard.press("Enter")
    expect(told).to_contain_text(f"next to {beside}, ")
    assert page.evaluate(_NAME) == beside
    assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"
    assert picture.locator(".one").count() >= len(neighbours) + 1
    lines = {each["line"] for each in neighbours}
    drawn = page.eval_on_selector_all("dialog g path.e", "(paths) => paths.map((path) => path.classList[1].slice(2))")
    assert lines <= set(drawn)
    assert picture.locator("details li").count() == len(drawn)
    page.keyboard.press("Home")
    assert page.evaluate(_NAME) == "Ford Valencia Body & Assembly"
    page.evaluate(AXE_SCRIPT)
    assert page.evaluate(_AXE_ALL, RULES) == []
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": PHONE, "height": 900})
    assert page.evaluate(_AXE, AGAIN) == []
    page.set_viewport_size({"width": LEAST, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= LEAST
    page.keyboard.press("Escape")
    expect(picture).to_be_hidden()
    expect(opening).to_be_focused()


def test_duties_come_when_they_are_near_and_commits_when_they_are_asked_for(page: Page) -> None:
    section = page.locator("section", has=page.locator("#duties"))
    section.scroll_into_view_if_needed()
    expect(section.locator("tbody tr").first).to_contain_text("%", timeout=SLOW)
    history = page.locator("section", has=page.locator("#history"))
    history.get_by_role("link", name="Show the commits that changed it").click()
    expect(history.locator(".commits li").first).to_contain_text(re.compile(r"Commit \d+, "), timeout=SLOW)
    assert page.url.endswith(VALENCIA)
