"""`/changes`: every commit, what it did as an RDF patch, and what lies between two of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any
from urllib.parse import urlencode

import orjson

from motorgraph import __version__
from motorgraph.conditions import has_it_already, versioned
from motorgraph.engine.archive import CLERK
from motorgraph.engine.clerk import MOST_COMMITS
from motorgraph.engine.clerk import PATCH as PATCH_TYPE
from motorgraph.engine.wire import Job
from motorgraph.errors import BadRequest, MethodNotAllowed, NotAcceptable, NotFound
from motorgraph.media import Format, choose, listing
from motorgraph.openapi import parameter, responses
from motorgraph.protocol import Call, Receive, one, query_parameters
from motorgraph.reply import VARY, Departure, Headers, Send, send_answer, send_bytes
from motorgraph.routes.sparql import accepts_gzip
from motorgraph.settings import Settings
from motorgraph.stores.embedded import Embedded

METHODS = "GET, HEAD, OPTIONS"
JSON = Format("JSON", "application/json", "json")
PATCH = Format("RDF Patch", PATCH_TYPE, "rdfp", ("text/rdf-patch",))
FORMATS = (JSON, PATCH)
LIMIT = 100
_PATH = re.compile(r"/changes/([0-9]{1,15})(?:\.\.([0-9]{1,15}))?(?:\.(json|rdfp))?")
_NUMBER = re.compile(r"[0-9]{1,15}")

Json = dict[str, Any]  # Any: a commit as JSON, see the clerk


@dataclass(frozen=True, slots=True)
class Window:
    """Some commits in a row: those beyond `after` as far as `upto`, at most `limit` of them.

    With `after` they are the first of these, without it the last.
    """

    after: int
    upto: int

    @classmethod
    def of(cls, call: Call, newest: int) -> Window:
        """The window that a request asks for. Raises BadRequest."""
        given = query_parameters(call)
        after, upto, limit = (_number(given, name) for name in ("after", "upto", "limit"))
        if limit is not None and not 1 <= limit <= MOST_COMMITS:
            raise BadRequest(f"limit={limit} is not between 1 and {MOST_COMMITS}; the links lead from page to page.")
        size, end = limit or LIMIT, newest if upto is None else min(upto, newest)
        start = max(end - size, 0) if after is None else min(after, end)
        return cls(start, min(end, start + size))


@dataclass(frozen=True, slots=True)
class Asked:
    """One commit, or with an `end` what lies between it and that one, in a format."""

    start: int
    end: int | None
    form: Format


class Changes:
    """The commits, from the journal or, without one, the start of the service as the only one."""

    methods = METHODS

    def __init__(self, store: Embedded, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._limits = settings.limits()

    def paths(self) -> Mapping[str, object]:
        """What it answers, as OpenAPI has it."""
        return changes_paths()

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""
        if call.method not in METHODS.split(", "):
            raise MethodNotAllowed(call.method, METHODS)
        self._store.require_ready()
        if call.path in ("/changes", "/changes/"):
            await self._list(call, send)
            return
        match = _PATH.fullmatch(call.path)
        if match is None:
            raise NotFound(
                f"There is nothing at {call.path[:80]}. /changes/12 is a commit, /changes/3..12 what lies between two."
            )
        asked = Asked(int(match[1]), int(match[2]) if match[2] else None, self._form(call, match[3]))
        await (self._commit if asked.end is None else self._between)(asked, call, receive, send)

    async def _list(self, call: Call, send: Send) -> None:
        _require_json(call)
        newest = self._store.commit
        window = Window.of(call, newest)
        tag = _tag("list", window, call)
        if await has_it_already(self._store, newest, tag, call, send):
            return
        found = await self._store.commits(after=window.after, upto=window.upto, limit=MOST_COMMITS)
        origin = call.origin
        told = self._about | {
            "newest": newest,
            "commits": [linked(commit, origin) for commit in found],
            "links": _pages(window, newest, origin),
        }
        await _send_json(told, call, send, versioned(self._store, newest, tag))

    @property
    def _about(self) -> Json:
        """Which history it is, of whose graph, and how that is served: a replica does likewise."""
        mode = {"plain": self._settings.plain, "default_graph": "union" if self._settings.is_union else "separate"}
        return {"lineage": self._store.lineage, "base": self._settings.base} | mode | {"version": __version__}

    def _form(self, call: Call, suffix: str | None) -> Format:
        """The format by the address, or else by Accept. Raises NotAcceptable."""
        if suffix is not None:
            return next(form for form in FORMATS if form.suffix == suffix)
        form = choose(call.header(b"accept"), FORMATS)
        if form is None:
            raise NotAcceptable(f"A commit can be had as {listing(FORMATS)}.", available=[f.media_type for f in FORMATS])
        return form

    async def _commit(self, asked: Asked, call: Call, receive: Receive, send: Send) -> None:
        number = asked.start
        self._require(number)
        if asked.form is PATCH:
            await self._send_patch(Job("patch", commit=number), number, call, receive, send)
            return
        tag = _tag("commit", number, call)
        if not await has_it_already(self._store, number, tag, call, send, is_fixed=True):
            (found,) = await self._store.commits(after=number - 1, upto=number)
            told = versioned(self._store, number, tag, is_fixed=True)
            await _send_json(self._about | linked(found, call.origin), call, send, told)

    async def _between(self, asked: Asked, call: Call, receive: Receive, send: Send) -> None:
        start, end = asked.start, asked.end or 0
        for number in (start, end):
            self._require(number, least=0)
        last = max(start, end, 1)
        wanted = {"after": start, "upto": end}
        if asked.form is PATCH:
            await self._send_patch(Job("diff", json.dumps(wanted)), last, call, receive, send)
            return
        tag = _tag("diff", wanted, call)
        if await has_it_already(self._store, last, tag, call, send, is_fixed=True):
            return
        async with Departure(receive):
            counts = await self._store.archive.ask("compare", **wanted)
        address = f"{call.origin}/changes/{start}..{end}"
        found = self._about | counts | {"links": {"self": address, "patch": f"{address}.rdfp"}}
        await _send_json(found, call, send, versioned(self._store, last, tag, is_fixed=True))

    def _require(self, number: int, *, least: int = 1) -> None:
        """Raises NotFound unless there is such a commit; 0 stands for the time before the first."""
        if not least <= number <= self._store.commit:
            raise NotFound(f"There is no commit {number}; there are 1 to {self._store.commit}.")

    async def _send_patch(self, job: Job, commit: int, call: Call, receive: Receive, send: Send) -> None:
        """Streams a patch that the clerk writes; what it says of these commits will never change."""
        tag = _tag(job.task, (job.text, accepts_gzip(call.header(b"accept-encoding"))), call)
        if await has_it_already(self._store, commit, tag, call, send, is_fixed=True):
            return
        async with Departure(receive):
            answer = await self._store.archive.answer(self._bounded(job, call), holds=CLERK)
            try:
                await send_answer(answer, call, send, versioned(self._store, commit, tag, is_fixed=True))
            finally:
                self._store.release(answer)

    def _bounded(self, job: Job, call: Call) -> Job:
        is_gzip = accepts_gzip(call.header(b"accept-encoding"))
        return replace(job, head_only=call.method == "HEAD", gzip=is_gzip, max_bytes=self._limits.answer_bytes)


async def _send_json(value: Json, call: Call, send: Send, headers: Headers) -> None:
    found = [(b"content-type", JSON.media_type.encode()), VARY, *headers]
    await send_bytes(send, 200, found, orjson.dumps(value), with_body=call.method != "HEAD")


def linked(commit: Json, origin: str) -> Json:
    """A commit as JSON with where more of it is, on the host that was asked. What is said of it never changes."""
    number = commit["id"]
    address = f"{origin}/changes/{number}"
    links = {"self": address, "patch": f"{address}.rdfp", "graphs": f"{origin}/graphs?at={number}"}
    return commit | {"links": links | ({"prev": f"{origin}/changes/{number - 1}"} if number > 1 else {})}


def _pages(window: Window, newest: int, origin: str) -> dict[str, str]:
    """Where the commits before and behind those of a window are."""
    size = max(window.upto - window.after, 1)

    def page(after: int) -> str:
        return f"{origin}/changes?" + urlencode({"after": after, "limit": size})

    found = {"self": page(window.after), "first": page(0), "last": page(max(newest - size, 0))}
    if window.after > 0:
        found["prev"] = page(max(window.after - size, 0))
    if window.upto < newest:
        found["next"] = page(window.upto)
    return found


def _number(given: Mapping[str, list[str]], name: str) -> int | None:
    text = one(given, name)
    if text and not _NUMBER.fullmatch(text):
        raise BadRequest(f"{name}={text[:40]!r} is no number of a commit, such as 12.")
    return int(text) if text else None


def _require_json(call: Call) -> None:
    if choose(call.header(b"accept"), (JSON,)) is None:
        raise NotAcceptable(f"The commits can be had as {JSON.media_type}.", available=[JSON.media_type])


def _tag(kind: str, about: object, call: Call) -> str:
    """What tells an answer with links on this host from others about the same commit."""
    return f"{kind}-{blake2b(repr((about, call.origin)).encode(), digest_size=6).hexdigest()}"


def changes_paths() -> dict[str, object]:
    """/changes as OpenAPI."""

    def get(summary: str, types: tuple[str, ...], *given: dict[str, object]) -> dict[str, object]:
        answers = responses({"200": types}, "400", "404", "406", "503")
        return {"get": {"summary": summary, "tags": ["history"], "parameters": list(given), "responses": answers}}

    number = {"type": "integer"}
    window = {
        "after": "The commits beyond this one, the first of them.",
        "upto": "The commits as far as this one; without `after` the last of them.",
        "limit": f"How many, at most {MOST_COMMITS}; {LIMIT} if it is not said.",
    }
    both = (JSON.media_type, PATCH.media_type)

    def place(name: str, words: str) -> dict[str, object]:
        return parameter(name, words, place="path", schema=number) | {"required": True}

    listed = [parameter(name, words, schema=number) for name, words in window.items()]
    of_two = place("start", "A commit; 0 is the time before the first."), place("end", "Another, newer or older.")
    return {
        "/changes": get("The commits, oldest first", both[:1], *listed),
        "/changes/{commit}": get("A commit, or what it did", both, place("commit", "Its number.")),
        "/changes/{start}..{end}": get("What lies between two commits", both, *of_two),
    }
