"""Conditional requests (RFC 9110 §13): whether the client's copy is still right, whether its change still fits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from motorgraph.engine.answer import Answer
from motorgraph.engine.wire import Job
from motorgraph.errors import PreconditionFailed
from motorgraph.protocol import Call, Receive
from motorgraph.reply import VARY, Departure, Headers, Send, send_answer

if TYPE_CHECKING:
    from motorgraph.stores.embedded import Embedded

FOR_EVER = b"max-age=31536000, immutable"


async def send_current(store: Embedded, job: Job, tag: str, call: Call, receive: Receive, send: Send) -> Answer | None:
    """Answers a read, or says that the client has it already. Raises Broken, or the Refusal that it met.

    `tag` tells the answer from others of the same commit, "" one that changes by itself. What comes back is the answer, already
    released, if one was sent.
    """
    async with current(store, job, tag, call, receive) as (answer, told):
        if answer is None:
            await send_not_modified(send, told)
        else:
            await send_answer(answer, call, send, told)
    return answer


@asynccontextmanager
async def current(
    store: Embedded, job: Job, tag: str, call: Call, receive: Receive
) -> AsyncIterator[tuple[Answer | None, list[tuple[bytes, bytes]]]]:
    """The answer to a read and the headers that name it; no answer if the client has it. Raises as `send_current` does."""
    commit = job.commit or store.commit
    if tag and is_known(call, etag_of(store, commit, tag)):
        yield None, versioned(store, commit, tag, is_fixed=bool(job.commit))
        return
    async with Departure(receive):
        answer = await (store.pool.opened(call.begun) if call.begun else store.answer(job, tag))
        try:
            told = versioned(store, answer.head.commit, tag, is_fixed=bool(job.commit))
            yield None if holds_any(call) else answer, told
        finally:
            store.release(answer)


async def has_it_already(store: Embedded, commit: int, tag: str, call: Call, send: Send, *, is_fixed: bool = False) -> bool:
    """Whether the client holds the answer with this tag about a commit; then it has been told so (304)."""
    if not is_known(call, etag_of(store, commit, tag)):
        return False
    await send_not_modified(send, versioned(store, commit, tag, is_fixed=is_fixed))
    return True


def etag_of(store: Embedded, commit: int, tag: str) -> bytes:
    """The ETag of the answer with this tag from the graph of a commit."""
    return f'"{store.version_of(commit)}-{tag}"'.encode()


def versioned(store: Embedded, commit: int, tag: str, *, is_fixed: bool = False) -> list[tuple[bytes, bytes]]:
    """The headers of an answer from the graph of a commit: it may be kept, and is asked after each time unless it `is_fixed`."""
    told = [(b"x-commit", b"%d" % commit)]
    if tag:
        kept = FOR_EVER if is_fixed and store.keeps_history else b"no-cache"
        told += [(b"etag", etag_of(store, commit, tag)), (b"cache-control", kept)]
    return told


def is_known(call: Call, etag: bytes) -> bool:
    """Whether the client holds this answer already (If-None-Match)."""
    known = call.headers.get(b"if-none-match")
    return known is not None and call.method in ("GET", "HEAD") and etag in _tags(known)


def holds_any(call: Call) -> bool:
    """Whether the client would rather have nothing if there is an answer at all (If-None-Match: *)."""
    return call.method in ("GET", "HEAD") and must_be_new(call)


async def send_not_modified(send: Send, headers: Headers) -> None:
    """304: the client's copy is still right."""
    await send({"type": "http.response.start", "status": 304, "headers": [*headers, VARY]})
    await send({"type": "http.response.body", "body": b""})


def require_match(call: Call, version: str) -> None:
    """Raises PreconditionFailed unless If-Match, where it is sent, names this version; our tags begin with it."""
    wanted = call.headers.get(b"if-match")
    if wanted is None or wanted.strip() == b"*":
        return
    ours = version.encode()
    if not any(tag.strip(b'"') == ours or tag.strip(b'"').startswith(ours + b"-") for tag in _tags(wanted)):
        raise PreconditionFailed(f"The graph has changed: it is now version {version}. Read it again, then change it.")


def must_be_new(call: Call) -> bool:
    """Whether the client wants to make, not to replace (If-None-Match: *)."""
    return call.headers.get(b"if-none-match", b"").strip() == b"*"


def must_exist(call: Call) -> bool:
    """Whether the client wants to change only what is there (If-Match: *)."""
    return call.headers.get(b"if-match", b"").strip() == b"*"


def _tags(header: bytes) -> set[bytes]:
    return {tag.strip().removeprefix(b"W/") for tag in header.split(b",")}
