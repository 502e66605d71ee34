"""A thing and its nearest neighbours as a picture: the thing in the middle, a line to each, drawn by how sure the tie is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import cos, pi, sin
from typing import Any

from markupsafe import Markup

WIDTH, ROW, LEAST_ROW = 304, 64, 46
NEAREST = 8
"""Neighbours that are drawn where nobody asks for all."""
GAP = 14
"""Pixels that two rows beside the middle make way for its name."""
MOST_CHARACTERS = 19
_CENTER = WIDTH / 2


def star(name: str, neighbours: Sequence[Mapping[str, Any]]) -> Markup:  # Any: a neighbour of portrait/values.py as JSON
    """An SVG in which each neighbour leads to its page; the page beside it says the same as a list."""
    sides = [neighbours[0::2], neighbours[1::2]]
    gap = GAP if len(sides[0]) % 2 == 0 else 0
    row = ROW if len(neighbours) <= NEAREST else LEAST_ROW
    height = max(2, len(sides[0])) * row + 36 + 2 * gap
    lines, nodes = [], []
    for way, side in zip((-1, 1), sides, strict=True):
        for number, each in enumerate(side):
            share = (number + 0.5) / len(side)
            across = _CENTER + way * (70 + 30 * sin(pi * share))
            down = (
                18
                + gap
                + (height - 36 - 2 * gap) * share
                - 8 * cos(pi * share)
                + (gap if share > 0.5 else -gap if share < 0.5 else 0)
            )
            lines.append(f'<path class="e e-{escape(each["line"])}" d="M{_CENTER:g} {height / 2:g}L{across:.0f} {down:.0f}"/>')
            nodes.append(_node(each, across, down))
    told = escape(f"{name} and what is next to it: " + ", ".join(f"{n['link']['text']} ({n['by']})" for n in neighbours))
    middle = (
        f'<circle class="node center" cx="{_CENTER:g}" cy="{height / 2:g}" r="7"/>'
        f'<text class="halo b" text-anchor="middle" x="{_CENTER:g}" y="{height / 2 + 21:g}">{escape(shortened(name, 15))}</text>'
    )
    frame = f'<svg class="star" viewBox="0 0 {WIDTH} {height}" role="group" aria-label="{told}">'
    return Markup(frame + "".join(lines) + "".join(nodes) + middle + "</svg>")  # noqa: S704 - every text in it is escaped


def _node(each: Mapping[str, Any], across: float, down: float) -> str:
    """A neighbour: its name above the dot, the tie below."""
    anchor = "middle"
    words, by = shortened(each["link"]["text"]), shortened(each["by"])
    reach = max(len(words) * 3.9, len(by) * 3)
    at = min(max(across, reach + 2), WIDTH - reach - 2)
    return (
        f'<a class="next" href="{escape(each["link"]["page"])}" data-iri="{escape(each["link"]["iri"])}">'
        f'<circle class="node" cx="{across:.0f}" cy="{down:.0f}" r="5"/>'
        f'<text class="halo b" text-anchor="{anchor}" x="{at:.0f}" y="{down - 9:.0f}">{escape(words)}</text>'
        f'<text class="halo dim" text-anchor="{anchor}" x="{at:.0f}" y="{down + 17:.0f}">{escape(by)}</text></a>'
    )


def shortened(text: str, most: int = MOST_CHARACTERS) -> str:
    """A text of at most so many characters, cut at a word."""
    if len(text) <= most:
        return text
    cut = text[: most - 1].rpartition(" ")[0]
    cut = cut if len(cut) > most // 2 else text[: most - 1]
    return cut + "…"
