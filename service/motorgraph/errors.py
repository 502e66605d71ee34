"""Every refusal that a client can meet, as one tree; each says below when it is met, which the documentation repeats.

* Refusal
  + BadRequest            400
    - BadSyntax           400
    - BadEvaluation       400
  + Unauthorized          401
    - InvalidToken        401
  + Forbidden             403
    - InsufficientScope   403
    - Replica             403
  + NotFound              404
  + Gone                  410
  + MethodNotAllowed      405
  + NotAcceptable         406
  + ClientTooSlow         408
  + Conflict              409
  + PreconditionFailed    412
  + TooLarge              413
  + UnsupportedMediaType  415
  + RangeNotSatisfiable   416
  + HeadTooLong           431
  + Nonconforming         422
  + BadShapes             422
  + OutOfScope            422
  + OutOfReach            422
  + KeyReused             422
  + BadParameter          422
  + NoCanonicalForm       422
  + TooManyAttempts       429
  + QuotaExceeded         429
  + Overloaded            429
    - TooManyOfOneClient  429
  + Failed                500
    - InsufficientStorage 507
    - Diverged            500
    - OutOfMemory         500
    - ReaderDied          500
  + NotRemote             501
  + Unavailable           503
    - DeadlineExceeded    503
    - QueueFull           503
    - TooManyConnections  503
    - NotReady            503
    - StoreAway           503

A `Broken` is no refusal: the answer failed after its first byte, so the connection has to break.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import Any, ClassVar

PROBLEM_TYPES = "https://motorgraph.example/problem/"
"""What the `type` of a problem begins with; its kind follows."""
_CHALLENGE = b'Bearer realm="motorgraph"'  # RFC 6750 §3
_EXHAUSTED = (errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM)


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
        return [(b"retry-after", b"%d" % self.members["retry_after"])] if "retry_after" in self.members else []


class BadRequest(Refusal):
    """No query, two queries, a parameter that does not fit, a relative graph IRI."""

    status, title = 400, "Bad request"


class BadSyntax(BadRequest):
    """Query, update or data does not parse; `line` and `column` say where."""

    title = "Syntax error"


class BadEvaluation(BadRequest):
    """It parses and cannot be evaluated, as with an unknown function."""

    title = "Cannot be evaluated"


class Unauthorized(Refusal):
    """A write, or a protected read, without a token."""

    status, title = 401, "A token is needed"

    def headers(self) -> list[tuple[bytes, bytes]]:
        return [(b"www-authenticate", _CHALLENGE)]


class InvalidToken(Unauthorized):
    """A token that this service does not know."""

    title = "Wrong token"

    def headers(self) -> list[tuple[bytes, bytes]]:
        return [(b"www-authenticate", _CHALLENGE + b', error="invalid_token"')]


class Forbidden(Refusal):
    """A host (`host`) for `SERVICE` or `LOAD`; a write to a read-only service; a write to the merge of all graphs."""

    status, title = 403, "Not allowed"


class InsufficientScope(Forbidden):
    """The token is right, but not good for this; `scope` names the one that is."""

    title = "The token is not good for this"

    @classmethod
    def of(cls, what: str, scope: str) -> InsufficientScope:
        """What to say of somebody whose scope is too small."""
        return cls(f"{what}; this needs a token with the scope {scope}.", scope=scope)

    def headers(self) -> list[tuple[bytes, bytes]]:
        wanted = f', error="insufficient_scope", scope="{self.members["scope"]}"'
        return [(b"www-authenticate", _CHALLENGE + wanted.encode())]


class Replica(Forbidden):
    """A write to a read replica; `upstream` names the service that takes it."""

    title = "This is a read replica"

    @classmethod
    def of(cls, upstream: str) -> Replica:
        """What to say at a replica of that upstream."""
        return cls(f"This is a read replica, which only follows {upstream}. Send the change there.", upstream=upstream)


class NotFound(Refusal):
    """No such address, graph or thing; `near` lists things with names like it."""

    status, title = 404, "Not found"


class Gone(Refusal):
    """The thing was there once; `commit` removed the last statement about it."""

    status, title = 410, "Gone"


class MethodNotAllowed(Refusal):
    """`Allow` lists what is."""

    status, title = 405, "Method not allowed"

    def __init__(self, method: str, allowed: str) -> None:
        super().__init__(f"{method} does nothing here; use {allowed}.", allow=allowed)

    def headers(self) -> list[tuple[bytes, bytes]]:
        return [(b"allow", str(self.members["allow"]).encode())]


class NotAcceptable(Refusal):
    """`available` lists what there is."""

    status, title = 406, "No such format"


class ClientTooSlow(Refusal):
    """The head of a request took longer than `client-seconds`, or its body came slower than a kilobyte a second for as long."""

    status, title = 408, "The request came too slowly"


class Conflict(Refusal):
    """A write with the same `Idempotency-Key` is under way."""

    status, title = 409, "Under way already"


class PreconditionFailed(Refusal):
    """The graph has changed since it was read, or is there already."""

    status, title = 412, "The graph is not as expected"


class TooLarge(Refusal):
    """A body, query or answer over its limit; a document nested too deeply."""

    status, title = 413, "Too large"


class HeadTooLong(Refusal):
    """The head of a request, or what frames its body, is longer than any that is answered (4 MiB)."""

    status, title = 431, "The head is too long"


class UnsupportedMediaType(Refusal):
    """`readable` lists what is read."""

    status, title = 415, "Unsupported media type"

    def headers(self) -> list[tuple[bytes, bytes]]:
        found = []
        if "codings" in self.members:
            found.append((b"accept-encoding", ", ".join(self.members["codings"]).encode() or b"identity"))
        if "patches" in self.members:
            found.append((b"accept-patch", ", ".join(self.members["patches"]).encode()))
        return found


class RangeNotSatisfiable(Refusal):
    """A range of bytes that begins behind the end of a file; `size` is how long it is."""

    status, title = 416, "No such range"

    def headers(self) -> list[tuple[bytes, bytes]]:
        return [(b"content-range", f"bytes */{self.members['size']}".encode())]


class Nonconforming(Refusal):
    """The change breaks the shapes; `results` is the report, `total` how many there are."""

    status, title = 422, "The change breaks the shapes"


class BadShapes(Refusal):
    """Shapes that cannot be used: which one and why."""

    status, title = 422, "The shapes are faulty"


class NotRemote(Refusal):
    """What only a graph in memory can do, asked of a remote store."""

    status, title = 501, "Not with a remote store"


class OutOfScope(Refusal):
    """A patch of one graph would change another."""

    status, title = 422, "The patch is about another graph"


class OutOfReach(Refusal):
    """The graph of an older commit cannot be rebuilt within the limits."""

    status, title = 422, "The commit is out of reach"


class KeyReused(Refusal):
    """An `Idempotency-Key` stands for another request."""

    status, title = 422, "The key stands for another request"


class BadParameter(Refusal):
    """A question cannot take a value; `errors` says which `field`, what would be right, and what is `near`."""

    status, title = 422, "A value cannot be taken"


class NoCanonicalForm(Refusal):
    """The blank nodes of a graph cannot be told apart in time."""

    status, title = 422, "No canonical form"


class TooManyAttempts(Refusal):
    """Ten wrong tokens from this address within a minute; `retry_after` and `Retry-After` say when to come again."""

    status, title = 429, "Too many wrong tokens"


class QuotaExceeded(Refusal):
    """More than one client may have (`client-requests`, `client-query-seconds`); `violated-policies` names what `RateLimit` does,
    `Retry-After` says when to come again."""

    status, title = 429, "Too much for one client"


class Overloaded(Refusal):
    """Too many ask for pages of the feed at once; `Retry-After` says when to come again."""

    status, title = 429, "Too many at once"

    def headers(self) -> list[tuple[bytes, bytes]]:
        return [(b"retry-after", b"1")]


class TooManyOfOneClient(Overloaded):
    """One client has `client-connections` open, none of them idle; only /health, /ready and /metrics are answered. `Retry-After`
    says when to come again."""

    title = "Too many connections of one client"

    @classmethod
    def of(cls, most: int) -> TooManyOfOneClient:
        """What to say where so many of one client may be open."""
        return cls(f"You have {most} connections open already (setting client_connections). Try again in a second.")


class Failed(Refusal):
    """A fault of the service; the log has it under the request's id."""

    status, title = 500, "Failed"


