"""The write of a curator's form: tried, or made, with the token that the form brings, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import orjson

from motorgraph.access import Access
from motorgraph.curating import Entry
from motorgraph.engine.wire import Job
from motorgraph.errors import DeadlineExceeded, Forbidden, Nonconforming, Refusal, Replica, Unauthorized
from motorgraph.filled import Filled
from motorgraph.once import key_of
from motorgraph.protocol import Call
from motorgraph.stores.embedded import Embedded
from motorgraph.writing import signed


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


@dataclass(frozen=True)
class Desk:
    """Where forms are tried and committed."""

    store: Embedded
    access: Access

    def closed(self, call: Call) -> str:
        """Why nobody may write here, and where else one may; "" if somebody may."""
        try:
            self.access.require_write(call)
        except (Forbidden, Replica) as refusal:
            return refusal.detail
        except Refusal:  # of this token, or of none
            pass
        return ""

    async def made(self, call: Call, job: Job, entry: Entry, filled: Filled, guard: Callable[[], None] = lambda: None) -> Told:
        """Tries or makes the write (`job`, whose message is what is said where nobody says why) of an entry without mistakes."""
        call = _with_token(call, filled.one("token"))
        try:
            with self.access.writing(call, job, len(entry.body)) as (attempt, bearer):
                if entry.mistakes:
                    attempt.dismiss()
                    return Told(entry)
                job = replace(signed(job, call, bearer), message=filled.one("message", job.message), wants_account=True)
                if not job.dry_run and filled.one("key"):
                    job = replace(job, once=key_of(_with_key(call, filled.one("key")), entry.body, job.author, ""))
                attempt.job = job
                outcome = await attempt.of(self.store, entry.body, guard)
                attempt.made(outcome, 200 if job.dry_run else 303)
        except Nonconforming as refusal:
            return Told(entry, refusal.members, refusal)
        except Refusal as refusal:
            return Told(entry, refusal=_worded(refusal))
        return Told(entry, orjson.loads(outcome.account or b"{}"))


def require_same_origin(call: Call) -> None:
    """Raises Forbidden for a form that another site has sent (Fetch Metadata; the Origin where a browser does not tell)."""
    site, origin = call.header(b"sec-fetch-site"), call.header(b"origin")
    if site not in ("", "same-origin", "none") or (origin and urlsplit(origin).netloc != call.header(b"host")):
        raise Forbidden("This form is taken from the pages of this service alone. A program writes to /graphs.")


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
    if isinstance(refusal, DeadlineExceeded):
        return DeadlineExceeded(
            "It was not judged in time, the service is busy. Nothing is stored; try again.", **refusal.members
        )
    return refusal
