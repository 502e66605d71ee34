"""Every refusal that a client can meet, as one tree.

* Refusal                       a meaning, a status, a detail that says what was wrong and what would be right
  + BadRequest            400   the request does not say what the protocol needs
    - BadSyntax           400   query, update or data that does not parse; has line and column
    - BadEvaluation       400   parsed, but cannot be evaluated (an unknown function, say)
  + Unauthorized          401   no token where one is needed
    - InvalidToken        401   a token that is none of ours
  + Forbidden             403   a host, a graph or a write that the settings do not allow
    - InsufficientScope   403   a token that is not good for this; names the scope that is
    - Replica             403   a write to a read replica; names the upstream that takes it
  + NotFound              404
  + Gone                  410   it was there once; names the commit that removed it
  + MethodNotAllowed      405   lists what is allowed
  + NotAcceptable         406   lists what there is
  + Conflict              409   the same write is under way already
  + PreconditionFailed    412   the graph has changed since the client saw it, or is there already
  + TooLarge              413   a body or a query over the limit
  + UnsupportedMediaType  415   lists what is read
  + RangeNotSatisfiable   416   a range of bytes beyond the end of a file; says how long it is
  + Nonconforming         422   the change breaks the shapes; carries the report
  + BadShapes             422   shapes that cannot be used; says which one and why
  + OutOfScope            422   a patch of one graph that would change another
  + OutOfReach            422   an older commit whose graph cannot be rebuilt within the limits
  + KeyReused             422   an Idempotency-Key that stands for another request
  + BadParameter          422   a value that a question cannot take; names it, and what may have been meant
  + NoCanonicalForm       422   blank nodes that cannot be told apart in the time for it
  + TooManyAttempts       429   too many wrong tokens from one address; says when to come again
  + Overloaded            429   too many ask for pages of the feed at once; says when to come again
  + Failed                500   the service tried and could not
    - InsufficientStorage 507   the disk is full, so a change cannot be kept
    - Diverged            500   what a read replica follows is not, or no longer, what its own history continues in
    - OutOfMemory         500   the query needed more than its memory
    - ReaderDied          500   the process that evaluated the query ended
  + Unavailable           503   not now; says when to come again
    - DeadlineExceeded    503
    - QueueFull           503
    - NotReady            503

A `Broken` is no refusal: the answer failed after its first byte, so the connection has to break.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import Any, ClassVar

_CHALLENGE = b'Bearer realm="motorgraph"'  # RFC 6750 §3
FIRST_VIOLATIONS = 10


class Broken(Exception):
    """An answer that failed after it had begun; the connection ends so that no cut body looks complete."""


class Refusal(Exception):
    """A request that is not carried out; `detail` says what was wrong and what would be right."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Refused"
    kind: ClassVar[str] = "refusal"
    """The last part of the problem's `type`, such as `bad-syntax`; made from the name of the class."""

    def __init_subclass__(cls) -> None:
        cls.kind = "".join(f"-{c.lower()}" if c.isupper() else c for c in cls.__name__).lstrip("-")

    def __init__(self, detail: str, **members: Any) -> None:  # Any: members are whatever JSON can say
        super().__init__(detail)
        self.detail = detail
        self.members = members

    def headers(self) -> list[tuple[bytes, bytes]]:
        """HTTP headers that belong to this refusal besides the content type."""
        return []


class BadRequest(Refusal):
    status, title = 400, "Bad request"


class BadSyntax(BadRequest):
    title = "Syntax error"


class BadEvaluation(BadRequest):
    title = "Cannot be evaluated"


class Unauthorized(Refusal):
    status, title = 401, "A token is needed"

    def headers(self) -> list[tuple[bytes, bytes]]:
        return [(b"www-authenticate", _CHALLENGE)]


class InvalidToken(Unauthorized):
    title = "Wrong token"

    def headers(self) -> list[tuple[bytes, bytes]]:
        return [(b"www-authenticate", _CHALLENGE + b', error="invalid_token"')]


class Forbidden(Refusal):
    status, title = 403, "Not allowed"


class InsufficientScope(Forbidden):
    title = "The token is not good for this"

    @classmethod
    def of(cls, what: str, scope: str) -> InsufficientScope:
        return cls(f"{what}; this needs a token with the scope {scope}.", scope=scope)

    def headers(self) -> list[tuple[bytes, bytes]]:
        wanted = f', error="insufficient_scope", scope="{self.members["scope"]}"'
        return [(b"www-authenticate", _CHALLENGE + wanted.encode())]


class Replica(Forbidden):
    title = "This is a read replica"

    @classmethod
    def of(cls, upstream: str) -> Replica:
        return cls(f"This is a read replica, which only follows {upstream}. Send the change there.", upstream=upstream)


class NotFound(Refusal):
    status, title = 404, "Not found"


class Gone(Refusal):
    status, title = 410, "Gone"


