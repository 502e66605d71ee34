"""`/timegate/…` and `/timemap/…`: from a time to how a resource was then, and the list of all that it was (RFC 7089)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from motorgraph.conditions import has_it_already, versioned
from motorgraph.errors import MethodNotAllowed, NotAcceptable, NotFound
from motorgraph.media import JSON as RESULTS
from motorgraph.media import Format, choose, listing
from motorgraph.memento import LINKS, TIMEGATE, TIMEMAP, Mementos, Moments, Original, below, http_date, original, wanted_time
from motorgraph.openapi import parameter, responses
from motorgraph.protocol import Call, Receive
from motorgraph.reply import VARY, Departure, Send, send_bytes
from motorgraph.settings import Settings
from motorgraph.stores.embedded import Embedded

METHODS = "GET, HEAD, OPTIONS"
LINK_FORMAT = Format("link format", LINKS, "link")
JSON = Format("JSON", "application/json", "json", (RESULTS.media_type,))
FORMATS = (LINK_FORMAT, JSON)
_PAGE = re.compile(r"/timemap/([0-9]{1,9})(?=/)")


class TimeGate:
    """Sends a client to how a resource was at the time that it names."""

    methods = METHODS

    def __init__(self, store: Embedded, settings: Settings, mementos: Mementos) -> None:
        self._store = store
        self._base = settings.base
        self._mementos = mementos

    def paths(self) -> Mapping[str, object]:
        """What it answers, as OpenAPI has it."""
        time = parameter("Accept-Datetime", "The time, such as `Sun, 22 Nov 2026 18:00:00 GMT`; without it now.", place="header")
        found = responses({"302": ()}, "400", "404", "503")
        operation = {
            "summary": "How a resource was at a time",
            "tags": ["history"],
            "parameters": [_TARGET, time],
            "responses": found,
        }
        return {"/timegate/{target}": {"get": operation}}

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""
        _require_read(call)
        self._store.require_ready()
        of = original(below(call, TIMEGATE, self._base), self._base)
        async with Departure(receive):
            moments = await self._mementos.moments(of, time=wanted_time(call))
        where = of.memento(moments["at"][0]).encode()
        headers = [
            (b"location", where),
            (b"vary", b"accept-datetime"),
            (b"link", _links(of, moments).encode()),
            (b"cache-control", b"no-cache"),
            (b"content-type", b"text/plain; charset=utf-8"),
        ]
        await send_bytes(send, 302, headers, b"See " + where + b"\n", with_body=call.method != "HEAD")


class TimeMap:
    """Lists the mementos of a resource, a thousand at once."""

    methods = METHODS

    def __init__(self, store: Embedded, settings: Settings, mementos: Mementos) -> None:
        self._store = store
        self._base = settings.base
        self._mementos = mementos

    def paths(self) -> Mapping[str, object]:
        """What it answers, as OpenAPI has it."""
        found = responses({"200": [form.media_type for form in FORMATS]}, "404", "406", "503")
        operation = {"summary": "All states of a resource", "tags": ["history"], "parameters": [_TARGET], "responses": found}
        return {"/timemap/{target}": {"get": operation}}

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""
        _require_read(call)
        self._store.require_ready()
        form = choose(call.header(b"accept"), FORMATS)
        if form is None:
            raise NotAcceptable(f"A TimeMap can be had as {listing(FORMATS)}.", available=[f.media_type for f in FORMATS])
        commit = self._store.commit
        tag = f"timemap-{form.suffix}"
        if await has_it_already(self._store, commit, tag, call, send):
            return
        match = _PAGE.match(call.raw_path.decode("latin-1"))
        of = original(below(call, match[0] if match else TIMEMAP, self._base), self._base)
        page = int(match[1]) if match else 0
        async with Departure(receive):
            moments = await self._mementos.moments(of, page=page)
        if not moments["moments"]:
            raise NotFound(f"There is no page {page} of this TimeMap; there are 1 to {len(moments['pages'])}.")
        body = orjson.dumps(_as_json(of, moments)) if form is JSON else ",\n".join(_listed(of, moments, page)).encode() + b"\n"
        headers = [(b"content-type", form.media_type.encode()), VARY, *versioned(self._store, commit, tag)]
        await send_bytes(send, 200, headers, body, with_body=call.method != "HEAD")


def _require_read(call: Call) -> None:
    if call.method not in METHODS.split(", "):
        raise MethodNotAllowed(call.method, METHODS)


def _memento(of: Original, moment: tuple[int, str], relation: str) -> str:
    commit, time = moment
    return f'<{of.memento(commit)}>; rel="{relation}"; datetime="{http_date(time)}"'


def _links(of: Original, moments: Moments) -> str:
    """What a TimeGate says beside where to go (§4.1): original, TimeMap, the mementos at both ends and beside the chosen."""
    relations: dict[int, list[str]] = {}
    times = {}
    for name, relation in (("first", "first"), ("last", "last"), ("before", "prev"), ("after", "next"), ("at", "")):
        if name in moments:
            commit, times[moments[name][0]] = moments[name]
            relations.setdefault(commit, []).append(relation)
    found = [
        _memento(of, (commit, times[commit]), " ".join([*filter(None, named), "memento"]))
        for commit, named in sorted(relations.items())
    ]
    return ", ".join([f'<{of.uri}>; rel="original"', f'<{of.timemap()}>; rel="timemap"; type="{LINKS}"', *found])


def _listed(of: Original, moments: Moments, page: int) -> Iterator[str]:
    """A TimeMap (§5): where it is about what, the mementos of this page, and the other pages."""
    pages, shown = moments["pages"], moments["moments"]
    here = page or len(pages)
    yield f'<{of.uri}>; rel="original"'
    yield f'<{of.timegate}>; rel="timegate"'
    yield f'<{of.timemap(page)}>; rel="self"; type="{LINKS}"; {_span(shown[0], shown[-1])}'
    for number, (first, last) in enumerate(pages, 1):
        if number != here:
            yield f'<{of.timemap(number)}>; rel="timemap"; type="{LINKS}"; {_span(first, last)}'
    for moment in shown:
        ends = [name for name in ("first", "last") if moment == moments[name]]
        yield _memento(of, moment, " ".join([*ends, "memento"]))


def _span(first: tuple[int, str], last: tuple[int, str]) -> str:
    return f'from="{http_date(first[1])}"; until="{http_date(last[1])}"'


def _as_json(of: Original, moments: Moments) -> dict[str, Any]:  # Any: free JSON
    """The same in the JSON that web archives use."""

    def entry(moment: tuple[int, str]) -> dict[str, Any]:
        return {"datetime": moment[1], "uri": of.memento(moment[0]), "commit": moment[0]}

    found: dict[str, Any] = {
        "original_uri": of.uri,
        "timegate_uri": of.timegate,
        "timemap_uri": {"link_format": of.timemap(), "json_format": of.timemap()},
        "mementos": {name: entry(moments[name]) for name in ("first", "last")} | {"list": list(map(entry, moments["moments"]))},
    }
    if len(moments["pages"]) > 1:
        found["pages"] = [
            {"uri": of.timemap(number), "from": first[1], "until": last[1]}
            for number, (first, last) in enumerate(moments["pages"], 1)
        ]
    return found


_TARGET = parameter("target", "The address of the resource on this service, from its path on.", place="path") | {"required": True}
