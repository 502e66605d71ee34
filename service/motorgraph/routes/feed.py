"""`/feed`: the changes of the graph as a Linked Data Event Stream, and `/version/…`: one of its members."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import pyoxigraph as ox

from motorgraph.conditions import FOR_EVER, etag_of, is_known, send_not_modified
from motorgraph.engine.archive import CLERK
from motorgraph.engine.wire import Job
from motorgraph.errors import Failed, MethodNotAllowed, NotAcceptable, NotFound, NotReady, Overloaded, QueueFull
from motorgraph.feed import GENERATED, Block, Blocks, Stream, Wanted, block_link
from motorgraph.media import Format, accepts_gzip, choose, listing, prefers_html
from motorgraph.openapi import TEXT, parameter, responses
from motorgraph.pages import Pages
from motorgraph.protocol import Call, Receive, absolute
from motorgraph.reply import VARY, Departure, Headers, Send, answer_headers, send_answer, send_bytes, send_page
from motorgraph.settings import Settings
from motorgraph.stores.embedded import Embedded
from motorgraph.tree import FORMATS, content_type, node, origin, write

METHODS = "GET, HEAD, OPTIONS"
KEPT_BYTES = 16 << 20
GZIP_FROM_BYTES = 1024
LATEST = 20
_NUMBER = {"type": "integer", "minimum": 1}
_PAGE = re.compile(r"/feed(?:/(?P<index>index/)?(?P<first>[1-9][0-9]{0,14})(?:/(?P<part>[1-9][0-9]{0,8}))?)?")
_VERSION = re.compile(r"/version/(?P<commit>[1-9][0-9]{0,14})/(?P<path>.+)")


@dataclass(frozen=True, slots=True)
class Asked:
    """How a page is wanted: its path, its format, whether packed, and where the service is as its client sees it."""

    path: str
    form: Format
    gzip: bool
    at: str

    @classmethod
    def of(cls, call: Call) -> Asked:
        """What a request asks for. Raises NotAcceptable or BadRequest."""
        form = choose(call.header(b"accept"), FORMATS)
        if form is None:
            raise NotAcceptable(f"A page can be had as {listing(FORMATS)}.", available=[f.media_type for f in FORMATS])
        address = absolute(call.url.removesuffix(call.path), "Host")
        return cls(_path(call), form, accepts_gzip(call.header(b"accept-encoding")), origin(form, address))

    @property
    def tag(self) -> str:
        """What tells this form of a page from its others."""
        return f"feed-{self.form.suffix}-{'gz' if self.gzip else 'id'}"


@dataclass(frozen=True, slots=True)
class Visit:
    """A request, and how it is answered."""

    call: Call
    receive: Receive
    send: Send


class Kept:
    """Pages that will never be others, as they were sent; of more than KEPT_BYTES the one that was used longest ago goes."""

    def __init__(self) -> None:
        self._pages: OrderedDict[Asked, tuple[Headers, bytes]] = OrderedDict()
        self._bytes = 0

    def get(self, asked: Asked) -> tuple[Headers, bytes] | None:
        """The headers and the body of a page."""
        found = self._pages.get(asked)
        if found is not None:
            self._pages.move_to_end(asked)
        return found

    def put(self, asked: Asked, page: tuple[Headers, bytes]) -> None:
        """Keeps a page."""
        if len(page[1]) > KEPT_BYTES // 4 or asked in self._pages:
            return
        self._pages[asked] = page
        self._bytes += len(page[1])
        while self._bytes > KEPT_BYTES:
            self._bytes -= len(self._pages.popitem(last=False)[1][1])


class Feed:
    """The event stream."""

    methods = METHODS

    def __init__(self, store: Embedded, settings: Settings, pages: Pages) -> None:
        self._store = store
        self._stream = Stream(settings.base)
        self._pages = pages
        self._limits = settings.limits()
        self._blocks = Blocks()
        self._reading = asyncio.Lock()
        self._kept = Kept()
        self._page: tuple[int, str, bytes] = (0, "", b"")

    def paths(self) -> dict[str, object]:
        """What it answers, as OpenAPI has it."""
        types = [form.media_type for form in FORMATS]
        first, part = _in_path("first", "The first commit below the page."), _in_path("part", "The number of the part, from 1.")
        commit, path = _in_path("commit", "The commit."), _in_path("path", "The entity's IRI behind the base.", TEXT)
        refused = ("304", "404", "406", "429", "500", "503")

        def told(summary: str, *parameters: object, html: bool = False) -> dict[str, object]:
            done = {"200": [*types, "text/html"] if html else types}
            answers = responses(done, *refused) | {"304": {"description": "The client's copy is still right."}}
            return {"get": {"summary": summary, "tags": ["feed"], "parameters": list(parameters), "responses": answers}}

        return {
            "/feed": told("The event stream of all changes", html=True),
            "/feed/shape": told("The shape of its members"),
            "/feed/index/{first}": told("A hundred blocks of it", first),
            "/feed/{first}": told("A block of commits", first),
            "/feed/{first}/{part}": told("Members", first, part),
            "/version/{commit}/{path}": told("One member", commit, path, html=True),
        }

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""
        if call.method not in ("GET", "HEAD"):
            raise MethodNotAllowed(call.method, METHODS)
        if not self._store.is_ready:
            raise NotReady("The graph is being loaded; /ready says when it is there.")
        visit, commit = Visit(call, receive, send), self._store.commit
        try:
            await self._read_on(commit)
            if _path(call).startswith("/version/"):
                await self._version(visit)
            elif _path(call) == "/feed" and prefers_html(call.header(b"accept")):
                await self._html(commit, call, send)
            else:
                await self._node(visit)
        except QueueFull as full:
            raise Overloaded(full.detail) from full

    async def _read_on(self, commit: int) -> None:
        """Takes the commits since the last time into the blocks."""
        async with self._reading:
            while self._blocks.newest < commit:
                rows = await self._store.archive.ask("rows", after=self._blocks.newest, upto=commit)
                if not rows:
                    raise Failed(f"The journal does not have commit {self._blocks.newest + 1}, which was acknowledged.")
                for row in rows:
                    self._blocks.add(*row)

    async def _node(self, visit: Visit) -> None:
        asked = Asked.of(visit.call)
        if asked.path == "/feed/shape":
            await self._send(self._stream.shape(asked.at), asked, (self._blocks.newest, False), visit)
            return
        found = _PAGE.fullmatch(asked.path)
        if found is None or (found["index"] and found["part"]):
            raise NotFound(f"There is no page {asked.path[:80]}. /feed leads to all that there are.")
        first = int(found["first"] or 0)
        if not first:
            told, newest = self._stream.root(self._blocks.links, asked.at), self._blocks.newest
            await self._send(told, asked, (newest, False), visit)
        elif found["index"]:
            blocks = self._blocks.index(first)
            if not blocks:
                raise NotFound(f"There is no index that begins with commit {first}. /feed leads to all that there are.")
            links, is_fixed = map(block_link, blocks), self._store.keeps_history
            page = ox.NamedNode(asked.at + asked.path)
            told = node(page, links, asked.at, GENERATED, is_fixed=is_fixed)
            await self._send(told, asked, (blocks[-1].last, is_fixed), visit)
        else:
            block = self._block(first)
            wanted = replace(self._wanted(block), part=int(found["part"] or 0))
            await self._ask("part" if wanted.part else "block", wanted, visit)

    def _block(self, first: int) -> Block:
        """The block that begins with a commit. Raises NotFound."""
        block = self._blocks.holding(first)
        if block is None:
            raise NotFound(f"There is no commit {first} yet; the newest is {self._blocks.newest}.")
        if block.first != first:
            raise NotFound(f"Commit {first} is in the block /feed/{block.first}.")
        return block

    def _wanted(self, block: Block) -> Wanted:
        """What the clerk has to know of a block."""
        keeps = self._store.keeps_history
        return Wanted(self._stream.base, block.first, block.last, block.before, is_full=block.is_full, keeps=keeps)

    async def _version(self, visit: Visit) -> None:
        path = _path(visit.call)
        found = _VERSION.fullmatch(path)
        commit = int(found["commit"]) if found else 0
        block = self._blocks.holding(commit)
        if found is None or block is None:
            known = f"with a commit from 1 to {self._blocks.newest}"
            raise NotFound(f"There is no version {path[:200]}; say /version/COMMIT/PATH, {known}.")
        entity = absolute(self._stream.entity(found["path"]), "path")
        wanted = replace(self._wanted(block), upto=commit, entity=entity)
        if prefers_html(visit.call.header(b"accept")):
            await self._version_html(wanted, visit.call, visit.send)
        else:
            await self._ask("version", wanted, visit)

    # How they are sent

    async def _ask(self, task: str, wanted: Wanted, visit: Visit) -> None:
        """Sends a page that the clerk makes, or that has been kept."""
        call, asked = visit.call, Asked.of(visit.call)
        kept = self._kept.get(asked)
        etag = dict(kept[0])[b"etag"] if kept else etag_of(self._store, wanted.upto, asked.tag)
        if is_known(call, etag):
            headers = kept[0] if kept else _headers(wanted.upto, etag, is_fixed=wanted.is_full and wanted.keeps)
            await send_not_modified(visit.send, [h for h in headers if h[0] != VARY[0] and not h[0].startswith(b"content-")])
        elif kept:
            await send_bytes(visit.send, 200, kept[0], kept[1], with_body=call.method != "HEAD")
        else:
            job = Job(
                task,
                json.dumps(asdict(wanted)),
                asked.at,
                graphs=content_type(asked.form),
                head_only=call.method == "HEAD",
                gzip=asked.gzip,
                max_bytes=self._limits.answer_bytes,
                commit=wanted.upto,
            )
            async with Departure(visit.receive):
                await self._answer(job, asked, etag, visit)

    async def _answer(self, job: Job, asked: Asked, etag: bytes, visit: Visit) -> None:
        """Sends what the clerk answers, and keeps it if it will never be another and is short enough."""
        answer = await self._store.archive.answer(job, holds=CLERK)
        try:
            is_fixed = answer.head.form == "fixed"
            headers = _headers(job.commit, etag, is_fixed=is_fixed)
            if is_fixed and answer.body is not None and not job.head_only:
                self._kept.put(asked, (answer_headers(answer, headers), answer.body))
            await send_answer(answer, visit.call, visit.send, headers)
        finally:
            self._store.archive.release(answer)

    async def _send(self, told: Iterator[ox.Triple], asked: Asked, state: tuple[int, bool], visit: Visit) -> None:
        """Sends a page that is made here; its `state` is a commit, and whether it is fixed."""
        commit, is_fixed = state
        etag = etag_of(self._store, commit, asked.tag)
        headers = _headers(commit, etag, is_fixed=is_fixed)
        if is_known(visit.call, etag):
            await send_not_modified(visit.send, headers)
            return
        out = io.BytesIO()
        write(told, out, asked.form.media_type, asked.at + asked.path)
        body = out.getvalue()
        if asked.gzip and len(body) >= GZIP_FROM_BYTES:
            body = gzip.compress(body, 1, mtime=0)
            headers.append((b"content-encoding", b"gzip"))
        headers.append((b"content-type", content_type(asked.form).encode()))
        await send_bytes(visit.send, 200, [*headers, VARY], body, with_body=visit.call.method != "HEAD")

    # For people

    async def _html(self, commit: int, call: Call, send: Send) -> None:
        """What the feed is, how to follow it, and what has come last."""
        etag = etag_of(self._store, commit, "feed-html")
        if is_known(call, etag):
            await send_not_modified(send, _headers(commit, etag, is_fixed=False))
            return
        if self._page[:2] != (commit, call.url):
            latest = await self._store.archive.ask("latest", upto=commit, most=LATEST)
            page = await self._pages.page("feed.html", feed=call.url, latest=self._linked(latest), commits=self._blocks.newest)
            self._page = (commit, call.url, page)
        await send_page(send, call, self._page[2], _headers(commit, etag, is_fixed=False))

    def _link(self, entity: str) -> str:
        """Where an entity is, "" if no browser can go there."""
        rest = entity.removeprefix(self._stream.base + "/")
        return f"/{rest}" if rest != entity else entity if entity.startswith(("http://", "https://")) else ""

    def _linked(self, latest: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:  # Any: JSON
        """The newest members by commit, each with its address."""
        commits: dict[int, dict[str, Any]] = {}
        for member in latest:
            found = commits.setdefault(member["commit"], {**member, "members": []})
            link = self._stream.version(member["entity"], member["commit"]).value.removeprefix(self._stream.base)
            found["members"].append({"entity": member["entity"], "kind": member["kind"], "link": link})
        return list(commits.values())

    async def _version_html(self, wanted: Wanted, call: Call, send: Send) -> None:
        """A version as a page: when it came to be, and what it says, as Turtle."""
        etag = etag_of(self._store, wanted.upto, "version-html")
        if is_known(call, etag):
            await send_not_modified(send, _headers(wanted.upto, etag, is_fixed=False))
            return
        job = Job("version", json.dumps(asdict(wanted)), "", graphs="text/turtle", max_bytes=KEPT_BYTES, commit=wanted.upto)
        answer = await self._store.archive.answer(job, holds=CLERK)
        try:
            text = b"".join([piece async for piece in answer.pieces()]).decode()
        finally:
            self._store.archive.release(answer)
        page = await self._pages.page(
            "version.html", entity=wanted.entity, link=self._link(wanted.entity), commit=wanted.upto, text=text
        )
        await send_page(send, call, page, _headers(wanted.upto, etag, is_fixed=False))


def _path(call: Call) -> str:
    """The path as it was sent, still encoded."""
    return call.raw_path.decode("latin-1").partition("?")[0]


def _in_path(name: str, words: str, schema: object = _NUMBER) -> dict[str, object]:
    return parameter(name, words, place="path", schema=schema) | {"required": True}


def _headers(commit: int, etag: bytes, *, is_fixed: bool) -> list[tuple[bytes, bytes]]:
    """The headers of a page as it was after a commit."""
    return [(b"x-commit", b"%d" % commit), (b"etag", etag), (b"cache-control", FOR_EVER if is_fixed else b"no-cache")]
