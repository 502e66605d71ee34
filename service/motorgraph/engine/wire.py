"""What crosses the sockets between the front and the processes of the engine: jobs one way, frames the other."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from enum import IntEnum
from functools import cached_property, lru_cache
from itertools import takewhile
from socket import SO_RCVTIMEO, SOL_SOCKET, socket
from typing import Any

import orjson

HEADER = struct.Struct("!BI")
HEADER_BYTES = HEADER.size
SECONDS = struct.Struct("!d")
FRAME_BYTES = 64 * 1024
RECEIVE_BYTES = 1 << 20
_TERM = re.compile(r"""<[^<>"{}|^`\\\s]*>|"[^"\n]*"|'[^'\n]*'|[\w-]*:[\w%.-]*|\d+""")
_MOST_OF_SHAPE = 8192
IDLE_TIMEVAL = struct.pack("@ll", 0, 500_000)  # half a second, as a struct timeval
END = struct.Struct("!QQ?")


class Kind(IntEnum):
    """What a frame carries: the head of an answer, a piece of its body, its end, or why there is none; or what the process has
    counted for it that others need not count again."""

    JOB = 0
    HEAD = 1
    DATA = 2
    END = 3
    FAILED = 4
    COUNTED = 5


KINDS = tuple(Kind)  # by number, which is quicker than Kind(number)


@dataclass(frozen=True)
class Job:
    """One thing for a reader or draft to do.

    `task` is query, check, graph, census, validate, clauses, describe, context, update, put, post, patch, delete or follow, or
    one of those of the clerk. `graph` is a graph's IRI, "" for the default graph, None for all. `solutions` and `graphs` are the
    media types to answer in (None: the client takes none). Sizes are bytes.
    For a write, `union` says that the default graph is the merge of all, `shapes` names the graph of shapes to satisfy;
    `author`, `message` and `once` (see once.py) go into the journal; only one who `is_admin` may change the graphs that are
    `guarded`, and nobody the `catalogue` of the commits. A `dry_run` only says what the change would do, which is also told of
    one that `wants_account`. The task delta, whose `text` is what a draft wrote down, has no answer.
    `commit` is that of the graph to be asked, 0 for the newest; of a delta the one that it makes.
    The task follow repeats a commit of another journal: `was` is that as JSON, with its graphs, `text` the path of its RDF patch
    of `beside` bytes. Of the task trial `text` is JSON: whether it is to be `alone`, and `wants_text`.
    """

    task: str
    text: str = ""
    base: str = ""
    graph: str | None = None
    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()
    solutions: str | None = None
    graphs: str | None = None
    head_only: bool = False
    gzip: bool = False
    max_bytes: int = 1 << 40
    max_rows: int = 1 << 40
    content_type: str = ""
    content_encoding: str = ""
    must_be_new: bool = False
    must_exist: bool = False
    hosts: tuple[str, ...] = ()
    union: bool = False
    shapes: str = ""
    author: str = ""
    is_admin: bool = False
    message: str = ""
    guarded: tuple[str, ...] = ()
    catalogue: str = ""
    once: str = ""
    dry_run: bool = False
    wants_account: bool = False
    commit: int = 0
    was: str = ""
    beside: int = 0

    @cached_property
    def _hash(self) -> int:
        return hash(self.payload)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def key(self) -> tuple[object, ...]:
        """What tells how long the job takes, cheap to compare: the task, the query and the graphs."""
        return self.task, self.text, self.graph, self.default_graphs, self.named_graphs

    @cached_property
    def shape(self) -> tuple[object, ...]:
        """What it has in common with jobs that differ in the IRIs, literals and numbers of their texts."""
        text = _TERM.sub("_", self.text) if len(self.text) <= _MOST_OF_SHAPE else self.text
        return self.task, text, self.graph is None, len(self.default_graphs), len(self.named_graphs)

    @cached_property
    def payload(self) -> bytes:
        """The job as JSON, made once however often the job is sent."""
        return orjson.dumps({name: getattr(self, name) for name in FIELDS})


FIELDS = tuple(field.name for field in fields(Job))


def encode_job(job: Job, seconds: float = 0.0) -> bytes:
    """A job and the seconds that are left for it (0: no deadline) as one frame."""
    return frame(Kind.JOB, SECONDS.pack(seconds) + job.payload)


def encode_delta(commit: int, delta: str) -> bytes:
    """The job that tells of a commit what it has changed; b"" for "", which tells nobody."""
    return encode_job(Job("delta", delta, commit=commit)) if delta else b""


def decode_job(payload: bytes) -> tuple[Job, float]:
    """The job and the seconds that `encode_job` wrote."""
    return _decoded(payload[SECONDS.size :]), SECONDS.unpack_from(payload)[0]


@lru_cache(maxsize=64)
def _decoded(payload: bytes) -> Job:
    values = orjson.loads(payload)
    for name in ("default_graphs", "named_graphs", "hosts", "guarded"):
        values[name] = tuple(values[name])
    job = object.__new__(Job)  # to set the fields of a frozen dataclass one after the other costs as much as a lookup
    job.__dict__.update(values)
    return job


def body_frames(body: bytes) -> bytes:
    """A body as DATA frames and an END."""
    pieces = (body[start : start + RECEIVE_BYTES] for start in range(0, len(body), RECEIVE_BYTES))
    return b"".join([frame(Kind.DATA, piece) for piece in pieces]) + end()


def frame(kind: Kind, payload: bytes) -> bytes:
    """A frame: one byte of kind, four of length, the payload."""
    return HEADER.pack(kind, len(payload)) + payload


@lru_cache(maxsize=64)
def head(form: str, media_type: str, encoding: str, commit: int = 0) -> bytes:
    """The frame that begins an answer: `solutions`, `boolean`, `graph` or `json`, its media type, gzip or "" as encoding, and the
    commit of the graph that it is from."""
    return frame(Kind.HEAD, f"{form} {media_type} {encoding} {commit}".encode())


def end(rows: int = 0, size: int = 0, *, created: bool = False) -> bytes:
    """The frame that ends an answer: its rows, its bytes before compression, whether a write made a graph."""
    return frame(Kind.END, END.pack(rows, size, created))


def message(what: Kind, /, **values: Any) -> bytes:  # Any: whatever JSON can say
    """A frame whose payload is a JSON object."""
    return frame(what, json.dumps(values).encode())


def received(sock: socket, when_idle: Callable[[], None] = lambda: None) -> Iterator[tuple[Kind, bytes]]:
    """The frames of a blocking socket, until the other side has gone; tells when none has come for a while."""
    frames = Frames()
    sock.setsockopt(SOL_SOCKET, SO_RCVTIMEO, IDLE_TIMEVAL)
    while True:
        try:
            data = sock.recv(RECEIVE_BYTES)
        except BlockingIOError:  # the time of SO_RCVTIMEO is up
            when_idle()
            continue
        except ConnectionResetError:  # it left before it had read all that we said
            return
        if not data:
            return
        yield from frames.feed(data)


def body_of(frames: Iterator[tuple[Kind, bytes]]) -> bytes:
    """The body that `body_frames` sent."""
    return b"".join([payload for _, payload in takewhile(lambda item: item[0] is Kind.DATA, frames)])


class Frames:
    """Cuts a stream of bytes into frames as they arrive."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[tuple[Kind, bytes]]:
        """The frames that are whole now that `data` has come."""
        rest = self._rest
        if rest:
            rest += data
        here: bytes | bytearray = rest or data
        found = []
        start, size = 0, len(here)
        while size - start >= HEADER_BYTES:
            kind, length = HEADER.unpack_from(here, start)
            end = start + HEADER_BYTES + length
            if end > size:
                break
            found.append((KINDS[kind], bytes(here[start + HEADER_BYTES : end])))
            start = end
        if here is rest:
            del rest[:start]
        elif start < size:
            rest += here[start:]
        return found