class InsufficientStorage(Failed):
    """There is no room on the disk to keep the change; nothing was changed."""

    status, title = 507, "No room on the disk"


class Diverged(Failed):
    """Never an answer: why a read replica follows no more, in its log and in `/ready`."""

    title = "The histories have parted"


class OutOfMemory(Failed):
    """The query needed more than `query-memory`."""

    title = "The query needed too much memory"


class ReaderDied(Failed):
    """The process that evaluated it ended: too deeply nested, or killed."""

    title = "The reader of this query died"


class Unavailable(Refusal):
    """The service is stopping; a dump is still being made; no more processes or files are given; the keeper is held up."""

    status, title = 503, "Not now"
    retry_after: ClassVar[int] = 1

    def headers(self) -> list[tuple[bytes, bytes]]:
        return [(b"retry-after", str(self.retry_after).encode())]


class DeadlineExceeded(Unavailable):
    """Longer than `query-seconds`, the wait included."""

    title = "The query took too long"
    retry_after = 10


class QueueFull(Unavailable):
    """Too many dumps at once, more than `queue-length` queries, `write-queue-length` writes, or `bodies-bytes` of bodies."""

    title = "Too many at once"


class TooManyConnections(Unavailable):
    """More than `connections` are open, and none of them is idle; only /health, /ready and /metrics are answered."""

    title = "Too many connections"

    @classmethod
    def of(cls, most: int) -> TooManyConnections:
        """What to say where so many may be open."""
        return cls(f"{most} connections are open already (setting connections). Try again in a second.")