class MethodNotAllowed(Refusal):
    status, title = 405, "Method not allowed"

    def __init__(self, method: str, allowed: str) -> None:
        super().__init__(f"{method} does nothing here; use {allowed}.", allow=allowed)

    def headers(self) -> list[tuple[bytes, bytes]]:
        return [(b"allow", str(self.members["allow"]).encode())]


class NotAcceptable(Refusal):
    status, title = 406, "No such format"


class Conflict(Refusal):
    status, title = 409, "Under way already"


class PreconditionFailed(Refusal):
    status, title = 412, "The graph is not as expected"


class TooLarge(Refusal):
    status, title = 413, "Too large"


class UnsupportedMediaType(Refusal):
    status, title = 415, "Unsupported media type"

    def headers(self) -> list[tuple[bytes, bytes]]:
        found = []
        if "codings" in self.members:
            found.append((b"accept-encoding", ", ".join(self.members["codings"]).encode() or b"identity"))
        if "patches" in self.members:
            found.append((b"accept-patch", ", ".join(self.members["patches"]).encode()))
        return found


class RangeNotSatisfiable(Refusal):
    status, title = 416, "No such range"

    def headers(self) -> list[tuple[bytes, bytes]]:
        return [(b"content-range", f"bytes */{self.members['size']}".encode())]


class Nonconforming(Refusal):
    status, title = 422, "The change breaks the shapes"


class BadShapes(Refusal):
    status, title = 422, "The shapes are faulty"


class OutOfScope(Refusal):
    status, title = 422, "The patch is about another graph"


class OutOfReach(Refusal):
    status, title = 422, "The commit is out of reach"


class KeyReused(Refusal):
    status, title = 422, "The key stands for another request"


class BadParameter(Refusal):
    status, title = 422, "A value cannot be taken"


class NoCanonicalForm(Refusal):
    status, title = 422, "No canonical form"


class TooManyAttempts(Refusal):
    status, title = 429, "Too many wrong tokens"

    def headers(self) -> list[tuple[bytes, bytes]]:
        return [(b"retry-after", str(self.members["retry_after"]).encode())]


class Overloaded(Refusal):
    status, title = 429, "Too many at once"

    def headers(self) -> list[tuple[bytes, bytes]]:
        return [(b"retry-after", b"1")]


class Failed(Refusal):
    status, title = 500, "Failed"


class InsufficientStorage(Failed):
    status, title = 507, "No room on the disk"


class Diverged(Failed):
    title = "The histories have parted"


class OutOfMemory(Failed):
    title = "The query needed too much memory"


class ReaderDied(Failed):
    title = "The reader of this query died"


class Unavailable(Refusal):
    status, title = 503, "Not now"
    retry_after: ClassVar[int] = 1

    def headers(self) -> list[tuple[bytes, bytes]]:
        return [(b"retry-after", str(self.retry_after).encode())]


class DeadlineExceeded(Unavailable):
    title = "The query took too long"
    retry_after = 10


class QueueFull(Unavailable):
    title = "Too many at once"


class NotReady(Unavailable):
    title = "The graph is not loaded yet"
    retry_after = 2


def is_disk_full(error: BaseException) -> bool:
    """Whether the disk, or the share of it that one may have, is used up."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def no_room(where: object) -> InsufficientStorage:
    """What to say when there is no room left to write."""
    return InsufficientStorage(f"There is no room on the disk of {where}. Nothing was changed; make room and send it again.")


def lines(refusal: Refusal) -> Iterator[str]:
    """A refusal for a terminal; of a graph that breaks its shapes the first violations."""
    is_report = isinstance(refusal, Nonconforming)
    yield f"{'The graph breaks its shapes' if is_report else refusal.title}: {refusal.detail}"
    results = refusal.members.get("results", ())
    violations = [result for result in results if result["severity"] == "Violation"] if is_report else []
    for result in violations[:FIRST_VIOLATIONS]:
        yield f"  {result['severity']} {result['focus']} {result['path']}".rstrip()
        yield f"    {result['message']}"
        if result["value"]:
            yield f"    found: {result['value']}"
    if len(violations) > FIRST_VIOLATIONS:
        yield f"  … and {len(violations) - FIRST_VIOLATIONS} more; `motorgraph validate` shows those of a file."


def retold(kind: str, detail: str, members: dict[str, Any]) -> Refusal:  # Any: whatever JSON can say
    """The refusal that another process met, from its kind, detail and members."""
    cls = _KINDS.get(kind, Failed)
    refusal = cls.__new__(cls)
    Refusal.__init__(refusal, detail, **members)
    return refusal


def _below(cls: type[Refusal]) -> Iterator[type[Refusal]]:
    yield cls
    for sub in cls.__subclasses__():
        yield from _below(sub)


_KINDS = {cls.kind: cls for cls in _below(Refusal)}
