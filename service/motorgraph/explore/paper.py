"""The paper that a picture of the deals is drawn on: wide, or narrow for a phone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Paper:
    """How large a drawing is, in pixels: its width, the room for names at a side (0: they stand over what they name), the height
    of a row, the size of letters."""

    width: int
    room: int
    row: int
    letters: int
    classes: str
