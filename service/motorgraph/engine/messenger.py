"""A messenger: has the front log what a process of the engine has to say."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress


class Messenger(logging.Handler):
    """Tells every record as an event `logged`."""

    def __init__(self, tell: Callable[..., None]) -> None:
        super().__init__()
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        """Tells it."""
        with suppress(OSError):  # in a child, or when the front has left
            self._tell("logged", level=record.levelno, logger=record.name, message=record.getMessage())