class NotReady(Unavailable):
    """Still loading or validating."""

    title = "The graph is not loaded yet"
    retry_after = 2


class StoreAway(Unavailable):
    """The remote store (setting remote) cannot be reached, or broke off."""

    title = "The store is away"
    retry_after = 2


def is_disk_full(error: BaseException) -> bool:
    """Whether the disk, or the share of it that one may have, is used up."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def no_room(where: object) -> InsufficientStorage:
    """What to say when there is no room left to write."""
    return InsufficientStorage(f"There is no room on the disk of {where}. Nothing was changed; make room and send it again.")


def is_exhausted(error: BaseException) -> bool:
    """Whether the machine gives no more processes, threads, open files or memory; a moment later it may."""
    return (isinstance(error, OSError) and error.errno in _EXHAUSTED) or (
        isinstance(error, RuntimeError) and str(error) == "can't start new thread"  # what Python says where fork says EAGAIN
    )


def exhausted(error: BaseException) -> Unavailable:
    """What to say then."""
    return Unavailable(f"The machine has no more processes or open files to give: {error}. Nothing was changed; try again.")


def retold(kind: str, detail: str, members: dict[str, Any]) -> Refusal:  # Any: whatever JSON can say
    """The refusal that another process met, from its kind, detail and members."""
    cls = _KINDS.get(kind, Failed)
    refusal = cls.__new__(cls)
    Refusal.__init__(refusal, detail, **members)
    return refusal


def every_refusal() -> list[type[Refusal]]:
    """All kinds of refusals that there are."""
    return list(_KINDS.values())[1:]  # the first is what they have in common


def _below(cls: type[Refusal]) -> Iterator[type[Refusal]]:
    yield cls
    for sub in cls.__subclasses__():
        yield from _below(sub)


_KINDS = {cls.kind: cls for cls in _below(Refusal)}
