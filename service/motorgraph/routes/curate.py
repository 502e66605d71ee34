"""`/validate/new`: a curator with a token adds a source document with its claims; tried first, then committed."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote

from motorgraph import curating
from motorgraph.choices import Choices
from motorgraph.curating import MOST_CLAIMS, Reading, key
from motorgraph.documentation import Documentation
from motorgraph.engine.wire import Job
from motorgraph.errors import BadRequest, MethodNotAllowed, NotFound
from motorgraph.filled import Filled
from motorgraph.media import HTML, NTRIPLES
from motorgraph.openapi import TEXT, parameter, responses
from motorgraph.pages import Pages
from motorgraph.protocol import FORM, Call, Receive, query_parameters, read_body
from motorgraph.records import Records
from motorgraph.reply import Departure, Send, send_bytes, send_page
from motorgraph.trying import Desk, Told, require_same_origin
from motorgraph.verdict import findings_of

METHODS = "GET, HEAD, POST, OPTIONS"
MOST_BYTES = 1 << 20
SHOWN_OPTIONS = 300
ACTIONS = ("try", "commit", "add", "more")


class Form:
    """What the forms of curators stand on."""

    methods = METHODS

    def __init__(self, desk: Desk, pages: Pages, documentation: Documentation, choices: Choices) -> None:
        self._desk = desk
        self._store = desk.store
        self._pages = pages
        self._documentation = documentation
        self._choices = choices
        self._records = Records(desk.store)

    def _require_form(self, call: Call) -> None:
        """Raises a Refusal for a request to which no form answers here."""
        if call.method not in METHODS.split(", "):
            raise MethodNotAllowed(call.method, METHODS)
        self._store.require_ready()
        if self._store.settings.plain:
            raise NotFound("This is a bare store without shapes, so there is nothing to make a form from.")


async def sent(call: Call, receive: Receive) -> Filled:
    """What a form of this service was sent with. Raises Forbidden for that of another, TooLarge."""
    require_same_origin(call)
    return Filled.of(await read_body(call, receive, MOST_BYTES, "none: a form is short"))


def action_of(filled: Filled, known: Sequence[str]) -> tuple[str, str]:
    """What a form is to do, of what is `known`, and the field that this is about, if any. Raises BadRequest."""
    action, _, more = filled.one("action", "try").partition(" ")
    if action not in known:
        raise BadRequest(f"action={action[:40]!r} is nothing that the form does; there are {', '.join(known)}.")
    return action, more


class Curate(Form):
    """The form of a new source document."""

    def paths(self) -> Mapping[str, object]:
        """What it answers, as OpenAPI has it."""
        known = {
            "action": "try, commit, add (one more claim), or `more` with the name of a field (one more value).",
            "token": "A token of the scope write; it is never shown again.",
        }
        known |= {"slug": "Name of the document in its IRI.", "message": "Why; kept with the commit."}
        fields = {name: {**TEXT, "description": words} for name, words in known.items()}
        schema = {"type": "object", "properties": fields, "additionalProperties": TEXT}
        told = {"summary": "A form for a source document with its claims", "tags": ["validation"]}
        begun = {
            **told,
            "parameters": [parameter("corrects", "Slug or IRI of a claim that the first claim of the form is to correct.")],
        }
        post = {**told, "summary": "Try or commit what a form holds", "requestBody": {"content": {FORM: {"schema": schema}}}}
        refused = ("400", "401", "403", "404", "409", "413", "422", "429", "503")
        return {
            "/validate/new": {
                "get": {**begun, "responses": responses({"200": [HTML]}, "404", "503")},
                "post": {**post, "responses": responses({"200": [HTML], "303": []}, *refused)},
            }
        }

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""
        self._require_form(call)
        if call.method != "POST":
            await self._show(call, send, await self._begun(call), 1, None)
            return
        filled = await sent(call, receive)
        action, more = action_of(filled, ACTIONS)
        claims = _claims(filled)
        if action in ("add", "more"):
            await self._show(call, send, replace(filled, more=more), min(claims + (action == "add"), MOST_CLAIMS), None)
            return
        plan = await self._choices.plan(claims)
        entry = Reading(self._store.names, filled, await self._choices.of_filled(list(plan.parts), filled)).entry(plan)
        job = Job(
            "put",
            graph=self._store.names.graph(f"source/{entry.slug}"),
            content_type=NTRIPLES.media_type,
            must_be_new=True,
            dry_run=action == "try",
            message=f"Add the source document {entry.slug}",
        )
        async with Departure(receive):
            told = await self._desk.made(call, job, entry, filled)
        if action == "commit" and told.refusal is None and not entry.mistakes:
            await send_bytes(send, 303, [(b"location", f"/page/source/{quote(entry.slug)}".encode())], b"")
            return
        await self._show(call, send, filled, claims, told)

    async def _begun(self, call: Call) -> Filled:
        """What a new form holds: nothing, or the wording of a claim (`?corrects=`) that its first claim is to correct."""
        today = datetime.now(UTC).date().isoformat()
        begun = Filled().with_texts(key=secrets.token_urlsafe(16), **{"document.mg:accessedOn": today})
        asked = query_parameters(call).get("corrects", [])
        if not asked:
            return begun
        record = await self._records.claim(asked[0])
        wording = record.filled({}, proposition=(await self._choices.plan(1)).claims[0].proposition)
        kind = f"{self._store.names.base}/concept/claim-relation-kind/corrects"
        relation = {"relation1.mg:toClaim": record.claim.value, "relation1.mg:relationKind": kind}
        return wording.with_texts(**{name: begun.one(name) for name in begun.texts}, **relation)

    async def _show(self, call: Call, send: Send, filled: Filled, claims: int, told: Told | None) -> None:
        """The form with what has been filled in, but for the token, and what came of it."""
        plan, links = await self._choices.plan(claims), await self._documentation.links()
        options = await self._choices.of(list(plan.parts))
        short = {each.path: each.name for part in plan.parts for each in part.fields}
        results = told.account.get("results", []) if told and told.account else []
        left = curating.sorted_out(results, told.entry, short) if told else []
        page = await self._pages.page(
            "curate.html",
            plan=plan,
            filled=filled,
            more=filled.more,
            claims=claims,
            most_claims=MOST_CLAIMS,
            options=options,
            lists=list(options),
            shown=SHOWN_OPTIONS,
            key=key,
            outcome=told,
            closed=self._desk.closed(call),
            mistakes=told.entry.mistakes if told else {},
            findings=findings_of(left, links),
            propositions=await self._choices.propositions(),
            links=links,
            turtle=told.entry.turtle(self._documentation.prefixes) if told else "",
        )
        await send_page(send, call, page, [(b"cache-control", b"no-store")], status=told.status if told else 200)


def _claims(filled: Filled) -> int:
    number = filled.one("claims", "1")
    if not number.isdecimal() or len(number) > len(str(MOST_CLAIMS)) or not 1 <= int(number) <= MOST_CLAIMS:
        raise BadRequest(f"A form has 1 to {MOST_CLAIMS} claims.")
    return int(number)
