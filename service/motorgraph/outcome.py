"""What comes of a write, and how it is told: 201 or 204, or what it did or would do as JSON or as a validation report in RDF."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import orjson

from motorgraph.audit import Attempt
from motorgraph.conditions import require_match
from motorgraph.engine.wire import Job
from motorgraph.errors import NotAcceptable
from motorgraph.media import GRAPHS, PLAIN_JSON, Format, choose, listing
from motorgraph.once import key_of
from motorgraph.protocol import Call, Receive
from motorgraph.reply import Departure, Send, send_bytes
from motorgraph.stores.embedded import Embedded, Outcome
from motorgraph.validation import as_rdf

ACCOUNT = PLAIN_JSON
FORMS = (ACCOUNT, *GRAPHS)
VARY = (b"vary", b"Accept, Prefer")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client wants to be told of a write, and whether it is to be made at all. `form` is None for nothing but a status."""

    dry_run: bool = False
    form: Format | None = None

    @classmethod
    def of(cls, call: Call, *, dry_run: bool) -> Wish:
        """That of a request: a dry run tells what it would do, and so does a write with `Prefer: return=representation`.

        Raises NotAcceptable for a dry run that can be told in no format that the client takes.
        """
        form = choose(call.header(b"accept"), FORMS)
        if dry_run and form is None:
            raise NotAcceptable(f"What a dry run finds can be had as {listing(FORMS)}.", available=[f.media_type for f in FORMS])
        return cls(dry_run, form if dry_run or _prefers_representation(call.header(b"prefer")) else None)


def _prefers_representation(header: str) -> bool:
    """Whether Prefer (RFC 7240) has `return=representation`, and no other `return` before it."""
    preferences = (part.partition(";")[0].replace(" ", "").replace('"', "").lower() for part in header.split(","))
    return next((p for p in preferences if p.startswith("return=")), "") == "return=representation"


@dataclass(frozen=True, slots=True)
class Sent:
    """A write as it was sent: what is logged of it, its body, what is wanted of it, and where a graph that it mints will be."""

    attempt: Attempt
    body: bytes
    wish: Wish
    location: str = ""


async def send_write(store: Embedded, job: Job, data: bytes, sent: Sent, receive: Receive, send: Send) -> None:
    """Makes or rehearses a change with its `data`, and tells what came of it. A client that leaves before has it not made.

    Raises the Refusal that it met.
    """
    attempt, wish = sent.attempt, sent.wish
    call = attempt.call
    once = key_of(call, sent.body, job.author, sent.location)
    job = replace(job, once=once, dry_run=wish.dry_run, wants_account=wish.form is not None)
    attempt.job, attempt.size = job, len(sent.body)
    async with Departure(receive):
        outcome = await attempt.of(store, data, lambda: require_match(call, store.version))
    if not wish.dry_run and not outcome.is_replayed:
        outcome = replace(outcome, location=sent.location)
    attempt.made(outcome, _status(outcome, wish))
    await _send(outcome, wish, send)


def _status(outcome: Outcome, wish: Wish) -> int:
    is_created = bool(outcome.created or outcome.location)
    if wish.form is None or not outcome.account:
        return 201 if is_created else 204
    return 201 if is_created and not wish.dry_run else 200


async def _send(outcome: Outcome, wish: Wish, send: Send) -> None:
    headers = [(b"etag", f'"{outcome.version}"'.encode()), VARY]
    if outcome.location:
        headers.append((b"location", outcome.location.encode()))
    if outcome.is_replayed:
        headers.append((b"idempotency-replayed", b"true"))
    status = _status(outcome, wish)
    if wish.form is None or not outcome.account:
        await send_bytes(send, status, headers, b"")
        return
    if not wish.dry_run:
        headers.append((b"preference-applied", b"return=representation"))
    headers.append((b"content-type", wish.form.content_type.encode()))
    await send_bytes(send, status, headers, _told(outcome, wish, wish.form))


def _told(outcome: Outcome, wish: Wish, form: Format) -> bytes:
    account: dict[str, Any] = orjson.loads(outcome.account)  # Any: plain JSON
    if form is not ACCOUNT:
        return as_rdf(account, form)
    whole = {"dry_run": wish.dry_run, "commit": outcome.commit, **account}
    return orjson.dumps(whole, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
