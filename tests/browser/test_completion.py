"""What the editor offers at a place, by keys alone, and what it puts in."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.asking import Opened, write
from tests.running import Service

pytestmark = pytest.mark.browser
MG = "PREFIX mg: <https://motorgraph.example/ontology/>\n"
LAZY = "**/static/bundle/part-*.js"
LISTED = ".cm-tooltip-autocomplete li"
DELAY_MS = 150
"""The editor takes no key for a list that has been open for less than 75 ms (`interactionDelay`)."""


@pytest.fixture(scope="module", autouse=True)
def counted(shipped: Service) -> None:
    """What the graph holds is counted once a commit, which is not what these tests wait for."""
    assert shipped.client.get("/sparql/vocabulary").status_code == 200


def offered(page: Page, before: str, typed: str, first: str) -> list[str]:
    """What is offered when some letters are typed behind a text, the best first; waits until that is what it has to be."""
    write(page, before)
    page.keyboard.press("Escape")
    page.keyboard.type(typed, delay=30)
    page.wait_for_selector(f"{LISTED}:first-child:has-text('{first}')")
    return [text.split("\n")[0] for text in page.locator(LISTED).all_inner_texts()]


@pytest.mark.parametrize(
    ("before", "typed", "first"),
    [
        (MG + "SELECT * { ?p a mg:Plant ; ", "mg:cou", "mg:country"),
        (MG + "SELECT * { ?p a mg:Plant ; mg:country/", "mg:", "mg:"),
        ("SELECT * { ?s ?p ?o FILTER(", "CONTA", "CONTAINS"),
        ("SELECT * { ?subject ?p ?o FILTER(", "?sub", "?subject"),
        ("SELECT * { GRAPH ", "accep", "<https://motorgraph.example/graph/accepted>"),
        ("SELECT * FROM ", "accep", "<https://motorgraph.example/graph/accepted>"),
        ("SELECT * { VALUES ?c { <http://x/a> ", "spai", "Spain"),
        ("SELECT * { ?s ?p ?o FILTER(?o = ", "Valenc", "Valencia"),
        ("SELECT * { ?s ?p ", "Valenc", "Valencia"),
        ("SELECT * { ?s ?p ?o } ", "ORD", "ORDER BY"),
        (MG + "SELECT * { ?s ?p ?o FILTER(?o > 1 && EXISTS { ?s a mg:Plant ; ", "mg:cou", "mg:country"),
    ],
)
def test_what_fits_the_place_is_offered_first(opened: Opened, before: str, typed: str, first: str) -> None:
    assert first in offered(opened(), before, typed, first)[0]


def test_along_a_path_the_properties_of_what_it_leads_to_are_offered(opened: Opened) -> None:
    page = opened()
    of_plants = offered(page, MG + "SELECT * { ?plant a mg:Plant ; ", "mg:", "mg:")
    of_countries = offered(page, MG + "SELECT * { ?plant a mg:Plant ; mg:country/", "mg:", "mg:")
    assert "mg:plantKind" in of_plants
    assert "mg:plantKind" not in of_countries


def test_a_thing_is_put_in_by_its_name_with_keys_alone(opened: Opened) -> None:
    page = opened()
    offered(page, "SELECT * { ?claim ?p ", "Valencia", "Valencia")
    page.wait_for_timeout(DELAY_MS)
    page.keyboard.press("Enter")
    expect(page.locator(".cm-content")).to_contain_text("/id/")
    assert " # " in page.inner_text(".cm-content")


def test_a_prefix_is_declared_with_the_first_name_that_needs_it(opened: Opened) -> None:
    page = opened()
    offered(page, "# Plants\nSELECT * { ?plant a ", "Plan", "mg:Plant")
    page.wait_for_timeout(DELAY_MS)
    page.keyboard.press("Tab")
    expect(page.locator(".cm-content")).to_contain_text("PREFIX mg:")
    assert page.inner_text(".cm-content").split("\n")[:2] == ["# Plants", "PREFIX mg: <https://motorgraph.example/ontology/>"]


def test_who_types_while_the_completion_is_still_on_its_way_gets_it(opened: Opened) -> None:
    page, held, is_typed = opened(), list[Route](), False
    page.route(LAZY, lambda route: route.continue_() if is_typed else held.append(route))
    with page.expect_request(LAZY):
        write(page, MG + "SELECT * { ?plant a ")
    page.keyboard.type("mg:Plan")
    is_typed = True
    for route in held:
        route.continue_()
    expect(page.locator(LISTED).first).to_contain_text("mg:Plant")


def test_a_service_that_is_busy_is_asked_again_when_it_says_so(opened: Opened) -> None:
    page, refused = opened(), list[str]()

    def refuse_once(route: Route) -> None:
        if route.request.url in refused:
            route.continue_()
        else:
            refused.append(route.request.url)
            route.fulfill(status=503, headers={"Retry-After": "1"})

    page.route("**/sparql/vocabulary", refuse_once)
    page.route("**/search?q=Valencia*", refuse_once)
    assert "mg:Plant" in offered(page, MG + "SELECT * { ?plant a ", "mg:Plan", "mg:Plant")
    offered(page, "SELECT * { ?claim ?p ", "Valencia", "Valencia")
    assert len(refused) == 2


def test_a_completion_that_did_not_come_is_fetched_again_with_the_next_letter(opened: Opened) -> None:
    page = opened()
    page.route(LAZY, lambda route: route.abort(), times=1)
    with page.expect_event("requestfailed"):
        write(page, MG + "SELECT * { ?plant a mg:Pla")
    page.keyboard.type("n")
    expect(page.locator(LISTED).first).to_contain_text("mg:Plant")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("SELECT ?x WHERE {\n  ?x a \n}", "Line 3, column 1"),
        ("SELECT * { ?s ?p ?o FILTER(?o = }", "Line 1, column 33"),
        ("# déjà 🚗\nSELECT * { ?s nothing:p ?o }", "Line 2, column 15"),
    ],
)
def test_a_fault_is_told_at_its_place_as_it_is_typed_and_goes_when_it_is_mended(opened: Opened, text: str, place: str) -> None:
    page = opened()
    write(page, text)
    page.wait_for_selector(f".checked:has-text('{place}')")
    below = page.locator("#results").bounding_box()
    write(page, "ASK {}")
    page.wait_for_selector(".checked:empty", state="attached")
    assert page.locator("#results").bounding_box() == below
