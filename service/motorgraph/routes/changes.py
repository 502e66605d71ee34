"""`/changes`: every commit, what it did as an RDF patch, and what lies between two."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

import orjson

from motorgraph import __version__
from motorgraph.address import local
from motorgraph.changes import LIMIT, Json, Window, linked, numbered, shown
from motorgraph.commits import MOST_COMMITS
from motorgraph.conditions import has_it_already, versioned
from motorgraph.difference import MOST_LINES, Differences, Term
from motorgraph.engine.archive import CLERK
from motorgraph.engine.wire import Job
from motorgraph.errors import BadRequest, MethodNotAllowed, NotAcceptable, NotFound
from motorgraph.media import HTML, Format, accepts_gzip, choose, listing, prefers_html
from motorgraph.media import PLAIN_JSON as JSON
from motorgraph.openapi import parameter, responses
from motorgraph.pages import Pages
from motorgraph.protocol import Call, Receive, query_parameters
from motorgraph.rdfpatch import MEDIA_TYPE as PATCH_TYPE
from motorgraph.reply import VARY, Departure, Headers, Send, send_answer, send_bytes, send_page
from motorgraph.settings import Settings
from motorgraph.stores.embedded import Embedded

METHODS = "GET, HEAD, OPTIONS"
PATCH = Format("RDF Patch", PATCH_TYPE, "rdfp", ("text/rdf-patch",))
PAGE = Format("page", HTML, "html")
FORMATS = (JSON, PATCH)
_PATH = re.compile(r"/changes/([0-9]{1,15})(?:\.\.([0-9]{1,15}))?(?:\.(json|rdfp))?")


@dataclass(frozen=True, slots=True)
class Asked:
    """One commit, or with an `end` what lies between it and that one, in a format."""

    start: int
    end: int | None
    form: Format


class Changes:
    """The commits, from the journal or, without one, the start of the service as the only one."""

    methods = METHODS

    def __init__(self, store: Embedded, settings: Settings, pages: Pages) -> None:
        self._store = store
        self._settings = settings
        self._limits = settings.limits()
        self._pages = pages
        self._differences = Differences(store, settings.base)

    def paths(self) -> Mapping[str, object]:
        """What it answers, as OpenAPI has it."""
        return changes_paths()

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""
        if call.method not in METHODS.split(", "):
            raise MethodNotAllowed(call.method, METHODS)
        self._store.require_ready()
        match = _PATH.fullmatch(call.path)
        if match is not None:
            asked = Asked(int(match[1]), int(match[2]) if match[2] else None, _form(call, match[3]))
            await (self._commit if asked.end is None else self._between)(asked, call, receive, send)
        elif call.path in ("/changes", "/changes/"):
            await self._list(call, send)
        elif call.path == "/changes/compare":
            await self._send_on(call, send)
        else:
            raise NotFound(
                f"There is nothing at {call.path[:80]}. /changes/12 is a commit, /changes/3..12 what lies between two."
            )

    async def _list(self, call: Call, send: Send) -> None:
        is_page = prefers_html(call.header(b"accept"))
        if not is_page and choose(call.header(b"accept"), (JSON,)) is None:
            raise NotAcceptable(f"The commits can be had as {JSON.media_type}, or as a page.", available=[JSON.media_type, HTML])
        newest = self._store.commit
        window = Window.of(call, newest)
        tag = _tag("list", (window, is_page), call)
        if await has_it_already(self._store, newest, tag, call, send):
            return
        found = await shown(self._store, window)
        headers = versioned(self._store, newest, tag)
        if is_page:
            graph = self._differences.graph(window.graph) if window.graph else None
            page = await self._pages.page(
                "changes.html", shown=found, graph=graph, thing=self._thing(window.iri), graphs=self._named(found.commits)
            )
            await send_page(send, call, page, headers)
            return
        told = self._about | {"newest": newest, "commits": [linked(commit, call.origin) for commit in found.commits]}
        links = {"self": f"{call.origin}{call.path}{'?' + call.query_string.decode('latin-1') if call.query_string else ''}"}
        links |= {name: call.origin + path for name, path in found.pages.items()}
        await _send_json(told | {"links": links}, call, send, headers)

    @property
    def _about(self) -> Json:
        """Which history it is, of whose graph, and how that is served: a replica does likewise."""
        mode = {"plain": self._settings.plain, "default_graph": "union" if self._settings.is_union else "separate"}
        return {"lineage": self._store.lineage, "base": self._settings.base} | mode | {"version": __version__}

    def _thing(self, iri: str) -> Term | None:
        """The thing whose commits are listed, and where its page is."""
        return Term(iri.removeprefix(f"{self._settings.base}/"), local(iri, self._settings.base), iri) if iri else None

    def _named(self, commits: Sequence[Json]) -> dict[str, Term]:
        """The graphs that commits name, for a page."""
        names = (iri for commit in commits for iri in (*commit["graphs"], *commit["made"], *commit["dropped"]))
        return {iri: self._differences.graph(iri) for iri in names}

    async def _commit(self, asked: Asked, call: Call, receive: Receive, send: Send) -> None:
        number = asked.start
        self._require(number)
        if asked.form is PATCH:
            await self._send_patch(Job("patch", commit=number), number, call, receive, send)
        elif asked.form is PAGE:
            await self._send_commit_page(number, call, receive, send)
        else:
            tag = _tag("commit", number, call)
            if not await has_it_already(self._store, number, tag, call, send, is_fixed=True):
                (found,) = await self._store.commits(after=number - 1, upto=number)
                told = versioned(self._store, number, tag, is_fixed=True)
                await _send_json(self._about | linked(found, call.origin), call, send, told)

    async def _send_commit_page(self, number: int, call: Call, receive: Receive, send: Send) -> None:
        newest = self._store.commit
        tag = _tag("page", number, call)
        if await has_it_already(self._store, newest, tag, call, send):
            return
        async with Departure(receive):
            (found,) = await self._store.commits(after=number - 1, upto=number)
            groups = await self._differences.of_commit(number)
        names = self._named([found])
        page = await self._pages.page("change.html", commit=found, groups=groups, graphs=names, newest=newest, most=MOST_LINES)
        await send_page(send, call, page, versioned(self._store, newest, tag))

    async def _between(self, asked: Asked, call: Call, receive: Receive, send: Send) -> None:
        start, end = asked.start, asked.end or 0
        for number in (start, end):
            self._require(number, least=0)
        last = max(start, end, 1)
        wanted = {"after": start, "upto": end}
        if asked.form is PATCH:
            await self._send_patch(Job("diff", json.dumps(wanted)), last, call, receive, send)
            return
        if asked.form is PAGE:
            await self._send_difference_page(start, end, call, receive, send)
            return
        tag = _tag("diff", wanted, call)
        if await has_it_already(self._store, last, tag, call, send, is_fixed=True):
            return
        async with Departure(receive):
            counts = await self._store.archive.ask("compare", **wanted)
        address = f"{call.origin}/changes/{start}..{end}"
        found = self._about | counts | {"links": {"self": address, "patch": f"{address}.rdfp"}}
        await _send_json(found, call, send, versioned(self._store, last, tag, is_fixed=True))

    async def _send_difference_page(self, start: int, end: int, call: Call, receive: Receive, send: Send) -> None:
        newest = self._store.commit
        tag = _tag("page", (start, end), call)
        if await has_it_already(self._store, newest, tag, call, send):
            return
        async with Departure(receive):
            counts = await self._store.archive.ask("compare", after=start, upto=end)
            groups = await self._differences.between(start, end)
        names = self._named([counts])
        page = await self._pages.page(
            "difference.html", counts=counts, groups=groups, graphs=names, newest=newest, most=MOST_LINES
        )
        await send_page(send, call, page, versioned(self._store, newest, tag))

    async def _send_on(self, call: Call, send: Send) -> None:
        """From the form that chooses two commits to what lies between them."""
        given = query_parameters(call)
        start, end = (numbered(given, name) for name in ("from", "to"))
        if start is None or end is None:
            raise BadRequest("Say which two commits: /changes/compare?from=3&to=12 leads to what lies between.")
        where = f"/changes/{start}..{end}".encode()
        headers = [(b"location", where), (b"content-type", b"text/plain; charset=utf-8")]
        await send_bytes(send, 303, headers, b"See " + where + b"\n", with_body=call.method != "HEAD")

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


def _form(call: Call, suffix: str | None) -> Format:
    """The format by the address, or else by Accept. Raises NotAcceptable."""
    if suffix is not None:
        return next(form for form in FORMATS if form.suffix == suffix)
    if prefers_html(call.header(b"accept")):
        return PAGE
    form = choose(call.header(b"accept"), FORMATS)
    if form is None:
        raise NotAcceptable(
            f"A commit can be had as {listing(FORMATS)}, or as a page.", available=[*(f.media_type for f in FORMATS), HTML]
        )
    return form


def _tag(kind: str, about: object, call: Call) -> str:
    """What tells an answer with links on this host from others about the same commit."""
    return f"{kind}-{blake2b(repr((about, call.origin, __version__)).encode(), digest_size=6).hexdigest()}"


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
    both = (JSON.media_type, PATCH.media_type, HTML)

    def place(name: str, words: str) -> dict[str, object]:
        return parameter(name, words, place="path", schema=number) | {"required": True}

    listed = [parameter(name, words, schema=number) for name, words in window.items()]
    listed.append(parameter("graph", "Only those that changed the named graph with this IRI."))
    listed.append(parameter("iri", "Only those that removed or added a statement with this IRI as subject, object or graph."))
    of_two = place("start", "A commit; 0 is the time before the first."), place("end", "Another, newer or older.")
    return {
        "/changes": get("The commits, oldest first", (JSON.media_type, HTML), *listed),
        "/changes/{commit}": get("A commit, or what it did", both, place("commit", "Its number.")),
        "/changes/{start}..{end}": get("What lies between two commits", both, *of_two),
    }
