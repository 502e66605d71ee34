"""The forms of curators in a browser: a field suggests what it may take, of all that there is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.running import Service

pytestmark = pytest.mark.browser
BASE = "https://motorgraph.example/id"
PUBLISHER = "#document-dcterms-publisher"
SUGGESTED = ".suggestions li"


@pytest.fixture
def page(browser: Browser, shipped: Service) -> Iterator[Page]:
    """The form of a new document; at the end nothing may have gone wrong in it."""
    with browser.new_context(base_url=shipped.url, viewport={"width": 1280, "height": 900}) as context:
        context.set_default_timeout(30_000)
        expect.set_options(timeout=30_000)
        opened = context.new_page()
        wrong: list[str] = []
        opened.on("pageerror", lambda error: wrong.append(str(error)))
        opened.goto("/validate/new")
        yield opened
        assert not wrong


def chosen(page: Page, field: Locator, text: str, first: str) -> str:
    """What stands in a field when the first of what is suggested for a text is chosen by keys."""
    field.press_sequentially(text)
    expect(page.locator(SUGGESTED).first).to_contain_text(first)
    field.press("ArrowDown")
    field.press("Enter")
    expect(page.locator(SUGGESTED)).to_have_count(0)
    return field.input_value()


def test_a_field_suggests_what_its_list_has_not_room_for(page: Page) -> None:
    field = page.locator("#about1")
    last = page.locator("#propositions option").count()
    words = page.request.get("/search?q=szeged&kind=proposition&limit=1").json()["hits"][0]["label"]
    assert last == 300
    assert not page.locator(f"#propositions option[value={words!r}]").count()
    told = chosen(page, field, words[:40], words)
    assert told.startswith(f"{words} <{BASE}/proposition/")


def test_an_answer_that_comes_late_leaves_what_is_being_chosen_from(page: Page) -> None:
    field, held = page.locator("#claim1-mg-assertedBy"), list[Route]()
    field.press_sequentially("gely")
    expect(page.locator(SUGGESTED).first).to_contain_text("Geely Holding")

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/reconcile/**", hold)
    with page.expect_request("**/reconcile/**"):
        field.press_sequentially("h")
    field.press("ArrowDown")
    for route in held:
        route.fulfill(json={"result": []})
    field.press("Enter")
    assert field.input_value() == f"Geely Holding Group <{BASE}/organization/geely-holding>"


def test_only_things_of_the_classes_of_a_field_are_suggested(page: Page) -> None:
    field = page.locator("#claim1-mg-assertedBy")
    assert chosen(page, field, "gely", "Geely Holding") == f"Geely Holding Group <{BASE}/organization/geely-holding>"
    field.fill("geely")
    expect(page.locator(SUGGESTED).first).to_contain_text("organization")
    assert all(text.partition(": ")[0].endswith("organization") for text in page.locator(SUGGESTED).all_inner_texts())


def test_the_arrow_down_shows_the_first_of_the_list_where_nothing_is_typed(page: Page) -> None:
    page.locator(PUBLISHER).press("ArrowDown")
    expect(page.locator(SUGGESTED)).to_have_count(8)


def test_one_more_value_suggests_too(page: Page) -> None:
    chosen(page, page.locator(PUBLISHER), "reut", "Reuters")
    page.get_by_role("button", name="Another publisher").click()
    again = page.get_by_label("Publisher, 2")
    expect(again).to_be_focused()
    expect(again).to_have_value("")
    assert chosen(page, again, "financial tim", "Financial Times") == f"Financial Times <{BASE}/organization/financial-times>"


def test_a_field_has_its_list_again_where_the_service_suggests_nothing(page: Page) -> None:
    field = page.locator(PUBLISHER)
    expect(field).not_to_have_attribute("list", "list-1")
    page.route("**/reconcile/**", lambda route: route.fulfill(status=401))
    field.press_sequentially("reut")
    expect(field).to_have_attribute("list", field.get_attribute("data-list") or "")
