"""Light or dark: which of the two a reader has chosen, kept in a cookie, and a page that is dressed so."""

from __future__ import annotations

from dataclasses import replace

from motorgraph.media import prefers_html
from motorgraph.protocol import Call

COOKIE = "theme"
THEMES = ("system", "light", "dark")
KEPT_SECONDS = 365 * 24 * 3600
_ROOT = b'<html lang="en">'
_BUTTON = 'value="{theme}" aria-pressed="{pressed}"'


def chosen(call: Call) -> str:
    """The theme that the reader has chosen; "" to follow the system."""
    for piece in call.header(b"cookie").split(";")[:50]:
        name, _, value = piece.strip().partition("=")
        if name == COOKIE:
            return value if value in THEMES[1:] else ""
    return ""


def without_conditions(call: Call) -> Call:
    """The request, and of one for a page in a theme without If-None-Match: the browser may hold it in another theme."""
    if b"cookie" not in call.headers or b"if-none-match" not in call.headers or call.method not in ("GET", "HEAD"):
        return call
    if not chosen(call) or not prefers_html(call.header(b"accept")):
        return call
    return replace(call, headers={name: value for name, value in call.headers.items() if name != b"if-none-match"})


def dressed(page: bytes, theme: str) -> bytes:
    """A page as its template made it, which follows the system, in the theme that was chosen."""
    if not theme:
        return page
    page = page.replace(_ROOT, f'<html lang="en" data-theme="{theme}">'.encode(), 1)
    page = page.replace(_button(THEMES[0], "true"), _button(THEMES[0], "false"), 1)
    return page.replace(_button(theme, "false"), _button(theme, "true"), 1)


def cookie(theme: str) -> bytes:
    """The Set-Cookie that keeps a choice; that of the system forgets it."""
    kept = KEPT_SECONDS if theme in THEMES[1:] else 0
    return f"{COOKIE}={theme}; Path=/; Max-Age={kept}; SameSite=Lax; HttpOnly".encode()


def _button(theme: str, pressed: str) -> bytes:
    return _BUTTON.format(theme=theme, pressed=pressed).encode()
