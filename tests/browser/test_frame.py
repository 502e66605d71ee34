"""What the scripts of every page add: suggestions under the search box, and the key that leads to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looking import chromium
from tests.running import Service

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def page(shipped: Service) -> Iterator[Page]:
    with chromium() as browser, browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        yield context.new_page()


def test_slash_leads_to_the_search_box_and_arrows_to_what_is_found(page: Page, shipped: Service) -> None:
    page.goto(f"{shipped.url}/catalogue")
    page.keyboard.press("/")
    box = page.get_by_role("combobox")
    expect(box).to_be_focused()
    page.keyboard.type("valensia")
    expect(page.get_by_role("option").first).to_contain_text("Valencia")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option").first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    page.wait_for_url("**/page/**")


def test_escape_closes_the_list_and_enter_without_a_choice_searches(page: Page, shipped: Service) -> None:
    page.goto(f"{shipped.url}/catalogue")
    page.get_by_role("combobox").fill("geely")
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("option")).to_have_count(0)
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=geely")


def test_the_key_can_be_switched_off(page: Page, shipped: Service) -> None:
    page.goto(f"{shipped.url}/catalogue")
    page.get_by_role("button", name="Key / searches").click()
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("/")
    expect(page.get_by_role("combobox")).not_to_be_focused()
    page.reload()
    page.keyboard.press("/")
    expect(page.get_by_role("combobox")).not_to_be_focused()
    page.get_by_role("button", name="Key / searches").click()
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("/")
    expect(page.get_by_role("combobox")).to_be_focused()
