"""`/dumps/`: the graph as files, by commit and the latest, each with its size and checksum, in whole or from any byte on."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import IO
from urllib.parse import quote

from motorgraph.errors import Broken, Failed, MethodNotAllowed, NotFound
from motorgraph.media import NQUADS, TRIG, prefers_html
from motorgraph.openapi import parameter, responses
from motorgraph.packing import READ_BYTES
from motorgraph.protocol import Call, Receive, moment
from motorgraph.ranges import Validators
from motorgraph.release import CANONICAL_FILES, INDEX, SIGNATURE, SUMS, DumpFile, Release
from motorgraph.reply import VARY, Departure, Headers, Send, send_bytes, send_page
from motorgraph.signing import ALLOWED_SIGNERS, Signer
from motorgraph.stores.embedded import Embedded

METHODS = "GET, HEAD, OPTIONS"
ROOT = "/dumps/"
LATEST = "latest"
MOST_DIGITS = 15
JSON = "application/json"


class Dumps:
    """The releases and their files; `page` makes a page of a template. Raises Failed where they cannot be signed as is set."""

    methods = METHODS

    def __init__(self, store: Embedded, page: Callable[..., Awaitable[bytes]]) -> None:
        self._store = store
        self._page = page
        self._is_private = store.settings.protect_reads
        key = store.settings.dump_key
        self._signer = None if key is None else Signer.of(key)

    def paths(self) -> dict[str, object]:
        """What it answers, as OpenAPI has it."""
        lists, refused = {"200": [JSON, "text/html"]}, ("404", "503")
        files = ["application/gzip", "application/zstd", NQUADS.media_type, TRIG.media_type, JSON, "text/plain"]
        whole_or_part, unfit = {"200": files, "206": files}, ("412", "416", "422")
        return {
            ROOT: _get("The dumps that are there", lists),
            ROOT + ALLOWED_SIGNERS: _get("The public key of the signatures of checksums", {"200": ["text/plain"]}, "404"),
            ROOT + "latest/{file}": _get("A file of the newest dump", {"307": []}, *refused, parameters=("file",)),
            ROOT + "{commit}/": _get("The files of a dump", lists, *refused, parameters=("commit",)),
            ROOT + "{commit}/{file}": _get(
                "A file, or a range of its bytes", whole_or_part, *refused, *unfit, parameters=("commit", "file")
            ),
        }

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""
        if call.method not in ("GET", "HEAD"):
            raise MethodNotAllowed(call.method, METHODS)
        which, _, name = call.path.removeprefix("/dumps").lstrip("/").partition("/")
        dumps = self._store.dumps
        if not which:
            await self._list(call, send)
        elif which == ALLOWED_SIGNERS and not name:
            await self._signers(call, send)
        elif which == LATEST:
            when = moment(call)
            release = await dumps.release((await self._store.at(when) if when else 0) or None, name)
            await _redirect(send, f"{ROOT}{release.commit}/{quote(name)}")
        else:
            release = await dumps.release(_number(which), name)
            await (self._file(release, name, call, receive, send) if name else self._listed(release, call, send))

    async def _list(self, call: Call, send: Send) -> None:
        releases = self._store.dumps.releases()
        if prefers_html(call.header(b"accept")):
            await send_page(send, call, await self._paged(call, releases, is_whole=False), _FRESH)
            return
        told = {
            "newest_commit": self._store.commit,
            "latest": _address(call, LATEST),
            **({"allowed_signers": _address(call, ALLOWED_SIGNERS).rstrip("/")} if self._signer else {}),
            "releases": [release.as_json(_address(call, release.commit)) for release in releases],
        }
        await _send_json(send, call, told, _FRESH)

    async def _listed(self, release: Release, call: Call, send: Send) -> None:
        if prefers_html(call.header(b"accept")):
            await send_page(send, call, await self._paged(call, [release], is_whole=True), _FRESH)
        else:
            await _send_json(send, call, release.as_json(_address(call, release.commit)), [*_FRESH, *_of(release)])

    async def _paged(self, call: Call, releases: list[Release], *, is_whole: bool) -> bytes:
        host = call.url.removesuffix(call.path)
        values = {"quote": quote, "is_signed": self._signer is not None, "on_demand": CANONICAL_FILES, "host": host}
        return await self._page("dumps.html", releases=releases, is_whole=is_whole, **values)

    async def _file(self, release: Release, name: str, call: Call, receive: Receive, send: Send) -> None:
        told = {SUMS: release.sums().encode, INDEX: release.index}
        if self._signer is not None:
            told[SIGNATURE] = partial(self._signature, self._signer, release)
        if name in told:
            body = told[name]()
            file = DumpFile(name, JSON if name == INDEX else "text/plain", "", "", len(body), hashlib.sha256(body).hexdigest())
            await self._send(Source(release, file, body=body), call, receive, send)
            return
        file, path = await self._store.dumps.file(release, name)
        await self._send(Source(release, file, path=path), call, receive, send)

    @staticmethod
    def _signature(signer: Signer, release: Release) -> bytes:
        return signer.signature(release.sums().encode())

    async def _signers(self, call: Call, send: Send) -> None:
        """The public key of the signatures, so that who trusts this service can check what others pass on. Raises NotFound."""
        if self._signer is None:
            raise NotFound("This service signs no dumps (setting dump_key).")
        headers = [(b"content-type", b"text/plain; charset=utf-8"), *_FRESH]
        await send_bytes(send, 200, headers, self._signer.allowed_signers(), with_body=call.method != "HEAD")

    async def _send(self, source: Source, call: Call, receive: Receive, send: Send) -> None:
        headers = [*source.headers(), (b"cache-control", self._cache_control())]
        if source.validators.holds(call):
            await send({"type": "http.response.start", "status": 304, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        part = source.validators.wanted(call, source.file.size)
        start, end = part or (0, source.file.size)
        headers += [(b"content-type", source.file.content_type.encode()), (b"content-length", b"%d" % (end - start))]
        headers.append((b"content-disposition", source.disposition()))
        if part is not None:
            headers.append((b"content-range", b"bytes %d-%d/%d" % (start, end - 1, source.file.size)))
        with source.opened() as opened:
            await send({"type": "http.response.start", "status": 206 if part is not None else 200, "headers": headers})
            if call.method == "GET":
                async with Departure(receive):
                    await _send_bytes_of(opened, start, end, send)
            await send({"type": "http.response.body", "body": b""})

    def _cache_control(self) -> bytes:
        """A commit of a journal is for ever what it is; without one another start has another first commit."""
        if not self._store.keeps_history:
            return b"no-cache"
        return (b"" if self._is_private else b"public, ") + b"max-age=31536000, immutable"


_FRESH: Headers = [(b"cache-control", b"no-cache")]


class Source:
    """A file of a release as a resource of HTTP: on the disk, or made here."""

    def __init__(self, release: Release, file: DumpFile, *, path: Path | None = None, body: bytes = b"") -> None:
        self.release = release
        self.file = file
        self._path = path
        self._body = body
        time = datetime.fromisoformat(release.time)
        changed = time if time.tzinfo else time.replace(tzinfo=UTC)
        self.validators = Validators(f'"{file.sha256}"'.encode(), changed)

    def headers(self) -> list[tuple[bytes, bytes]]:
        """What is said of it, whether it is sent or not; the digest is that of the whole file (RFC 9530)."""
        digest = base64.b64encode(bytes.fromhex(self.file.sha256))
        return [
            (b"etag", self.validators.etag),
            (b"last-modified", self.validators.date.encode()),
            (b"accept-ranges", b"bytes"),
            (b"repr-digest", b"sha-256=:" + digest + b":"),
            *_of(self.release),
        ]

    def disposition(self) -> bytes:
        """A name to keep it under, which tells the commit."""
        name = self.file.name.rpartition("/")[2].removeprefix("motorgraph.")
        kept = f"motorgraph-{self.release.commit}{'-' if '/' in self.file.name else '.'}{name}"
        return f'attachment; filename="{kept}"'.encode("ascii", "replace")

    def opened(self) -> IO[bytes]:
        """Its bytes. Raises Failed if it has gone from the disk."""
        if self._path is None:
            return BytesIO(self._body)
        try:
            return self._path.open("rb", buffering=0)
        except OSError as error:
            raise Failed(f"The file {self.file.name} cannot be read: {error.strerror}.") from error


async def _send_bytes_of(source: IO[bytes], start: int, end: int, send: Send) -> None:
    """Sends part of a file as the client takes it. Raises Broken if it is shorter than it was."""
    source.seek(start)
    while start < end:
        piece = await asyncio.to_thread(source.read, min(READ_BYTES, end - start))
        if not piece:
            raise Broken("the file has become shorter")
        start += len(piece)
        await send({"type": "http.response.body", "body": piece, "more_body": True})


async def _send_json(send: Send, call: Call, value: object, headers: Headers) -> None:
    body = json.dumps(value, indent=1).encode()
    await send_bytes(send, 200, [(b"content-type", JSON.encode()), VARY, *headers], body, with_body=call.method != "HEAD")


async def _redirect(send: Send, place: str) -> None:
    headers = [(b"location", place.encode()), (b"cache-control", b"no-cache"), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 307, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _number(which: str) -> int:
    """The number of a commit. Raises NotFound for what is none."""
    if not (which.isascii() and which.isdigit() and len(which) <= MOST_DIGITS):
        raise NotFound(f"{which[:40]!r} is neither a commit's number nor {LATEST!r}; {ROOT} lists the dumps.")
    return int(which)


def _of(release: Release) -> list[tuple[bytes, bytes]]:
    return [(b"x-commit", b"%d" % release.commit)]


def _address(call: Call, which: str | int) -> str:
    """The address of a release, on the host that was asked."""
    return f"{call.url.removesuffix(call.path)}{ROOT}{which}/"


def _get(summary: str, answers: Mapping[str, Sequence[str]], *refusals: str, parameters: Sequence[str] = ()) -> dict[str, object]:
    words = {"commit": "Number of the commit.", "file": "Name of the file; it may have slashes."}
    known = [parameter(name, words[name], place="path") | {"required": True} for name in parameters]
    return {"get": {"summary": summary, "tags": ["dumps"], "parameters": known, "responses": responses(answers, *refusals)}}
