"""Opens pages in a Chromium and writes down what there is to see of each, once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"),
    *("--disable-component-update", "--disable-sync"),
)
WIDE, PHONE, LEAST = 1280, 390, 320
MOST_MILLISECONDS = 90_000  # for a page to load: the longest takes over half a minute where all else is busy too
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AGAIN = ["color-contrast", "target-size", "scrollable-region-focusable"]
"""What another theme or width can change; the rest needs to be found only once."""
_AXE = """async (rules) => {
  const chains = new Map([[null, '']]);
  const chain = (element) => {
    if (!chains.has(element)) {
      const style = getComputedStyle(element);
      chains.set(element, [chain(element.parentElement), element.localName, element.getAttribute('class'),
        element.matches(':disabled'), element.ariaDisabled, element.ariaHidden, style.color, style.fontSize, style.fontWeight,
        style.backgroundColor, style.backgroundImage, style.opacity, style.position].join());
    }
    return chains.get(element);
  };
  const alike = Object.groupBy([...document.querySelectorAll('*')].filter((element) => element.checkVisibility()), chain);
  document.querySelectorAll('[data-looked-at]').forEach((element) => element.removeAttribute('data-looked-at'));
  Object.values(alike).flatMap((group) => [group[0], group.at(-1)])
    .forEach((element) => element.setAttribute('data-looked-at', ''));
  axe.configure({ rules: [{ id: 'color-contrast', selector: '[data-looked-at]' }] });
  return (await axe.run({ runOnly: rules, resultTypes: ['violations'] })).violations;
}"""
"""Contrast takes most of the time: of elements that look alike, as does what they are in, the first and last are looked at."""
_SEEN = """() => {
  const told = (elements) => [...elements].map((element) => element.outerHTML.slice(0, 200));
  const text = (element) => element.textContent.trim();
  const entries = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
  const sized = [...document.querySelectorAll('body *')].filter((element) => element.checkVisibility() && !element.closest('svg')
    && [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
  return {
    styled: told(document.querySelectorAll('[style]')),
    dangling: told([...document.querySelectorAll('a.c')].filter((link) => !document.querySelector(link.hash))),
    wordless: told([...document.querySelectorAll('.st')].filter((mark) => !text(mark) || !mark.querySelector('svg use'))),
    unlisted: told([...document.querySelectorAll('svg.map, .picture svg')].filter((picture) =>
      !picture.closest('section, figure')?.querySelector('table, ul, dl, ol'))),
    tiny: told(sized.filter((element) => parseFloat(getComputedStyle(element).fontSize) < 12)),
    bytes: entries.reduce((sum, entry) => sum + entry.encodedBodySize, 0),
    marks: document.querySelectorAll('.st').length,
    cites: document.querySelectorAll('a.c').length,
  };
}"""
_OVERFLOW = """() => [...document.querySelectorAll('body *')].filter((element) => {
    const box = element.getBoundingClientRect();
    return box.right > innerWidth + 1 && box.width > 0
      && !element.closest('.scroll, .nav, .tabs, pre, svg, .hidden, .cards thead, .skip');
  }).map((element) => element.outerHTML.slice(0, 200)).concat(
    document.documentElement.scrollWidth > innerWidth ? [`the page is ${document.documentElement.scrollWidth} px wide`] : [])"""


@dataclass(slots=True)
class Look:
    """What was seen of a page: what axe finds by theme and width, what sticks out at 320 px, what it loaded and said."""

    status: int
    findings: dict[str, list[str]] = field(default_factory=dict)
    overflow: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    seen: dict[str, Any] = field(default_factory=dict)  # Any: JSON of a script


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser of this machine. Skips the test where there is none."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip(f"no Chromium here: none of {', '.join(NAMES)} is on the path")
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def look(browser: Browser, url: str, path: str) -> Look:
    """Opens a page in light and looks at it wide, in dark, on a phone and at the least width."""
    with browser.new_context(viewport={"width": WIDE, "height": 900}, color_scheme="light", reduced_motion="reduce") as context:
        page = context.new_page()
        page.set_default_navigation_timeout(MOST_MILLISECONDS)
        found = Look(0)
        page.on("request", lambda request: found.requests.append(request.url))
        page.on("console", lambda message: found.console.append(message.text))
        page.on("pageerror", lambda error: found.console.append(str(error)))
        response = page.goto(url + path, wait_until="load")
        assert response is not None
        found.status = response.status
        found.seen = page.evaluate(_SEEN)
        page.evaluate(AXE_SCRIPT)
        found.findings["light, wide"] = axe(page, "tag", RULES)
        page.emulate_media(color_scheme="dark")
        found.findings["dark, wide"] = axe(page, "rule", AGAIN[:1])
        page.set_viewport_size({"width": PHONE, "height": 900})
        found.findings["dark, phone"] = axe(page, "rule", AGAIN)
        page.set_viewport_size({"width": LEAST, "height": 900})
        found.overflow = page.evaluate(_OVERFLOW)[:5]
    return found


def axe(page: Page, kind: str, rules: list[str]) -> list[str]:
    """What axe finds on a page that has its script, by rules of a kind ("tag", "rule")."""
    return [
        f"{finding['id']}: {finding['help']} at {[node['html'][:160] for node in finding['nodes'][:3]]}"
        for finding in page.evaluate(_AXE, {"type": kind, "values": rules})
    ]
