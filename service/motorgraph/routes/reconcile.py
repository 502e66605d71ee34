"""`/reconcile`: the Reconciliation Service API 0.2 (OpenRefine), and 1.0-draft below `/reconcile/v1`."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import orjson

from motorgraph.errors import BadRequest, MethodNotAllowed, NotFound, UnsupportedMediaType
from motorgraph.openapi import content, parameter, responses
from motorgraph.pages import Pages
from motorgraph.protocol import FORM, Call, Receive, body_text, form_parameters, one, query_parameters, read_body, said
from motorgraph.reconciliation import FITS, MOST_CHARACTERS, Extension, Record, Service, records, records_1
from motorgraph.reply import Send, send_bytes
from motorgraph.routes.search import FARTHEST, numbered
from motorgraph.settings import Settings
from motorgraph.stores.embedded import Embedded

METHODS = "GET, HEAD, POST, OPTIONS"
READ = ("GET", "HEAD")
JSON = "application/json"
SUGGESTIONS = 10
MOST_SUGGESTIONS = 100
PROPOSALS = 50
MOST_TYPES = 20
WHATS = ("entity", "property", "type")
POLICY = (
    b"content-security-policy",
    b"default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors *",
)
"""Of a preview, which other programs frame."""
Json = dict[str, Any]  # Any: plain JSON


@dataclass(frozen=True, slots=True)
class Told:
    """What is answered: a value as JSON, from the graph of a commit."""

    value: object
    commit: int


@dataclass(frozen=True, slots=True)
class Request:
    """A call with its body, if it has one."""

    call: Call
    body: bytes

    @property
    def parameters(self) -> Mapping[str, Sequence[str]]:
        """Those of the address, or of the form that was sent. Raises BadRequest or UnsupportedMediaType."""
        if self.call.method != "POST":
            return query_parameters(self.call)
        if self.call.media_type != FORM:
            raise UnsupportedMediaType(f"Send {FORM} with queries=… or extend=….", readable=[FORM])
        return form_parameters(self.body)

    @property
    def text(self) -> str:
        """The JSON that was sent. Raises BadRequest or UnsupportedMediaType."""
        if self.call.media_type != JSON:
            raise UnsupportedMediaType(f"Send the batch as {JSON}.", readable=[JSON])
        return body_text("batch", self.body, self.call)


class Reconcile:
    """Says which things of the graph the records of somebody's table are about."""

    methods = METHODS

    def __init__(self, store: Embedded, settings: Settings, pages: Pages) -> None:
        self._store = store
        self._settings = settings
        self._pages = pages
        self._most_bytes = settings.limits().query_bytes
        answers: dict[str, tuple[tuple[str, ...], Callable[[Request], Awaitable[Told]]]] = {
            "": ((*READ, "POST"), self._root),
            "/properties": (READ, self._propose),
            "/v1": (READ, self._manifest_1),
            "/v1/match": (("POST",), self._match_1),
            "/v1/extend": (("POST",), self._extend_1),
            "/v1/extend/propose": (READ, self._propose),
        }
        answers |= {f"{start}/suggest/{what}": (READ, self._suggest) for start in ("", "/v1") for what in WHATS}
        self._answers = answers | {f"/flyout/{what}": (READ, self._flyout) for what in WHATS}

    def paths(self) -> Mapping[str, object]:
        """What it answers, as OpenAPI has it."""
        return reconcile_paths()

    def allowed(self, call: Call) -> str:
        """`Allow` of an address."""
        return ", ".join([*self._answers.get(_place(call), (READ,))[0], "OPTIONS"])

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""
        self._store.require_ready()
        place = _place(call)
        if place in ("/preview", "/v1/preview"):
            await self._preview(_require(call, READ), send)
        elif place == "/view":
            await self._view(_require(call, READ), send)
        elif place in self._answers:
            methods, answer = self._answers[place]
            _require(call, methods)
            body = await read_body(call, receive, self._most_bytes, "query_length") if call.method == "POST" else b""
            await _send(await answer(Request(call, body)), call, send)
        else:
            raise NotFound(f"There is nothing at {call.path[:80]}. /reconcile is the manifest, /reconcile/v1 that of 1.0-draft.")

    # Version 0.2

    async def _root(self, request: Request) -> Told:
        """The manifest, the candidates for a batch, or values."""
        given = request.parameters
        if "queries" in given and "extend" in given:
            raise BadRequest("Send either queries or extend.")
        if "queries" in given:
            return await self._match(records(one(given, "queries")))
        if "extend" in given:
            told, commit = await self._values(Extension.of(one(given, "extend")))
            return Told(told, commit)
        if request.call.method == "POST":
            raise BadRequest("There is neither queries nor extend in the form.")
        return Told(self._service(request.call).manifest, self._store.commit)

    async def _match(self, batch: Mapping[str, Record]) -> Told:
        found, commit = {}, self._store.commit
        for key, record in batch.items():
            candidates, commit = await self._candidates(record)
            found[key] = {"result": [{**each, "features": [_feature(f) for f in each["features"]]} for each in candidates]}
        return Told(found, commit)

    async def _suggest(self, request: Request) -> Told:
        """What may be meant by the beginning of a name (0.2 §7.2, 1.0-draft §7.3)."""
        call = request.call
        given = query_parameters(call)
        prefix = (given.get("prefix") or [""])[0]
        if len(prefix) > MOST_CHARACTERS:
            raise BadRequest(f"prefix has more than {MOST_CHARACTERS} characters, which no name has.")
        skipped = said(call, "offset" if "/v1/" in call.path else "cursor")
        what = call.path.rstrip("/").rpartition("/")[2]
        commit, body = await self._store.found(
            "suggest",
            what=what,
            prefix=prefix,
            limit=numbered("limit", said(call, "limit"), SUGGESTIONS, (1, MOST_SUGGESTIONS)),
            offset=numbered("offset or cursor", skipped, 0, (0, FARTHEST)),
            types=[name for name in given.get("type", []) if name][:MOST_TYPES] if what == "entity" else [],
        )
        return Told({"result": json.loads(body)["result"]}, commit)

    async def _flyout(self, request: Request) -> Told:
        """A few words on a thing or term, as HTML in JSON (0.2 §7.5)."""
        what = request.call.path.rpartition("/")[2]
        found, commit = await self._known(request.call, what)
        more = ": ".join(filter(None, (found["kind_label"], found["note"])))
        html = f"<p><strong>{escape(found['label'])}</strong></p><p>{escape(more)}</p>"
        return Told({"id": said(request.call, "id"), "html": html}, commit)

    # Version 1.0-draft

    async def _manifest_1(self, request: Request) -> Told:
        return Told(self._service(request.call).manifest_1, self._store.commit)

    async def _match_1(self, request: Request) -> Told:
        found, commit = [], self._store.commit
        for record in records_1(request.text):
            candidates, commit = await self._candidates(record)
            found.append({"candidates": candidates})
        return Told({"results": found}, commit)

    async def _extend_1(self, request: Request) -> Told:
        told, commit = await self._values(Extension.of(request.text))
        rows = [
            {"id": thing, "properties": [{"id": pid, "values": values} for pid, values in row.items()]}
            for thing, row in told["rows"].items()
        ]
        return Told({"meta": told["meta"], "rows": rows}, commit)

    # Both

    def _service(self, call: Call) -> Service:
        settings = self._settings
        return Service(call.origin, settings.base, not settings.plain, settings.protect_reads)

    async def _candidates(self, record: Record) -> tuple[list[Json], int]:
        """The candidates for a record by any of its names, and the commit."""
        best: dict[str, Json] = {}
        commit = self._store.commit
        for question in record.questions:
            commit, body = await self._store.found("match", **question)
            for candidate in json.loads(body)["candidates"]:
                known = best.get(candidate["id"])
                if (known is None or known["score"] < candidate["score"]) and _has_name(candidate, record):
                    best[candidate["id"]] = candidate
        ordered = sorted(best.values(), key=lambda candidate: -candidate["score"])[: record.limit]
        for candidate in ordered[1:]:
            candidate["match"] = False
        return ordered, commit

    async def _values(self, asked: Extension) -> tuple[Json, int]:
        commit, body = await self._store.found("extend", ids=asked.ids, properties=asked.properties)
        told = json.loads(body)
        return {"meta": told["meta"], "rows": told["rows"]}, commit

    async def _propose(self, request: Request) -> Told:
        """The properties that things of a type have, or of any type (0.2 §8.2, 1.0-draft §8.2)."""
        name = (query_parameters(request.call).get("type") or [""])[0]
        limit = numbered("limit", said(request.call, "limit"), PROPOSALS, (1, MOST_SUGGESTIONS))
        commit, body = await self._store.found("propose", type=name[:MOST_CHARACTERS], limit=limit)
        told = json.loads(body)
        return Told({name: told[name] for name in ("type", "limit", "properties")}, commit)

    async def _known(self, call: Call, what: str = "entity") -> tuple[Json, int]:
        """What there is to tell of the thing that a request names. Raises BadRequest or NotFound."""
        name = said(call, "id")
        if not name:
            raise BadRequest("Name a thing: ?id=….")
        commit, body = await self._store.found("preview", id=name[:2000], what=what)
        found = json.loads(body)
        if "iri" not in found:
            raise NotFound(f"There is no {what} {name[:200]!r} in this graph. /search finds things by name.")
        return found, commit

    async def _preview(self, call: Call, send: Send) -> None:
        """A small page to be framed (0.2 §6, 1.0-draft §6)."""
        found, commit = await self._known(call)
        page = await self._pages.page("preview.html", thing=found, origin=call.origin)
        told = [(b"content-type", b"text/html; charset=utf-8"), (b"x-commit", b"%d" % commit), POLICY]
        await send_bytes(send, 200, [*told, (b"content-language", b"en")], page, with_body=call.method != "HEAD")

    async def _view(self, call: Call, send: Send) -> None:
        """Leads to where a thing is told of."""
        found, commit = await self._known(call)
        where = (found["page"] or found["iri"]).encode()
        told = [(b"location", where), (b"content-type", b"text/plain; charset=utf-8"), (b"x-commit", b"%d" % commit)]
        await send_bytes(send, 303, told, b"See " + where + b"\n", with_body=call.method != "HEAD")


