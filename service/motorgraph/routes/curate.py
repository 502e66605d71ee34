"""`/validate/new`: a curator with a token adds a source document with its claims; tried first, then committed."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlsplit

import orjson
import pyoxigraph as ox

from motorgraph import curating
from motorgraph.access import Access
from motorgraph.curating import MOST_CHARACTERS, MOST_CLAIMS, PROPOSITIONS, Entry, Plan, Reading, key
from motorgraph.documentation import Documentation
from motorgraph.engine.wire import Job
from motorgraph.errors import BadRequest, Forbidden, MethodNotAllowed, Nonconforming, NotFound, Refusal, Unauthorized
from motorgraph.forms import Blueprint
from motorgraph.inquiry import Inquiry
from motorgraph.media import HTML, NTRIPLES
from motorgraph.once import key_of
from motorgraph.openapi import TEXT, responses
from motorgraph.pages import Pages
from motorgraph.protocol import FORM, Call, Receive, form_parameters, read_body
from motorgraph.reply import Departure, Send, send_bytes, send_page
from motorgraph.settings import Settings
from motorgraph.stores.embedded import Embedded
from motorgraph.verdict import findings_of
from motorgraph.writing import signed

METHODS = "GET, HEAD, POST, OPTIONS"
MOST_BYTES = 1 << 20
MOST_OPTIONS = 5_000
SHOWN_OPTIONS = 300
ACTIONS = ("try", "commit", "add")
_THINGS = """SELECT ?thing (MIN(?given) AS ?name) (COUNT(?use) AS ?uses) {
  { SELECT DISTINCT ?thing { ?kind <http://www.w3.org/2000/01/rdf-schema#subClassOf>* $class . ?thing a ?kind } LIMIT 5000 }
  ?thing <http://www.w3.org/2004/02/skos/core#prefLabel>|<http://purl.org/dc/terms/title> ?given
  OPTIONAL { ?use $asserted ?thing } } GROUP BY ?thing ORDER BY DESC(?uses) ?name"""
_CALLED = """SELECT DISTINCT ?thing { ?thing <http://www.w3.org/2004/02/skos/core#prefLabel> ?name
  FILTER(LCASE(STR(?name)) = LCASE($called)) } LIMIT 10"""
_CONCEPTS = """SELECT ?thing (MIN(?given) AS ?name) { ?thing <http://www.w3.org/2004/02/skos/core#inScheme> $scheme ;
  <http://www.w3.org/2004/02/skos/core#prefLabel> ?given } GROUP BY ?thing ORDER BY ?name"""
_PROPOSITIONS = """SELECT ?thing (MIN(?given) AS ?name) { ?thing $worded ?given } GROUP BY ?thing ORDER BY ?name LIMIT 500"""


@dataclass(frozen=True)
class Told:
    """What came of a form: the entry, the delta and the findings of a dry run, or why it was refused."""

    entry: Entry
    account: Mapping[str, Any] | None = None  # Any: plain JSON
    refusal: Refusal | None = None

    @property
    def status(self) -> int:
        """Of the answer: the form is shown again with what is wrong with it."""
        if self.refusal is not None:
            return self.refusal.status
        return 422 if self.entry.mistakes else 200


class Curate:
    """The form of a new source document."""

    methods = METHODS

    def __init__(self, store: Embedded, access: Access, pages: Pages, documentation: Documentation) -> None:
        self._store = store
        self._settings: Settings = store.settings
        self._access = access
        self._pages = pages
        self._documentation = documentation
        self._inquiry = Inquiry(store)
        self._options: dict[str, dict[str, str]] = {}
        self._commit = 0

    def paths(self) -> Mapping[str, object]:
        """What it answers, as OpenAPI has it."""
        known = {
            "action": "try, commit or add (one more claim).",
            "token": "A token of the scope write; it is never shown again.",
        }
        known |= {"slug": "Name of the document in its IRI.", "message": "Why; kept with the commit."}
        fields = {name: {**TEXT, "description": words} for name, words in known.items()}
        schema = {"type": "object", "properties": fields, "additionalProperties": TEXT}
        told = {"summary": "A form for a source document with its claims", "tags": ["validation"]}
        post = {**told, "summary": "Try or commit what a form holds", "requestBody": {"content": {FORM: {"schema": schema}}}}
        refused = ("400", "401", "403", "404", "409", "413", "422", "429", "503")
        return {
            "/validate/new": {
                "get": {**told, "responses": responses({"200": [HTML]}, "404", "503")},
                "post": {**post, "responses": responses({"200": [HTML], "303": []}, *refused)},
            }
        }

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""
        if call.method not in METHODS.split(", "):
            raise MethodNotAllowed(call.method, METHODS)
        self._store.require_ready()
        if self._settings.plain:
            raise NotFound("This is a bare store without shapes, so there is nothing to make a form from.")
        if call.method != "POST":
            await self._show(call, send, {"key": secrets.token_urlsafe(16)}, 1, None)
            return
        _require_same_origin(call)
        values = _values(await read_body(call, receive, MOST_BYTES, "none: a form is short"))
        action = values.pop("action", "try")
        if action not in ACTIONS:
            raise BadRequest(f"action={action[:40]!r} is nothing that the form does; there are {', '.join(ACTIONS)}.")
        token, claims = values.pop("token", ""), _claims(values)
        if action == "add":
            await self._show(call, send, values, min(claims + 1, MOST_CLAIMS), None)
            return
        plan = await self._plan(claims)
        options = {**await self._all_options(plan), PROPOSITIONS: await self._propositions(), **await self._called(plan, values)}
        entry = Reading(self._store.names, values, options).entry(plan)
        async with Departure(receive):
            told = await self._made(_with_token(call, token), entry, values, is_tried=action == "try")
        if action == "commit" and told.refusal is None and not entry.mistakes:
            await send_bytes(send, 303, [(b"location", f"/page/source/{quote(entry.slug)}".encode())], b"")
            return
        await self._show(call, send, values, claims, told)

    async def _made(self, call: Call, entry: Entry, values: Mapping[str, str], *, is_tried: bool) -> Told:
        """Tries or makes the write of an entry that has no mistakes of its own."""
        try:
            bearer = self._access.require_write(call)
            if entry.mistakes:
                return Told(entry)
            job = Job(
                "put",
                graph=self._store.names.graph(f"source/{entry.slug}"),
                content_type=NTRIPLES.media_type,
                must_be_new=True,
                dry_run=is_tried,
                wants_account=True,
            )
            job = replace(signed(job, call, bearer), message=values.get("message") or f"Add the source document {entry.slug}")
            if not is_tried and values.get("key"):
                job = replace(job, once=key_of(_with_key(call, values["key"]), entry.body, job.author, ""))
            outcome = await self._store.write(job, entry.body)
        except Nonconforming as refusal:
            return Told(entry, refusal.members, refusal)
        except Refusal as refusal:
            return Told(entry, refusal=_worded(refusal))
        return Told(entry, orjson.loads(outcome.account or b"{}"))

    async def _show(self, call: Call, send: Send, values: Mapping[str, str], claims: int, told: Told | None) -> None:
        """The form with what has been filled in, but for the token, and with what came of it."""
        plan, links = await self._plan(claims), await self._documentation.links()
        options = await self._all_options(plan)
        short = {each.path: each.name for part in plan.parts for each in part.fields}
        results = told.account.get("results", []) if told and told.account else []
        left = curating.sorted_out(results, told.entry, short) if told else []
        page = self._pages.page(
            "curate.html",
            plan=plan,
            values=values,
            claims=claims,
            most_claims=MOST_CLAIMS,
            options=options,
            lists=list(options),
            shown=SHOWN_OPTIONS,
            key=key,
            outcome=told,
            is_filled=lambda name, fields: any(values.get(f"{name}.{each.name}") for each in fields),
            mistakes=told.entry.mistakes if told else {},
            findings=findings_of(left, links),
            propositions=await self._propositions(),
            links=links,
            turtle=told.entry.turtle(self._documentation.prefixes) if told else "",
        )
        await send_page(send, call, page, [(b"cache-control", b"no-store")], status=told.status if told else 200)

    async def _plan(self, claims: int) -> Plan:
        shapes, _ = await self._documentation.vocabulary("shapes")
        ontology, _ = await self._documentation.ontology()
        return Plan(Blueprint(shapes.statements, ontology, self._documentation.prefixes), self._store.names, claims)

    async def _all_options(self, plan: Plan) -> dict[str, dict[str, str]]:
        """The things that the fields may take, those that assert the most first."""
        found: dict[str, dict[str, str]] = {}
        for part in plan.parts:
            for each in part.fields:
                name = key(each)
                if name and name not in found:
                    found[name] = {}
                    for scheme in each.schemes:
                        found[name] |= await self._asked(scheme, _CONCEPTS, scheme=ox.NamedNode(scheme))
                    for kind in each.classes:
                        values = {"class": ox.NamedNode(kind), "asserted": self._term("assertedBy")}
                        found[name] |= await self._asked(kind, _THINGS, **values)
        return found

    async def _propositions(self) -> dict[str, str]:
        return await self._asked(PROPOSITIONS, _PROPOSITIONS, worded=self._term("statementText"))

    async def _called(self, plan: Plan, values: Mapping[str, str]) -> dict[str, dict[str, str]]:
        """For each field that takes any thing, the things that have the name that was filled in."""
        found = {}
        for part in plan.parts:
            for each in part.fields:
                name = f"{part.name}.{each.name}"
                text = values.get(name, "")
                if each.is_thing and not key(each) and text and ":" not in text:
                    rows = await self._inquiry.rows(_CALLED, called=ox.Literal(text))
                    found[name] = {row["thing"]: text for row in rows}
        return found

    async def _asked(self, name: str, query: str, **values: ox.NamedNode) -> dict[str, str]:
        """Things and their names, kept for the commit."""
        if self._commit != self._store.commit:
            self._options.clear()
            self._commit = self._store.commit
        if name not in self._options:
            rows = await self._inquiry.rows(query, **values)
            self._options[name] = {row["thing"]: row["name"] for row in rows[:MOST_OPTIONS] if "thing" in row}
        return self._options[name]

    def _term(self, name: str) -> ox.NamedNode:
        return ox.NamedNode(self._store.names.term(name))


def _require_same_origin(call: Call) -> None:
    """Raises Forbidden for a form that another site has sent (Fetch Metadata; the Origin where a browser does not tell)."""
    site, origin = call.header(b"sec-fetch-site"), call.header(b"origin")
    if site not in ("", "same-origin", "none") or (origin and urlsplit(origin).netloc != call.header(b"host")):
        raise Forbidden("This form is taken from the pages of this service alone. A program writes to /graphs.")


def _values(body: bytes) -> dict[str, str]:
    """The fields of the form that were filled in. Raises BadRequest for one that is too long or comes twice."""
    found = {}
    for name, given in form_parameters(body).items():
        texts = [text for text in (value.strip() for value in given) if text]
        if len(texts) > 1 or any(len(text) > MOST_CHARACTERS for text in texts):
            raise BadRequest(f"The field {name[:60]!r} is taken once, with up to {MOST_CHARACTERS:,} characters.")
        if texts:
            found[name] = texts[0]
    return found


def _claims(values: Mapping[str, str]) -> int:
    number = values.get("claims", "1")
    if not number.isdecimal() or not 1 <= int(number[:3]) <= MOST_CLAIMS:
        raise BadRequest(f"A form has 1 to {MOST_CLAIMS} claims.")
    return int(number)


def _with_token(call: Call, token: str) -> Call:
    """The request as if it had its token in the header."""
    if not token:
        return call
    return replace(call, headers={**call.headers, b"authorization": b"Bearer " + token.encode("utf-8")})


def _with_key(call: Call, given: str) -> Call:
    return replace(call, headers={**call.headers, b"idempotency-key": f'"{given}"'.encode()})


def _worded(refusal: Refusal) -> Refusal:
    """What to tell of a refusal in words of the form."""
    if type(refusal) is Unauthorized:
        return Unauthorized("Fill in your token: to try a document and to commit it both need one of the scope write.")
    return refusal
