"""The query page in a browser: it is written, asked, looked at in every view, kept, all under the policy of the pages."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.asking import Opened, example, write
from tests.running import Service

BUDGET_BYTES = 180_000
pytestmark = pytest.mark.browser
MANY = 100_000
MANY_ROWS = f"SELECT ?s ?p ?o WHERE {{ ?s ?p ?o }} LIMIT {MANY}"


def test_completion_knows_what_the_subject_is(opened: Opened) -> None:
    page = opened()
    write(page, "SELECT * WHERE { ?plant a ")
    page.keyboard.type("mg:Plan", delay=30)
    page.locator(".cm-tooltip-autocomplete li", has_text="mg:Plant").first.click()
    page.keyboard.type(" ; mg:count", delay=30)
    offered = page.locator(".cm-tooltip-autocomplete li", has_text="mg:country").filter(has_text=" of ").first.inner_text()
    number, _, total = offered.split("\n")[1].partition(" of ")  # how many have it comes after the name
    assert 500 < int(number) <= int(total)
    page.locator(".cm-tooltip-autocomplete li", has_text="mg:country").first.click()
    page.keyboard.type(" spai", delay=30)
    page.locator(".cm-tooltip-autocomplete li", has_text="Spain").first.click()
    page.keyboard.press("Control+End")
    page.keyboard.type("\n}" if "}" not in page.inner_text(".cm-content") else "")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".answer tbody a[href^='/page/plant/']")
    text = page.inner_text(".cm-content")
    assert "PREFIX mg: <https://motorgraph.example/ontology/>" in text
    assert "<https://motorgraph.example/id/country/es>" in text


def test_a_fault_is_marked_as_it_is_typed(opened: Opened) -> None:
    page = opened()
    write(page, "SELECT ?x WHERE {\n  ?x a mg:Plant .\n}")
    page.wait_for_selector(".cm-lintRange-error")
    assert page.inner_text(".cm-lintRange-error") == "mg:Plant"
    assert "Line 2, column 8" in page.inner_text(".checked")


def test_keys_run_and_leave_the_editor(opened: Opened) -> None:
    page = opened()
    write(page, "SELECT (1 AS ?one) {}")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".answer td:has-text('1')")
    page.click(".cm-content")
    page.clock.set_fixed_time(datetime.now(UTC))  # Escape holds for two seconds, in which a busy machine may not come to Tab
    for key in ("Escape", "Escape", "Tab"):  # what is suggested, or about to be, takes the first
        page.keyboard.press(key)
    expect(page.locator(".cm-content")).not_to_be_focused()


@pytest.mark.parametrize(
    ("name", "view", "drawn"),
    [
        ("map-of-plants", "Map", ".map .mark"),
        ("deals-in-time", "Timeline", ".drawn .lane"),
        ("who-holds-whom", "Graph", ".drawn .node"),
        ("plants-per-country", "BarChart", ".plotted rect"),
    ],
)
def test_a_query_opens_in_the_view_that_it_asks_for_and_every_picture_has_its_table(
    opened: Opened, name: str, view: str, drawn: str
) -> None:
    page = opened(example(name))
    page.wait_for_selector(drawn)
    assert page.get_attribute(".tabs a[aria-current]", "data-view") == view
    assert page.locator("svg.drawn[role=img][aria-label]").count() == 1
    page.click(".as-table summary")
    page.wait_for_selector(".as-table .answer td")


def test_a_picture_can_be_saved_and_places_as_geojson(opened: Opened) -> None:
    page = opened(example("map-of-plants"))
    page.wait_for_selector(".map .mark")
    for name, begins in (("SVG", b"<svg"), ("PNG", b"\x89PNG"), ("GeoJSON", b"{")):
        with page.expect_download() as waiting:
            page.click(f".runline button:text-is('{name}')")
        content = waiting.value.path().read_bytes()
        assert content.startswith(begins)
    places = json.loads(content)["features"]
    assert len(places) > 400
    assert places[0]["geometry"]["type"] == "Point"


def test_many_rows_can_be_sorted_filtered_and_scrolled(opened: Opened) -> None:
    page = opened(MANY_ROWS)
    page.wait_for_selector(f".answer[aria-rowcount='{MANY + 1}'] tbody td")
    assert page.locator(".answer tbody tr").count() < 100
    page.click(".sort >> nth=2")
    page.wait_for_selector(".answer th[aria-sort=ascending]")
    page.evaluate("() => { const s = document.querySelector('.scroll.window'); s.scrollTop = s.scrollHeight }")
    page.wait_for_selector(f".answer tr[aria-rowindex='{MANY + 1}']")
    page.fill(".filter", "geely-holding")
    page.wait_for_selector(".runline :text('hold')")
    page.wait_for_selector(".answer tbody :text('Geely Holding Group')")


def test_what_is_running_can_be_stopped(opened: Opened, shipped: Service) -> None:
    page = opened()
    write(page, "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".standing progress")
    page.click("button:text-is('Stop')")
    page.wait_for_selector(".notice-box:has-text('Stopped by you')")
    assert page.is_enabled("#run")


def test_a_shared_link_holds_query_view_and_commit(opened: Opened) -> None:
    page = opened(example("plants-per-country"), view="Table")
    page.wait_for_selector(".answer td")
    page.click("button:text-is('Share link')", force=True)
    link = page.input_value("[aria-label^='As it is at commit']")
    assert quote("#defaultView:BarChart").replace("%20", "+") in link
    assert re.search(r"&at=\d+#", link)
    assert link.endswith("#view=Table")
    newest = page.input_value("[aria-label='Always the newest']")
    assert newest == re.sub(r"&at=\d+", "", link)
    page.click(".sheet a:has-text('How to cite')")
    page.wait_for_url("**/cite?*")
    assert re.search(r"Commit \d+", page.inner_text("main"))


def test_the_last_queries_are_kept_and_an_example_runs(opened: Opened) -> None:
    page = opened("SELECT (1 AS ?one) {}")
    page.wait_for_selector(".answer td")
    assert "SELECT (1 AS ?one) {}" in page.inner_text("#history")
    page.click("a[data-example]:has-text('In which countries')")
    page.wait_for_selector(".plotted rect")
    page.go_back()
    page.wait_for_selector(".answer td:text-is('1')")


def test_no_rows_are_explained_by_what_the_graph_does_not_know(opened: Opened) -> None:
    page = opened("PREFIX mg: <https://motorgraph.example/ontology/> SELECT ?x { ?x mg:wings ?y }")
    page.wait_for_selector(".notice-box:has-text('mg:wings')")


@pytest.mark.parametrize("name", ["map-of-plants", "deals-in-time", "plants-per-country"])
def test_nothing_is_wider_than_a_small_phone(opened: Opened, name: str) -> None:
    page = opened(example(name), width=320)
    page.wait_for_selector(".as-table")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_the_first_view_is_small(browser: Browser, shipped: Service) -> None:
    page = browser.new_page(base_url=shipped.url)
    sizes: list[int] = []
    page.on("requestfinished", lambda request: sizes.append(request.sizes()["responseBodySize"]))
    page.goto("/sparql")
    page.wait_for_selector(".cm-content")
    assert 0 < sum(sizes) <= BUDGET_BYTES
    page.close()


def test_without_scripts_the_form_and_its_answer_are_there(browser: Browser, shipped: Service) -> None:
    context = browser.new_context(base_url=shipped.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/sparql")
    page.fill("textarea", "SELECT (2 AS ?two) {}")
    page.click("button:text-is('Run')")
    assert page.inner_text(".answer td") == "2"
    context.close()
