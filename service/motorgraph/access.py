"""Who may do what here: the bearers of the settings, what each address has tried, and whether reads are open."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from motorgraph.attempts import Attempts
from motorgraph.audit import Attempt, Audit
from motorgraph.bearer import Bearer, Scope, find
from motorgraph.engine.wire import Job
from motorgraph.errors import Forbidden, InsufficientScope, InvalidToken, Replica, TooManyAttempts, Unauthorized
from motorgraph.protocol import Call
from motorgraph.settings import Settings

SECURITY_TXT = "/.well-known/security.txt"
OPEN_PATHS = ("/health", "/ready", SECURITY_TXT)
OPEN_FOLDER = "/static/"
MANIFESTS = ("/reconcile", "/reconcile/v1")
"""What a client reads to learn that it has to bring a token (Reconciliation Service API 0.2, Authentication)."""
log = logging.getLogger("motorgraph.access")


class Access:
    """The bearers of one service. `protects_reads` says whether a read needs a token too."""

    def __init__(self, settings: Settings) -> None:
        self.audit = Audit(settings.audit_log)
        self.protects_reads = settings.protect_reads
        self._bearers = settings.bearers
        self._is_writable = settings.is_writable
        self._upstream = settings.follow
        self._attempts = Attempts()

    def protects(self, call: Call) -> bool:
        """Whether nobody gets what is there without a token."""
        is_open = call.path in OPEN_PATHS or call.path.startswith(OPEN_FOLDER) or _is_for_manifest(call)
        return self.protects_reads and not is_open

    def bearer_of(self, call: Call) -> str:
        """The name of whoever the request's token is of, "" for none."""
        if b"authorization" not in call.headers:
            return ""
        bearer = find(self._bearers, _token(call))
        return bearer.name if bearer else ""

    def admits(self, call: Call) -> bool:
        """Whether the request brings a token that is good for a read; if not, it is for `require` to say and count it."""
        token = _token(call)
        bearer = find(self._bearers, token) if token else None
        if bearer is None or self._attempts.seconds_to_wait(call.client, bearer.name):
            return False
        self._attempts.was_right(call.client, bearer.name)
        return True

    def require(self, call: Call, scope: Scope) -> Bearer:
        """Who makes the request. Raises Unauthorized, InvalidToken, InsufficientScope or TooManyAttempts."""
        token = _token(call)
        if not token:
            raise Unauthorized(f"A {scope.word} needs the header 'Authorization: Bearer …' with a token of this service.")
        bearer = find(self._bearers, token)
        wait = self._attempts.seconds_to_wait(call.client, bearer.name if bearer else None)
        if wait:
            raise TooManyAttempts(
                f"Too many wrong tokens came from your address. Come again in {wait} seconds.", retry_after=wait
            )
        if bearer is None:
            if self._attempts.was_wrong(call.client):
                log.warning("too many wrong tokens from one address", extra={"address": call.client})
            raise InvalidToken("The token is none of this service. Ask whoever keeps it for one of your own.")
        self._attempts.was_right(call.client, bearer.name)
        if bearer.scope < scope:
            raise InsufficientScope.of(f"The token of {bearer.name} has the scope {bearer.scope.word}", scope.word)
        return bearer

    @contextmanager
    def writing(self, call: Call, job: Job, size: int = 0) -> Iterator[tuple[Attempt, Bearer]]:
        """Within, a change (`job`, as far as it is known, and the bytes of its body) is tried, which is logged; by whom.

        Raises what `require_write` does, and InsufficientStorage if it cannot be logged.
        """
        with self.audit.attempt(call, job, size) as attempt:
            bearer = self.require_write(call)
            attempt.bearer = bearer.name
            yield attempt, bearer

    def require_write(self, call: Call) -> Bearer:
        """Who makes the change. Raises Forbidden or Replica if nobody may write here, else what `require` does."""
        if self._upstream:
            raise Replica.of(self._upstream)
        if not self._is_writable:
            raise Forbidden(
                "This service is read-only: it was started without a token for writes (settings tokens, write_token)."
            )
        return self.require(call, Scope.WRITE)


def _is_for_manifest(call: Call) -> bool:
    return call.path.rstrip("/") in MANIFESTS and call.method in ("GET", "HEAD") and not call.query_string


def _token(call: Call) -> bytes:
    """The token that the request brings, empty if it brings none."""
    scheme, _, token = call.headers.get(b"authorization", b"").partition(b" ")
    return token.strip() if scheme.lower() == b"bearer" else b""
