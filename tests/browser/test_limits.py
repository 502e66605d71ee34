"""The query page where a limit is met, the graph is older, the service is gone: what it says, and what can be done then."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.asking import write
from tests.running import Service, service

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A bare service with low limits."""
    limits = ("--query-seconds", "3", "--query-rows", "5000", "--query-bytes", "1", "--query-memory", "64")
    with service(tmp_path_factory.mktemp("narrow"), "--plain", *limits) as running:
        yield running


def values(name: str, count: int) -> str:
    """A list of numbers for a variable."""
    return f"VALUES ?{name} {{ {' '.join(map(str, range(count)))} }}"


def asked(browser: Browser, service: Service, query: str, at: str = "") -> Page:
    """The query page of a service, with a query that has been run."""
    page = browser.new_page(base_url=service.url)
    page.goto("/sparql" + (f"?query={quote('ASK {}')}&at={at}" if at else ""))
    page.wait_for_selector(".cm-content")
    write(page, query)
    page.keyboard.press("Control+Enter")
    return page


SLOW = f"SELECT (COUNT(*) AS ?n) {{ {' '.join(values(name, 400) for name in 'abcd')} }}"
TEN_THOUSAND = f"{values('a', 100)} {values('b', 100)}"
HASHES = ", ".join(f"SHA512(STR(?a * 1000 + ?b + {more}))" for more in (0, 100_000, 200_000, 300_000))
"""Letters that cannot be packed small, so that they are sent at once."""


@pytest.mark.parametrize(
    ("query", "says"),
    [
        (f"SELECT * {{ {TEN_THOUSAND} }}", "more than 5,000 rows"),
        (f"SELECT ({HASHES.split(', ')[0]} AS ?text) {{ {TEN_THOUSAND} }}", "5,000 rows"),
        (f'SELECT ?a ("{"x" * 2000}" AS ?long) {{ {values("a", 2000)} }}', "longer than 1,048,576 bytes"),
        (
            f"SELECT (CONCAT({HASHES}) AS ?text) {{ {values('a', 100)} {values('b', 40)} }}",
            "1 MiB",
        ),
        (SLOW, "3 seconds"),
        (f"SELECT * {{ {' '.join(values(name, 300) for name in 'abc')} }} ORDER BY DESC(?a + ?b + ?c)", "64 MiB"),
    ],
    ids=["rows", "rows, begun", "bytes", "bytes, begun", "time", "memory"],
)
def test_a_limit_that_is_met_is_named_with_what_can_be_done(browser: Browser, narrow: Service, query: str, says: str) -> None:
    page = asked(browser, narrow, query)
    found = page.wait_for_selector(".notice-box")
    assert found is not None
    assert says in found.inner_text()
    page.close()


def test_what_was_written_outlives_a_service_that_is_gone(browser: Browser, narrow: Service) -> None:
    page = asked(browser, narrow, "SELECT (1 AS ?one) {}")
    page.wait_for_selector(".answer td:text-is('1')")
    page.context.set_offline(offline=True)
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".notice-box:has-text('cannot be reached')")
    page.context.set_offline(offline=False)
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".answer td:text-is('1')")
    page.close()


def test_a_query_is_answered_while_another_takes_long_and_that_can_be_stopped(browser: Browser, shipped: Service) -> None:
    slow = asked(browser, shipped, SLOW)
    slow.wait_for_selector("#state progress")
    quick = asked(browser, shipped, "SELECT (7 AS ?seven) {}")
    quick.wait_for_selector(".answer td:text-is('7')")
    slow.keyboard.press("Escape")
    slow.wait_for_selector(".notice-box:has-text('Stopped by you')")
    slow.close()
    quick.close()


def test_the_page_what_it_asks_and_what_it_shares_are_of_one_commit(browser: Browser, plain: Service, graph: str) -> None:
    first = plain.put(graph, "<http://x/s> <http://x/p> 'first' .").headers["x-commit"]
    plain.put(graph, "<http://x/s> <http://x/p> 'second' .")
    query = f"SELECT ?o {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}"
    page = asked(browser, plain, query, at=first)
    page.wait_for_selector(".answer td:text-is('first')")
    assert f"commit {first}" in page.inner_text(".as-of")
    page.click("#share")
    assert f"&at={first}" in page.input_value(f"[aria-label='As it is at commit {first}']")
    newest = page.input_value("[aria-label='Always the newest']")
    assert "at=" not in newest
    page.click(".sheet a:has-text('How to cite')")
    page.wait_for_url("**/cite?*")
    assert f"Commit {first} of" in page.inner_text("main")
    page.goto(newest)
    page.wait_for_selector(".answer td:text-is('second')")
    assert page.locator(".as-of").count() == 0
    page.close()
