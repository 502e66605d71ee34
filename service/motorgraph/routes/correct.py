"""`/validate/correct`: a claim that was entered wrongly is set right in its place, after a look at what goes and what comes."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

import pyoxigraph as ox

from motorgraph import curating
from motorgraph.curating import Entry, Part, Plan, Reading, key
from motorgraph.engine.wire import Job
from motorgraph.errors import BadRequest, PreconditionFailed
from motorgraph.filled import Filled
from motorgraph.media import HTML
from motorgraph.openapi import TEXT, parameter, responses
from motorgraph.protocol import FORM, Call, Receive, query_parameters
from motorgraph.records import Record, written
from motorgraph.reply import Departure, Send, send_bytes, send_page
from motorgraph.routes.curate import SHOWN_OPTIONS, Form, action_of, sent
from motorgraph.trying import Told
from motorgraph.verdict import findings_of

ACTIONS = ("try", "commit", "more")
Change = tuple[str, str, str]
"""A field in words, and what of it goes and comes."""


@dataclass(frozen=True)
class Correction:
    """A claim as it is, the parts of its form, what is filled in, and what comes of that."""

    record: Record
    plan: Plan
    filled: Filled
    options: Mapping[str, Mapping[str, str]]
    labels: Mapping[str, str]
    """Of properties, by their IRIs."""

    @property
    def parts(self) -> tuple[Part, Part]:
        """Of the form: what is claimed, and who says so."""
        return self.plan.claims[0].proposition, self.plan.claims[0].claim

    @property
    def shown(self) -> dict[str, str]:
        """What things are called in the form, where a name is that of one thing only."""
        things = {key(each) for part in self.parts for each in part.fields if each.is_thing}
        named = [(iri, name) for kind in things for iri, name in self.options.get(kind, {}).items()]
        owners = Counter(name.casefold() for _, name in set(named))
        return {iri: name for iri, name in named if owners[name.casefold()] == 1}

    @property
    def before(self) -> Filled:
        """The form as it is where nothing has been changed."""
        proposition, claim = self.parts
        return self.record.filled(self.shown, claim, proposition)

    def entry(self, filled: Filled) -> Entry:
        """The statements that the form makes of the claim and its proposition."""
        proposition, claim = self.parts
        reading = Reading(self.record.names, filled, self.options)
        made = reading.statements(proposition, self.record.proposition)
        other = reading.statements(claim, self.record.claim)
        return Entry("", made.quads + other.quads, made.mistakes | other.mistakes, made.parts | other.parts)

    def difference(self, entry: Entry) -> tuple[set[ox.Quad], set[ox.Quad]]:
        """What goes and what comes by an entry of this form."""
        return self.record.update(self.entry(self.before).quads, entry.quads)

    def changes(self, removed: Iterable[ox.Quad], added: Iterable[ox.Quad]) -> list[Change]:
        """What goes and what comes, field by field, in the words of the form."""
        sides: dict[str, tuple[list[str], list[str]]] = {}
        for place, quads in enumerate((removed, added)):
            for quad in sorted(quads, key=str):
                term = quad.object
                text = self.called.get(term.value, term.value) if isinstance(term, ox.NamedNode | ox.Literal) else str(term)
                spoken = f" ({term.language})" if isinstance(term, ox.Literal) and term.language else ""
                path = quad.predicate.value
                sides.setdefault(self.labels.get(path, path.rpartition("/")[2]), ([], []))[place].append(text + spoken)
        return [(label, "; ".join(gone), "; ".join(come)) for label, (gone, come) in sides.items()]

    @property
    def called(self) -> dict[str, str]:
        """The names of all that the fields may take."""
        return {iri: name for known in self.options.values() for iri, name in known.items()}


class Correct(Form):
    """The form of a claim that is there."""

    def paths(self) -> Mapping[str, object]:
        """What it answers, as OpenAPI has it."""
        which = {**parameter("claim", "Slug or IRI of the claim."), "required": True}
        told = {"summary": "A form to correct a claim in its place", "tags": ["validation"], "parameters": [which]}
        known = {"action": "try, commit, or `more` with the name of a field.", "was": "The state that the form was made from."}
        fields = {name: {**TEXT, "description": words} for name, words in known.items()}
        schema = {"type": "object", "properties": fields, "additionalProperties": TEXT}
        post = {**told, "summary": "Try or commit a correction", "requestBody": {"content": {FORM: {"schema": schema}}}}
        refused = ("400", "401", "403", "404", "409", "412", "413", "422", "429", "503")
        return {
            "/validate/correct": {
                "get": {**told, "responses": responses({"200": [HTML]}, "400", "404", "503")},
                "post": {**post, "responses": responses({"200": [HTML], "303": []}, *refused)},
            }
        }

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""
        self._require_form(call)
        name = next(iter(query_parameters(call).get("claim", [])), "")
        if not name:
            raise BadRequest("Say which claim: ?claim= with its slug or IRI. Each claim's page leads here.")
        record, plan = await self._records.claim(name), await self._choices.plan(1)
        if call.method != "POST":
            correction = await self._correction(record, plan, Filled())
            begun = correction.before.with_texts(was=record.stamp, key=secrets.token_urlsafe(16))
            await self._show(call, send, await self._correction(record, plan, begun), None)
            return
        filled = await sent(call, receive)
        await self._posted(call, receive, send, await self._correction(record, plan, filled))

    async def _correction(self, record: Record, plan: Plan, filled: Filled) -> Correction:
        parts = (plan.claims[0].proposition, plan.claims[0].claim)
        ontology, _ = await self._documentation.ontology()
        labels = {iri: term.label for iri, term in ontology.terms.items()}
        return Correction(record, plan, filled, await self._choices.of_filled(parts, filled), labels)

    async def _posted(self, call: Call, receive: Receive, send: Send, correction: Correction) -> None:
        filled, record = correction.filled, correction.record
        action, more = action_of(filled, ACTIONS)
        if action == "more":
            await self._show(call, send, replace(correction, filled=replace(filled, more=more)), None)
            return
        entry = correction.entry(filled)
        removed, added = correction.difference(entry)
        is_same, told = not (removed or added or entry.mistakes), Told(entry)
        if filled.one("was") != record.stamp and not (is_same and action == "commit"):
            await self._show(call, send, correction, Told(entry, refusal=_overtaken()))
            return
        if not is_same:
            why = f"Correct the claim {record.slug}"
            job = Job("update", text=written(removed, added), dry_run=action == "try", message=why)
            async with Departure(receive):
                told = await self._desk.made(call, job, entry, filled, lambda: self._require_same(record))
        if action == "commit" and told.refusal is None and not entry.mistakes:
            await send_bytes(send, 303, [(b"location", f"/page/claim/{quote(record.slug)}".encode())], b"")
            return
        await self._show(call, send, correction, told)

    def _require_same(self, record: Record) -> None:
        """Raises PreconditionFailed if a commit has come since the claim was read."""
        if self._store.commit != record.commit:
            raise _overtaken()

    async def _show(self, call: Call, send: Send, correction: Correction, told: Told | None) -> None:
        """The form, what came of it, and, where somebody was faster, what the claim says now."""
        links, record, filled = await self._documentation.links(), correction.record, correction.filled
        is_overtaken = told is not None and isinstance(told.refusal, PreconditionFailed)
        if is_overtaken:
            filled = filled.with_texts(was=record.stamp)
        short = {each.path: each.name for part in correction.parts for each in part.fields}
        results = told.account.get("results", []) if told and told.account else []
        left = curating.sorted_out(results, told.entry, short) if told else []
        page = await self._pages.page(
            "correct.html",
            slug=record.slug,
            parts_of_it=correction.parts,
            filled=filled,
            options=correction.options,
            lists=[name for name in correction.options if name != curating.PROPOSITIONS],
            shown=SHOWN_OPTIONS,
            key=key,
            more=filled.more,
            outcome=told,
            closed=self._desk.closed(call),
            is_overtaken=is_overtaken,
            changes=correction.changes(*correction.difference(correction.entry(filled))) if told else [],
            mistakes=told.entry.mistakes if told else {},
            findings=findings_of(left, links),
            links=links,
        )
        await send_page(send, call, page, [(b"cache-control", b"no-store")], status=told.status if told else 200)


def _overtaken() -> PreconditionFailed:
    return PreconditionFailed(
        "Somebody has changed this claim, or something else in the graph, since you opened the form. What you filled in is kept, "
        "and told is what it would change now. Look at it, then try again."
    )
