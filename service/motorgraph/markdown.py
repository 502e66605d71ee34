"""Markdown to HTML for our own pages: headings that can be linked to, coloured code, tables a phone can show; no raw HTML."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.token import Token
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

Resolve = Callable[[str], str]
"""Where a link of the text leads on the page; "" makes it plain text."""
OUTPUT = "text"
"""The language of a block that shows what a command prints."""
_NO_SLUG = re.compile(r"[^\w\- ]")
_FORMATTER = HtmlFormatter(nowrap=True)
_CELLS = {"th_open", "td_open"}


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: 2 for a section, 3 for one within; its text, and what a link to it ends in."""

    level: int
    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A page of text: its title, the HTML below it, and its headings."""

    title: str
    html: str
    headings: Sequence[Heading]


def rendered(text: str, resolve: Resolve) -> Rendered:
    """The page of a Markdown text that opens with its title."""
    renderer = MarkdownIt("commonmark", {"html": False, "highlight": _coloured}).enable("table")
    tokens = renderer.parse(text)
    title = _said(tokens[1])
    body = tokens[3:]
    headings = list(_anchored(body))
    _linked(body, resolve)
    _tabulated(body, {heading.anchor for heading in headings})
    return Rendered(title, renderer.renderer.render(body, renderer.options, {}), headings)


def title_of(text: str) -> str:
    """The title that a Markdown text opens with."""
    return text.partition("\n")[0].removeprefix("# ")


def slug(text: str) -> str:
    """What a link to a heading ends in, as code hosts make it."""
    return _NO_SLUG.sub("", text.lower()).replace(" ", "-")


def _said(inline: Token) -> str:
    return "".join(child.content for child in inline.children or ())


def _anchored(tokens: Sequence[Token]) -> Iterator[Heading]:
    """Gives each heading an id of its own."""
    taken: dict[str, int] = {}
    for token, inline in pairwise(tokens):
        if token.type == "heading_open":
            name = slug(_said(inline))
            count = taken[name] = taken.get(name, -1) + 1
            anchor = f"{name}-{count}" if count else name
            token.attrSet("id", anchor)
            yield Heading(int(token.tag[1]), _said(inline), anchor)


def _linked(tokens: Sequence[Token], resolve: Resolve) -> None:
    """Turns links, and the addresses of pictures, to where they lead here."""
    for inline in tokens:
        is_open = True
        for child in inline.children or ():
            if child.type == "image":
                _pictured(child, resolve(str(child.attrs["src"])))
            if child.type == "link_open":
                address = resolve(str(child.attrs["href"]))
                is_open = bool(address)
                child.attrSet("href", address)
            if child.type in ("link_open", "link_close") and not is_open:
                child.type, child.tag, child.content = "text", "", ""


def _pictured(image: Token, address: str) -> None:
    """A picture of ours, which is fetched when it comes into view; of any other the words for it."""
    if address.startswith("/"):
        image.attrSet("src", address)
        image.attrSet("loading", "lazy")
    else:
        image.type, image.tag = "text", ""


def _tabulated(tokens: Sequence[Token], anchors: set[str]) -> None:
    """Gives tables the form of our tables of data: the first cell names the row; one that is a name in code can be linked to."""
    names: list[str] = []
    row, column = tokens[0], 0
    for place, token in enumerate(tokens):
        if token.type == "table_open":
            token.attrSet("class", "data cards")
            names = []
        elif token.type == "tr_open":
            row, column = token, 0
        elif token.type in _CELLS:
            if token.attrs.pop("style", "") == "text-align:right":
                token.attrSet("class", "number")
            if token.type == "th_open":
                token.attrSet("scope", "col")
                names.append(_said(tokens[place + 1]))
            elif column == 0:
                token.tag = tokens[place + 2].tag = "th"
                token.attrSet("scope", "row")
                _named(row, tokens[place + 1], anchors)
            else:
                token.attrSet("data-label", names[column])
            column += 1


def _named(row: Token, inline: Token, anchors: set[str]) -> None:
    """Gives a row whose first cell is one name in code that name as id, unless something has it."""
    children = inline.children or []
    if [child.type for child in children] == ["code_inline"] and (anchor := slug(children[0].content)) not in anchors:
        row.attrSet("id", anchor)
        anchors.add(anchor)


def _coloured(code: str, language: str, _: str) -> str:
    """A block of code; what it is made of is told by classes, so that the style sheet has the colours."""
    try:
        inner = highlight(code, get_lexer_by_name(language, stripnl=False), _FORMATTER) if language else escapeHtml(code)
    except ClassNotFound:
        inner = escapeHtml(code)
    kind = ' class="output"' if language == OUTPUT else ""
    return f'<pre{kind} tabindex="0"><code>{inner}</code></pre>\n'
