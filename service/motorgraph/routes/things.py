"""`/id/…`, `/concept/…`, `/source/…` and so on: every thing of the graph at its IRI, with `/data/…` and `/page/…` about it."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any
from urllib.parse import unquote

from motorgraph import __version__
from motorgraph.address import FORMATS, PORTRAIT, Address, document_at, elsewhere, moved, thing_at
from motorgraph.changes import Window
from motorgraph.changes import shown as commits_of
from motorgraph.conditions import current, send_not_modified
from motorgraph.duties import Tables as DutyTables
from motorgraph.duty.planner import Planner
from motorgraph.engine.answer import Answer
from motorgraph.engine.describing import CHECK, CUT, MORE, MOVED, POINTED
from motorgraph.engine.wire import Job
from motorgraph.entity import MOST_NESTED, Asked
from motorgraph.errors import BadRequest, Gone, MethodNotAllowed, NotAcceptable, NotFound, Refusal, Unavailable
from motorgraph.gone import Removals
from motorgraph.media import HTML, JSONLD, Format, accepts_gzip, choose, languages, listing, prefers_html
from motorgraph.memento import Mementos
from motorgraph.openapi import things_paths
from motorgraph.pages import Pages
from motorgraph.protocol import Call, Receive, moment, query_parameters, said
from motorgraph.reply import VARY, Headers, Send, send_answer, send_bytes, send_page
from motorgraph.settings import Settings
from motorgraph.stores.embedded import Embedded
from motorgraph.view import Views
from motorgraph.vocab import LICENCE

METHODS = "GET, HEAD, OPTIONS"
BY_LANGUAGE = (b"vary", b"Accept-Language")
ALL = "all"
MORE_TO_SHOW = ("duties", "history")
COMMITS_SHOWN = 8
CONTEXTS = ("", "link", "inline")
AVAILABLE = [form.media_type for form in FORMATS]
_COMMIT = re.compile(r"/(?:id|page)/commit/([1-9][0-9]{0,14})")


class Things:
    """The things of the graph."""

    methods = METHODS

    def __init__(self, store: Embedded, settings: Settings, pages: Pages, mementos: Mementos, planner: Planner) -> None:
        self._store = store
        self._settings = settings
        self._pages = pages
        self._removals = Removals(store)
        self._mementos = mementos
        self._duties = DutyTables(store, planner)
        self._views = Views(pages, settings.base)
        self._max_bytes = settings.limits().answer_bytes
        self._licence = "" if settings.plain else LICENCE

    def paths(self) -> dict[str, object]:
        """What it answers, as OpenAPI has it."""
        return things_paths()

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""
        if call.method not in ("GET", "HEAD"):
            raise MethodNotAllowed(call.method, METHODS)
        try:
            await self._answer(call, receive, send)
        except NotFound:
            commit = _COMMIT.fullmatch(call.path)
            if commit is None or int(commit[1]) > self._store.commit:
                raise
            await _redirect(call, send, 303, f"/changes/{commit[1]}")  # a graph without a catalogue of commits

    async def _answer(self, call: Call, receive: Receive, send: Send) -> None:
        target = elsewhere(call.raw_path) if call.path.startswith(("/data/", "/page/")) else ""
        if target:
            await _redirect(call, send, 301, target)
        elif call.path.startswith("/data/"):
            await self._data(call, receive, send)
        elif call.path.startswith("/page/"):
            await self._page(call, receive, send)
        else:
            await self._thing(call, receive, send)

    async def _thing(self, call: Call, receive: Receive, send: Send) -> None:
        """A thing is no document: what there is about it is elsewhere (303), or it has another IRI now (301)."""
        address = thing_at(call.raw_path)
        target = _chosen(call, address)
        job = await self._job(call, address, CHECK)
        async with self._reading(replace(job, gzip=False), "", call, address, receive) as (answer, _):
            if answer is not None and answer.head.form == MOVED:
                await _redirect(call, send, 301, (await self._moved(address, answer)).path)
            else:
                await _redirect(call, send, 303, target, self._links(address))

    async def _data(self, call: Call, receive: Receive, send: Send) -> None:
        """What the graph says of a thing."""
        address, named = document_at(call.raw_path)
        form = named or choose(call.header(b"accept"), FORMATS)
        if form is None:
            raise NotAcceptable(f"What is said of a thing can be had as {listing(FORMATS)}.", available=AVAILABLE)
        job = await self._job(call, address, form.media_type)
        told = [*self._links(address, form), *await self._mementos.headers(call, job.commit)]
        if named is None:
            told.append((b"content-location", _with_query(call, address.data(form))))
        async with self._reading(job, _tag(job), call, address, receive) as (answer, headers):
            if answer is None:
                await send_not_modified(send, [*headers, *told])
            elif answer.head.form == MOVED:
                await _redirect(call, send, 301, (await self._moved(address, answer)).data(named))
            else:
                await send_answer(
                    answer, call, send, [*headers, *told, *_paging(call, answer, address.data(form)), *_cut(answer)]
                )

    async def _page(self, call: Call, receive: Receive, send: Send) -> None:
        """The same for people."""
        address, _ = document_at(call.raw_path)
        job = replace(await self._job(call, address, PORTRAIT.media_type), gzip=False, head_only=False)
        is_of_today = "duties" in _chosen_of(call, "show", MORE_TO_SHOW)
        tag = _tag(job) + (f"-{datetime.now(UTC).date().isoformat()}" if is_of_today else "")
        told = [*self._links(address), *await self._mementos.headers(call, job.commit)]
        async with self._reading(job, tag, call, address, receive) as (answer, headers):
            if answer is None:
                await send_not_modified(send, [*headers, *told])
            elif answer.head.form == MOVED:
                await _redirect(call, send, 301, (await self._moved(address, answer)).page)
            else:
                cut = _cut(answer)
                portrait = json.loads(await _body(answer))
                shown = {"commit": answer.head.commit, "most": MOST_NESTED if cut else 0, "stance": _stance(call, portrait)}
                shown |= {
                    "draws_all": _chosen_of(call, "around", (ALL,)) == [ALL],
                    **await self._more(call, portrait, answer.head.commit),
                }
                page = await self._views.page(address, portrait, shown)
                await send_page(send, call, page, [*headers, *told, *_paging(call, answer, address.page), *cut])

    async def _more(self, call: Call, portrait: dict[str, Any], commit: int) -> dict[str, object]:
        """What takes longer than the page itself and is shown where it is asked for. Raises BadRequest."""
        wanted = _chosen_of(call, "show", MORE_TO_SHOW)
        found: dict[str, object] = dict.fromkeys(MORE_TO_SHOW)
        if "duties" in wanted and portrait["duties"] and commit == self._store.commit:
            found["duties"] = await self._duties.duties(portrait["duties"])
        if "history" in wanted:
            window = Window(None, commit, COMMITS_SHOWN, commit, iri=portrait["iri"])
            found["history"] = await commits_of(self._store, window)
        return found

    async def _job(self, call: Call, address: Address, media_type: str) -> Job:
        """What a reader is asked for a request. Raises BadRequest or NotFound."""
        at, page, context = moment(call), said(call, "page") or "1", said(call, "context")
        if not (page.isascii() and page.isdigit() and len(page) < 10 and int(page)):
            raise BadRequest(f"page={page[:40]!r} is no page; they are counted from 1.")
        if context not in CONTEXTS:
            raise BadRequest(
                f"context={context[:40]!r} is nothing to choose: a JSON-LD document holds its context with 'inline'."
            )
        asked = Asked(
            address.iris(self._settings.base),
            int(page),
            languages(call.header(b"accept-language")),
            call.origin if media_type == JSONLD.media_type else "",
            context == "inline",
        )
        return Job(
            "describe",
            asked.text,
            base=self._settings.base,
            graphs=media_type,
            union=self._settings.is_union,
            gzip=accepts_gzip(call.header(b"accept-encoding")),
            max_bytes=self._max_bytes,
            commit=await self._store.at(at) if at else 0,
        )

    @asynccontextmanager
    async def _reading(
        self, job: Job, tag: str, call: Call, address: Address, receive: Receive
    ) -> AsyncIterator[tuple[Answer | None, list[tuple[bytes, bytes]]]]:
        """As `current`, with more to say about a thing that is not there. Raises Gone or NotFound."""
        try:
            async with current(self._store, job, tag, call, receive) as (answer, told):
                if answer is not None and answer.head.form.startswith(POINTED):
                    gone = await self._gone(job)
                    if gone is not None:
                        raise gone
                yield answer, told
        except NotFound as absent:
            if Asked.of(job.text).page > 1:
                raise
            raise await self._absent(address, job, absent) from absent

    async def _absent(self, address: Address, job: Job, absent: NotFound) -> Refusal:
        """What to say of a thing of which nothing is said: the commit that removed it, or the things with names like it."""
        gone = await self._gone(job)
        if gone is not None:
            return gone
        near = await self._near(address)
        return NotFound(absent.detail + (" The nearest names are listed." if near else ""), near=near)

    async def _near(self, address: Address) -> list[dict[str, str]]:
        """The things with names most like one that there is not; none while the names are not known yet."""
        try:
            _, body = await self._store.found("near", start=address.kind, slug=unquote(address.slug))
        except Unavailable:
            return []
        found: list[dict[str, str]] = json.loads(body)["near"]
        return found

    async def _gone(self, job: Job) -> Gone | None:
        """The refusal of a thing that was there once."""
        for iri in Asked.of(job.text).iris if self._store.keeps_history else ():
            removal = await self._removals.removed_by(iri, job.commit)
            if removal is not None:
                detail = f"Nothing is said of <{iri}> any more: commit {removal['id']} removed the last of it."
                return Gone(detail, commit=removal["id"], time=removal["time"], change=f"/changes/{removal['id']}")
        return None

    async def _moved(self, address: Address, answer: Answer) -> Address:
        """The address that a renamed or merged thing has now. Raises NotFound if that is none of ours."""
        iri = (await _body(answer)).decode()
        target = moved(address, iri, self._settings.base)
        if target is None:
            raise NotFound(f"Nothing is said here of this thing but that <{iri}> took its place.", replaced_by=iri)
        return target

    def _links(self, address: Address, form: Format | None = None) -> list[tuple[bytes, bytes]]:
        """The headers that tell where else there is something about a thing, besides a format (None: its page, or itself)."""
        return [(b"link", _links(address, form, self._settings.base, self._licence)), BY_LANGUAGE]


@lru_cache(maxsize=4096)
def _links(address: Address, form: Format | None, base: str, licence: str) -> bytes:
    found = [f'<{address.iris(base)[0]}>; rel="describes"', f'<{address.data(form) if form else address.page}>; rel="canonical"']
    found += [
        f'<{address.data(other)}>; rel="{"alternate" if form else "alternate describedby"}"; type="{other.media_type}"'
        for other in FORMATS
        if other is not form
    ]
    if form:
        found.append(f'<{address.page}>; rel="alternate"; type="{HTML}"')
    if licence:
        found.append(f'<{licence}>; rel="license"')
    return ", ".join(found).encode()


def _chosen(call: Call, address: Address) -> str:
    """Where the client of a thing is sent. Raises NotAcceptable."""
    accept = call.header(b"accept")
    if prefers_html(accept):
        return address.page
    form = choose(accept, FORMATS)
    if form is None:
        raise NotAcceptable(
            f"Nothing of {accept[:200]!r} can be had. There is a page ({HTML}), and {listing(FORMATS)}.",
            available=[HTML, *AVAILABLE],
        )
    return address.data(form)


def _paging(call: Call, answer: Answer, path: str) -> Headers:
    """Links to the pages before and after this one."""
    page = int(said(call, "page") or "1")
    found = []
    if page > 1:
        found += [f'<{path}>; rel="first"', f'<{path}{f"?page={page - 1}" if page > 2 else ""}>; rel="prev"']
    if answer.head.form.endswith(MORE):
        found.append(f'<{path}?page={page + 1}>; rel="next"')
    return [(b"link", ", ".join(found).encode())] if found else []


def _cut(answer: Answer) -> Headers:
    """That some of what is nested is left out: of each kind there is as much as the header says."""
    return [(b"x-nested-cut", str(MOST_NESTED).encode())] if CUT in answer.head.form else []


def _stance(call: Call, portrait: dict[str, Any]) -> str:
    """Which claims alone are wanted. Raises BadRequest."""
    asked = said(call, "stance")
    known = [chip["key"] for chip in portrait["chips"]]
    if asked and asked not in known:
        there = f"there are {', '.join(known)}" if known else "there are no claims"
        raise BadRequest(f"stance={asked[:40]!r} is no mark of a claim on this page; {there}.")
    return asked or ""


def _chosen_of(call: Call, name: str, choices: Sequence[str]) -> list[str]:
    """The values of a parameter that may be given again. Raises BadRequest."""
    asked = query_parameters(call).get(name, [])
    for value in asked:
        if value not in choices:
            raise BadRequest(f"{name}={value[:40]!r} is nothing to choose; there is {' and '.join(choices)}.")
    return asked


def _tag(job: Job) -> str:
    """What tells an answer from others of the same commit."""
    return blake2b(repr((job.text, job.graphs, job.gzip, __version__)).encode(), digest_size=9).hexdigest()


def _with_query(call: Call, path: str) -> bytes:
    return path.encode() + (b"?" + call.query_string if call.query_string else b"")


async def _redirect(call: Call, send: Send, status: int, path: str, headers: Headers = ()) -> None:
    """Sends the client elsewhere on this service; what it asked for goes with it."""
    where = _with_query(call, path)
    told = [(b"location", where), (b"content-type", b"text/plain; charset=utf-8"), VARY, *headers]
    await send_bytes(send, status, told, b"See " + where + b"\n", with_body=call.method != "HEAD")


async def _body(answer: Answer) -> bytes:
    return b"".join([piece async for piece in answer.pieces()])
