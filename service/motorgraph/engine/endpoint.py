"""The connection of one process to a SPARQL endpoint: queries and updates over HTTP, answers as streams, faults as refusals."""

from __future__ import annotations

import http.client
import os
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit
from urllib.request import (
    AbstractDigestAuthHandler,
    HTTPPasswordMgrWithDefaultRealm,
    Request,
    parse_http_list,
    parse_keqv_list,
)

from motorgraph.engine.dialects import Told
from motorgraph.engine.place import Place
from motorgraph.errors import BadEvaluation, Failed, StoreAway
from motorgraph.media import NQUADS

FORM = "application/x-www-form-urlencoded"
PIECE_BYTES = 1 << 16
MOST_WORDS = 300
GATEWAY_FAULTS = (502, 503, 504)
"""By what a proxy says that the engine behind it is not there."""
MORE_SECONDS = 2.0
SUCCESS = "00000"  # the SQLSTATE of what ended well, which Virtuoso says now and then (ISO/IEC 9075-2, 24.1)
FAULTS = (OSError, http.client.HTTPException)


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent, and in which format."""

    text: bytes
    media_type: str


def digest(challenge: str, url: str, user: str, password: str) -> str:
    """The header by which a name and a password answer a challenge (RFC 7616)."""
    known = HTTPPasswordMgrWithDefaultRealm()
    known.add_password(None, url, user, password)
    asked = parse_keqv_list(parse_http_list(challenge.partition(" ")[2]))
    return f"Digest {AbstractDigestAuthHandler(known).get_authorization(Request(url, method='POST'), asked)}"  # noqa: S310  # not opened


class Endpoint:
    """Asks one after the other over a connection that stays; a process that was forked makes one of its own."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._kept: dict[str, http.client.HTTPConnection] = {}
        self._pid = os.getpid()

    def query(self, text: str, accept: str, dataset: Sequence[tuple[str, str]] = ()) -> Reply:
        """The answer to a query, as far as its head. Raises StoreAway, or BadEvaluation in the endpoint's own words."""
        return self._asked(self.place.url, _form([("query", text), *dataset, *self._ending]), accept, again=True)

    @property
    def _ending(self) -> Told:
        """By when the endpoint is to give a query up: later than we do, since what it gives up may look whole."""
        place = self.place
        if not place.seconds or (place.kind.guarded and not place.authorization):
            return ()
        return place.kind.ending(place.seconds + MORE_SECONDS)

    def update(self, text: str) -> None:
        """Makes an update. Raises StoreAway where it cannot be told whether it was made, BadEvaluation where it was not."""
        self._asked(self.place.updates, _form([("update", text)]), "*/*", again=False).read()

    def load(self, lines: bytes) -> None:
        """Has N-Quads come, or some of them. Raises as `update` does, and Failed where it takes none."""
        self._asked(self.place.loads, Body(lines, NQUADS.media_type), "*/*", again=False).read()

    def close(self) -> None:
        """Lets go of the connections."""
        for connection in self._kept.values():
            connection.close()
        self._kept.clear()

    def _asked(self, url: str, body: Body, accept: str, *, again: bool) -> Reply:
        """Sends a request. One over a kept connection that has gone meanwhile is sent once more, if that can do no harm."""
        if self._pid != os.getpid():  # the other end belongs to whoever has forked this process
            self._kept, self._pid = {}, os.getpid()
        kept = self._kept.pop(url, None)
        if kept is not None and again:
            try:
                return self._sent(kept, url, body, accept)
            except FAULTS:
                kept.close()
        elif kept is not None:
            kept.close()  # whether it still stands is only known when it is used, and an update is sent once
        try:
            return self._sent(self._connected(url), url, body, accept)
        except FAULTS as error:
            raise away(error) from error

    def _connected(self, url: str) -> http.client.HTTPConnection:
        parts = urlsplit(url)
        assert parts.hostname is not None  # settings have looked
        if parts.scheme == "https":
            context = ssl.create_default_context()
            made: http.client.HTTPConnection = http.client.HTTPSConnection(parts.hostname, parts.port, context=context)
        else:
            made = http.client.HTTPConnection(parts.hostname, parts.port)
        made.timeout = self.place.connect_seconds
        made.connect()
        made.sock.settimeout(self.place.seconds or None)
        return made

    def _sent(self, connection: http.client.HTTPConnection, url: str, body: Body, accept: str, signed: str = "") -> Reply:
        parts = urlsplit(url)
        headers = {"Content-Type": body.media_type, "Accept": accept, "Accept-Encoding": "identity", "User-Agent": "motorgraph"}
        if signed or self.place.authorization:
            headers["Authorization"] = signed or self.place.authorization
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body.text, headers)
        response = connection.getresponse()
        challenge = response.getheader("WWW-Authenticate") or ""
        if response.status == http.client.UNAUTHORIZED and not signed and self.place.password and challenge.startswith("Digest "):
            response.close()
            connection.close()
            signed = digest(challenge, url, self.place.user, self.place.password)
            return self._sent(self._connected(url), url, body, accept, signed)
        state = response.getheader("X-SQL-State", SUCCESS)
        if cut := response.getheader("X-SPARQL-MaxRows") or (state if state != SUCCESS else ""):
            response.close()
            connection.close()
            raise Failed(f"The store cuts its answers short ({cut}). Lift its limits of rows and time, for ours are kept anyway.")
        reply = Reply(self, connection, url, response)
        if reply.status not in (200, 201, 202, 204):
            raise _fault(reply.status, reply.read())
        return reply

    def keep(self, url: str, connection: http.client.HTTPConnection) -> None:
        """Takes back a connection whose answer has been read; one is enough."""
        if url in self._kept:
            connection.close()
        else:
            self._kept[url] = connection


class Reply:
    """An answer on its way. What ends before it is whole raises StoreAway."""

    def __init__(
        self, endpoint: Endpoint, connection: http.client.HTTPConnection, url: str, response: http.client.HTTPResponse
    ) -> None:
        self._endpoint, self._connection, self._url, self._response = endpoint, connection, url, response
        self.status = response.status
        self.media_type = (response.getheader("Content-Type") or "").partition(";")[0].strip().lower()

    def pieces(self) -> Iterable[bytes]:
        """The bytes as they come."""
        try:
            while piece := self._response.read1(PIECE_BYTES):
                yield piece
            if self._response.length:  # http.client takes a body that was cut for a whole one if it reads in pieces
                raise http.client.IncompleteRead(b"", self._response.length)
        except FAULTS as error:
            self._connection.close()
            raise away(error) from error
        if self._response.will_close:
            self._connection.close()
        else:
            self._endpoint.keep(self._url, self._connection)

    def read(self) -> bytes:
        """All of it."""
        return b"".join(self.pieces())


def _form(told: Sequence[tuple[str, str]]) -> Body:
    return Body(urlencode(told).encode(), FORM)


def away(error: Exception) -> StoreAway:
    """What a connection that fails means."""
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return StoreAway(f"The store does not answer: {words}. It is asked again every second; /ready says when it is back.")


def _fault(status: int, said: bytes) -> StoreAway | Failed | BadEvaluation:
    words = " ".join(said.decode("utf-8", "replace").split())[:MOST_WORDS]
    if status in GATEWAY_FAULTS:
        return StoreAway(f"The store cannot be had: {status} {words}")
    if status in (401, 403, 404, 405):
        return Failed(f"The store refuses us: {status} {words} Look at the settings remote… of the service.")
    return BadEvaluation(f"The store says: {status} {words}")
