"""Logs as lines of JSON on standard error, each with the id of the request that it belongs to."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import sys
from datetime import UTC, datetime

import orjson

from motorgraph.errors import Broken

request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


class JsonLines(logging.Formatter):
    """One JSON object a record: time, level, logger, message, request and whatever `extra` brought."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if current := request_id.get():
            line["request"] = current
        line.update({key: value for key, value in vars(record).items() if key not in _STANDARD})
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


def _is_news(record: logging.LogRecord) -> bool:
    """Whether the server's record says what is not known already: an answer that breaks has its own line."""
    is_cancelled = record.exc_info and isinstance(record.exc_info[1], Broken | asyncio.CancelledError)
    return not is_cancelled and not str(record.msg).startswith("Cancel ")


def configure(level: str) -> None:
    """Sends everything at `level` and above to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    for name in ("uvicorn.error", "httpx", "mcp"):  # which would tell of every request of a replica and of every call of a tool
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
