"""`/static/…`: style sheets, marks, scripts; small by gzip, and asked for once where their addresses hold a hash."""

from __future__ import annotations

import asyncio
import gzip
from dataclasses import dataclass
from pathlib import Path

from motorgraph.bundle import ADDRESS, MANIFEST
from motorgraph.conditions import FOR_EVER, is_known, send_not_modified
from motorgraph.errors import MethodNotAllowed, NotFound
from motorgraph.media import accepts_gzip
from motorgraph.protocol import Call, Receive
from motorgraph.reply import VARY, Send, send_bytes
from motorgraph.resources import tag_of

METHODS = "GET, HEAD, OPTIONS"
ROOT = "/static/"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was read at a time: its bytes, the same packed, and the ETag of each."""

    changed: int
    plain: bytes
    packed: bytes
    tag: str


class Static:
    """The files of a folder."""

    methods = METHODS

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._read: dict[Path, File] = {}

    def paths(self) -> dict[str, object]:
        """What it answers, as OpenAPI has it: nothing, since the names of the files are no promise."""
        return {}

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""
        if call.method not in ("GET", "HEAD"):
            raise MethodNotAllowed(call.method, METHODS)
        name = call.path.removeprefix(ROOT)
        file = await self._file(name)
        is_packed = accepts_gzip(call.header(b"accept-encoding")) and len(file.packed) < len(file.plain)
        etag = f'"{file.tag}{"-gz" if is_packed else ""}"'.encode()
        is_hashed = call.path.startswith(ADDRESS) and not name.endswith(MANIFEST)
        is_hashed = is_hashed or call.query_string == f"v={file.tag}".encode()
        headers = [(b"etag", etag), (b"cache-control", b"public, " + FOR_EVER if is_hashed else b"no-cache")]
        if is_known(call, etag):
            await send_not_modified(send, headers)
            return
        headers += [(b"content-type", TYPES[Path(name).suffix].encode()), VARY]
        headers += [(b"content-encoding", b"gzip")] if is_packed else []
        await send_bytes(send, 200, headers, file.packed if is_packed else file.plain, with_body=call.method != "HEAD")

    async def _file(self, name: str) -> File:
        """The file, read again only if it has changed. Raises NotFound."""
        try:
            path = (self._folder / name).resolve()
            changed = path.stat().st_mtime_ns
        except (OSError, ValueError) as error:
            raise _missing(name) from error
        if not path.is_relative_to(self._folder) or path.suffix not in TYPES or not path.is_file():
            raise _missing(name)
        known = self._read.get(path)
        if known is None or known.changed != changed:
            known = self._read[path] = await asyncio.to_thread(_read, path, changed)
        return known


def _read(path: Path, changed: int) -> File:
    plain = path.read_bytes()
    return File(changed, plain, gzip.compress(plain, 9, mtime=0), tag_of(plain))


def _missing(name: str) -> NotFound:
    return NotFound(f"There is no file {name[:100]!r} in {ROOT}.")