def _place(call: Call) -> str:
    return call.path.removeprefix("/reconcile").rstrip("/")


def _require(call: Call, methods: Sequence[str]) -> Call:
    if call.method not in methods:
        raise MethodNotAllowed(call.method, ", ".join([*methods, "OPTIONS"]))
    return call


def _has_name(candidate: Json, record: Record) -> bool:
    """Whether a name that is required is like that of the candidate."""
    likeness = next((f["value"] for f in candidate["features"] if f["id"] == "name_likeness"), 0.0)
    return not record.needs_name or likeness >= FITS


def _feature(feature: Json) -> Json:
    """A feature as version 0.2 has it: without a name."""
    return {"id": feature["id"], "value": feature["value"]}


async def _send(told: Told, call: Call, send: Send) -> None:
    headers = [
        (b"content-type", JSON.encode()),
        (b"content-language", b"en"),
        (b"cache-control", b"no-cache"),
        (b"x-commit", b"%d" % told.commit),
    ]
    await send_bytes(send, 200, headers, orjson.dumps(told.value), with_body=call.method != "HEAD")


_BATCH = 'A JSON object of queries by key, such as {"q0": {"query": "Ford", "type": "Organization"}}.'
_EXTEND = "A JSON object with the `ids` of things and the `properties` whose values are wanted."


