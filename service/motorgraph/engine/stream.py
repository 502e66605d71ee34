"""Bytes that come in pieces as a file to read from."""

from __future__ import annotations

from collections.abc import Iterator


class Stream:
    """Pieces as a file to read from."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        while size < 0 or len(self._rest) < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._rest += piece
            if size > 0:
                break
        end = len(self._rest) if size < 0 else size
        now, self._rest = self._rest[:end], self._rest[end:]
        return now
