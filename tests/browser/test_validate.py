"""The page that judges, in a browser: judged as it is typed and as it is dropped, with the findings beside their lines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.running import Service

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
from tests.browser.looking import chromium  # noqa: E402  # it needs Playwright

pytestmark = pytest.mark.browser
TEXT = """@prefix mg: <https://motorgraph.example/ontology/> .
@prefix organization: <https://motorgraph.example/id/organization/> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix schema: <https://schema.org/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
<https://motorgraph.example/source/tried> a mg:SourceDocument ;
  dcterms:title "A document"@en ;
  dcterms:publisher organization:reutters ;
  mg:accessedOn "27 January 2026" ;
  schema:url "https://www.example.org/article"^^xsd:anyURI .
"""
DROP = """([name, text]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([text], name));
  document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""
Page = sync_api.Page
expect = sync_api.expect


@pytest.fixture(scope="module")
def page(shipped: Service) -> Iterator[Page]:
    """The page; at the end nothing may have gone wrong in it."""
    with chromium() as browser, browser.new_context(base_url=shipped.url, viewport={"width": 1280, "height": 900}) as context:
        context.set_default_timeout(30_000)
        expect.set_options(timeout=30_000)
        opened = context.new_page()
        wrong: list[str] = []
        opened.on("pageerror", lambda error: wrong.append(str(error)))
        opened.goto("/validate")
        yield opened
        assert not wrong


def test_a_dropped_file_is_judged_and_a_mend_makes_the_text_right(page: Page) -> None:
    page.evaluate(DROP, ["tried.ttl", TEXT])
    expect(page.locator(".judging .sum")).to_contain_text("2 violations")
    expect(page.locator(".report li")).to_have_count(2)
    assert page.locator("#type").input_value() == "ttl"
    assert page.locator(".cm-signs .Violation").count() >= 2
    for left in ("1 violation", "Would be accepted."):
        page.get_by_role("button", name="Write it so").first.click()
        expect(page.locator(".judging .sum")).to_contain_text(left)
    assert 'mg:accessedOn "2026-01-27"^^xsd:date' in page.locator(".cm-content").inner_text()


def test_f8_goes_to_the_next_finding_and_shows_it_in_the_report(page: Page) -> None:
    page.evaluate(DROP, ["tried.ttl", TEXT])
    expect(page.locator(".report li")).to_have_count(2)
    for name in ("Line 8", "Line 9", "Line 8"):
        page.keyboard.press("F8")
        expect(page.locator(".report li.met")).to_contain_text(name)
    page.get_by_role("button", name="Line 9").click()
    expect(page.locator(".report li.met")).to_contain_text("Line 9")


def test_what_is_typed_is_judged_and_a_mistake_in_the_syntax_stands_on_its_line(page: Page) -> None:
    page.evaluate(DROP, ["tried.ttl", TEXT.replace("organization:reutters", "organization:reuters")])
    expect(page.locator(".judging .sum")).to_contain_text("1 violation")
    page.get_by_role("button", name="Line 9").click()
    page.keyboard.press("End")
    page.keyboard.type(" ;")
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    expect(page.locator(".judging .sum")).to_contain_text("Cannot be read.")
    expect(page.locator(".report li")).to_contain_text("Syntax Line 10")


def test_a_dropped_file_that_is_no_text_is_told_what_it_is_and_the_text_stays(page: Page) -> None:
    page.evaluate(DROP, ["tried.ttl", TEXT])
    expect(page.locator(".report li")).to_have_count(2)
    page.evaluate(DROP, ["deals.xlsx", "PK\u0003\u0004\u0000xl/workbook.xml"])
    expect(page.locator(".report")).to_contain_text("deals.xlsx is an Excel workbook. Save the sheet as CSV")
    assert "dcterms:title" in page.locator(".cm-content").inner_text()
