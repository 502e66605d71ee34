"""Ranges of bytes (RFC 9110 §14), and the conditions under which a file is sent (§13), by its tag and its date."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from motorgraph.conditions import holds_any, is_known, require_match
from motorgraph.errors import PreconditionFailed, RangeNotSatisfiable
from motorgraph.protocol import Call

_RANGE = re.compile(r"\s*bytes\s*=\s*(?:([0-9]{1,19})\s*-\s*([0-9]{1,19})?|-\s*([0-9]{1,19}))\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Validators:
    """What tells one state of a file from another: a strong tag, and the time of its last change."""

    etag: bytes
    changed: datetime

    @property
    def date(self) -> str:
        """The time as HTTP has it."""
        return format_datetime(self.changed.astimezone(UTC).replace(microsecond=0), usegmt=True)

    def holds(self, call: Call) -> bool:
        """Whether the client has this state already (If-None-Match, without it If-Modified-Since).

        Raises PreconditionFailed if it wants another (If-Match, without it If-Unmodified-Since).
        """
        if b"if-match" in call.headers:
            require_match(call, self.etag.decode().strip('"'))
        elif self._is_after(call.header(b"if-unmodified-since")):
            raise PreconditionFailed(f"The file was made at {self.date}, after the time in If-Unmodified-Since.")
        if b"if-none-match" in call.headers:
            return is_known(call, self.etag) or holds_any(call)
        return self._is_after(call.header(b"if-modified-since")) is False

    def _is_after(self, header: str) -> bool | None:
        """Whether it was changed after the date in a header; None where there is none."""
        try:
            said = parsedate_to_datetime(header)
        except (ValueError, OverflowError):
            return None
        return self.changed.replace(microsecond=0) > (said if said.tzinfo else said.replace(tzinfo=UTC))

    def wanted(self, call: Call, size: int) -> tuple[int, int] | None:
        """The first byte and the one behind the last that a GET asks for; None if it is to have the whole.

        That is so for a range of another unit, for several at once, for one that cannot be read, and where If-Range names another
        state. Raises RangeNotSatisfiable for one that begins behind the end.
        """
        found = _RANGE.fullmatch(call.header(b"range"))
        condition = call.headers.get(b"if-range", self.etag).strip()
        if found is None or call.method != "GET" or condition not in (self.etag, self.date.encode()):
            return None
        first, last, suffix = (int(text) if text else None for text in found.groups())
        if first is None:
            first, last = max(size - (suffix or 0), 0), size - 1
        elif last is not None and last < first:
            return None
        if first >= size:
            raise RangeNotSatisfiable(f"The file has {size:,} bytes; a range has to begin before its end.", size=size)
        return first, min(size, size if last is None else last + 1)