def reconcile_paths() -> dict[str, object]:
    """The paths of both versions."""
    which = parameter("id", "IRI of a thing.")
    prefix, limit = parameter("prefix", "What has been typed."), parameter("limit", "How many.", schema={"type": "integer"})
    asked = [parameter("queries", _BATCH), parameter("extend", _EXTEND)]
    of_type = [parameter("type", "Name of a class, such as Plant."), limit]
    refused = ("400", "404", "503")

    def get(summary: str, parameters: Sequence[object], kind: str = JSON, *, status: str = "200") -> dict[str, object]:
        found = responses({status: (kind,) if kind else ()}, *refused)
        return {"get": {"summary": summary, "tags": ["reconciliation"], "parameters": parameters, "responses": found}}

    def post(summary: str, kind: str) -> dict[str, object]:
        found = responses({"200": (JSON,)}, *refused, "413", "415")
        body = {"required": True, "content": content(kind)}
        return {"post": {"summary": summary, "tags": ["reconciliation"], "requestBody": body, "responses": found}}

    paths: dict[str, object] = {
        "/reconcile": get("Reconciliation 0.2: manifest, candidates, values", asked) | post("The same by a form", FORM),
        "/reconcile/preview": get("A thing in a small page to be framed", [which], "text/html"),
        "/reconcile/view": get("Leads to where a thing is told of", [which], "", status="303"),
        "/reconcile/properties": get("Properties that things of a type have", of_type),
        "/reconcile/v1": get("Reconciliation 1.0-draft: manifest", []),
        "/reconcile/v1/match": post("Candidates for a batch", JSON),
        "/reconcile/v1/preview": get("A thing in a small page to be framed", [which], "text/html"),
        "/reconcile/v1/extend": post("Values of properties", JSON),
        "/reconcile/v1/extend/propose": get("Properties that things of a type have", of_type),
    }
    what = parameter("what", "What is looked for.", place="path", schema={"type": "string", "enum": list(WHATS)}) | {
        "required": True
    }
    given = [what, prefix, limit, parameter("type", "Of entities only those of this class.")]
    paths["/reconcile/suggest/{what}"] = get("Suggest", [*given, parameter("cursor", "How many to pass over.")])
    paths["/reconcile/flyout/{what}"] = get("A few words on something suggested", [what, which])
    paths["/reconcile/v1/suggest/{what}"] = get("Suggest", [*given, parameter("offset", "How many to pass over.")])
    return paths
