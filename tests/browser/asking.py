"""The query page in a browser: opens it with a query, and writes in its editor."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page

from motorgraph.resources import web

Opened = Callable[..., Page]


def example(name: str) -> str:
    """The text of an example of the page."""
    return (web("examples") / f"{name}.rq").read_text()


def write(page: Page, text: str) -> None:
    """Puts a text in place of what the editor holds."""
    page.focus(".cm-content")
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)
