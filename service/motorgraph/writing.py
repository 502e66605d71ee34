"""Who may write: the bearer of the token in the settings, over HTTP to a store that takes writes; and what they say of it."""

from __future__ import annotations

import secrets
from dataclasses import replace

from motorgraph.engine.wire import Job
from motorgraph.errors import BadRequest, Forbidden, Unauthorized
from motorgraph.protocol import Call
from motorgraph.settings import Settings


def authorise(call: Call, settings: Settings) -> None:
    """Raises Forbidden if nobody may write here, Unauthorized if this request may not."""
    if settings.write_token is None:
        raise Forbidden("This service is read-only: it was started without a write token (setting write_token).")
    scheme, _, token = call.header(b"authorization").partition(" ")
    if scheme.lower() != "bearer" or not secrets.compare_digest(
        token.strip().encode(), settings.write_token.get_secret_value().encode()
    ):
        raise Unauthorized("A write needs the header 'Authorization: Bearer …' with the service's write token.")


MOST_MESSAGE_CHARACTERS = 2000


def signed(job: Job, call: Call) -> Job:
    """The job with what the journal is to say of it: X-Commit-Message (UTF-8), else the method and what it was sent to.

    Raises BadRequest for a message that is no text of bounded length.
    """
    given = call.headers.get(b"x-commit-message", b"")
    try:
        message = given.decode()
    except UnicodeDecodeError as error:
        raise BadRequest("X-Commit-Message is not UTF-8.") from error
    if len(message) > MOST_MESSAGE_CHARACTERS:
        raise BadRequest(f"X-Commit-Message has {len(message):,} characters; {MOST_MESSAGE_CHARACTERS:,} are taken.")
    about = f" <{job.graph}>" if job.graph else ""
    return replace(job, author="write token", message=message or f"{call.method} {call.path}{about}")
