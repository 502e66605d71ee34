"""What the journal is to say of a write: who makes it, and why."""

from __future__ import annotations

from dataclasses import replace

from motorgraph.bearer import Bearer, Scope
from motorgraph.engine.wire import Job
from motorgraph.errors import BadRequest
from motorgraph.protocol import Call

MOST_MESSAGE_CHARACTERS = 2000


def signed(job: Job, call: Call, bearer: Bearer) -> Job:
    """The job with its author, what he may do, and X-Commit-Message (UTF-8), else the method and what it was sent to.

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
    told = message or f"{call.method} {call.path}{about}"
    return replace(job, author=bearer.name, is_admin=bearer.scope >= Scope.ADMIN, message=told)
