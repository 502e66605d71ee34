"""A browser, and the query page opened in it."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.asking import Opened
from tests.browser.looking import chromium
from tests.running import Service

WATCH = "addEventListener('securitypolicyviolation', event => (window.violations ??= []).push(event.violatedDirective))"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for the tests of a module."""
    with chromium() as found:
        yield found


@pytest.fixture
def opened(browser: Browser, shipped: Service) -> Iterator[Opened]:
    """Opens the query page with a query, in a window of some width; at the end nothing may have gone wrong in it."""
    context = browser.new_context(base_url=shipped.url, accept_downloads=True)
    context.add_init_script(WATCH)
    context.set_default_timeout(20_000)
    wrong: list[str] = []
    near = (shipped.url, "data:", "blob:")
    pages: list[Page] = []

    def open_page(query: str = "", *, width: int = 1280, view: str = "", at: str = "", theme: str = "light") -> Page:
        page = context.new_page()
        pages.append(page)
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: request.url.startswith(near) or wrong.append(request.url))
        asked = (f"?query={quote(query)}" if query else "") + (f"&at={at}" if at else "")
        page.goto("/sparql" + asked + (f"#view={view}" if view else ""))
        page.wait_for_selector(".cm-content", state="attached")
        return page

    yield open_page
    violations = [page.evaluate("window.violations ?? []") for page in pages]
    context.close()
    assert not wrong
    assert not any(violations)
