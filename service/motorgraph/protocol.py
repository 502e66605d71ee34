"""SPARQL 1.1 Protocol and Graph Store Protocol: from an HTTP request to a Query, an Update or a graph's name."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from motorgraph.errors import BadRequest, MethodNotAllowed, Refusal, TooLarge, UnsupportedMediaType
from motorgraph.media import NAMED, leaves_open, refuse_charset
from motorgraph.query import Dataset, Query, Update

if TYPE_CHECKING:
    from motorgraph.engine.answer import Answer

FORM = "application/x-www-form-urlencoded"
QUERY_TYPE = "application/sparql-query"
UPDATE_TYPE = "application/sparql-update"
SPARQL_METHODS = "GET, HEAD, POST, QUERY, OPTIONS"
MOST_PARAMETERS = 1000
CHUNKED = b"chunked"
_HOST = re.compile(rb"(?:[\w.~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?", re.ASCII)
BEGUN = "begun"  # where ASGI's scope["state"] has a Call's `begun`
CROWDED = "crowded"  # there too, if more are connected than may be: the refusal
_PARAMETERS = {
    "query": ("default-graph-uri", "named-graph-uri"),
    "update": ("using-graph-uri", "using-named-graph-uri"),
}

Scope = Mapping[str, Any]  # Any: ASGI's own definition
Receive = Callable[[], Awaitable[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request; headers by lower-case name, several of one name joined (RFC 9110 §5.2).

    `begun` is the answer that a reader is at already, if the server had it begin before it called the application; `client`
    the address that the connection comes from, "" if it has none; `crowded` what to tell it if more are connected than may be.
    """

    method: str
    path: str
    query_string: bytes
    headers: Mapping[bytes, bytes]
    is_http_1_0: bool
    scheme: str
    raw_path: bytes = b""
    begun: Answer | None = None
    client: str = ""
    crowded: Refusal | None = None

    @classmethod
    def of(cls, scope: Scope) -> Call:
        """The request of an ASGI scope."""
        return cls(
            scope["method"],
            scope["path"],
            scope["query_string"],
            by_name(scope["headers"]),
            scope["http_version"] == "1.0",
            scope["scheme"],
            scope.get("raw_path") or scope["path"].encode(),
            scope.get("state", {}).get(BEGUN),
            (scope.get("client") or ("",))[0],
            scope.get("state", {}).get(CROWDED),
        )

    def header(self, name: bytes) -> str:
        """A header's value; "" if it was not sent."""
        return self.headers.get(name, b"").decode("latin-1")

    @property
    def media_type(self) -> str:
        """The Content-Type without its parameters, in lower case."""
        return self.header(b"content-type").partition(";")[0].strip().lower()

    @property
    def origin(self) -> str:
        """The address of this service for the client: scheme, host and port."""
        return f"{self.scheme}://{self.header(b'host') or 'localhost'}"

    @property
    def url(self) -> str:
        """The address that the client asked for, without the query string."""
        return f"{self.origin}{self.path}"


def is_clear(call: Call) -> bool:
    """Whether it is clear whom a request is for and how its body is framed, for whoever else reads it on its way too.

    It names one Host, in the letters of a name or address (RFC 9112 §3.2; HTTP/1.0 need not), and has no transfer coding but
    chunks (§6.1).
    """
    return _names_host(call) and call.headers.get(b"transfer-encoding", CHUNKED).lower() == CHUNKED


def announces_body(call: Call) -> bool:
    """Whether a body follows the head of a request (RFC 9112 §6)."""
    return b"content-length" in call.headers or b"transfer-encoding" in call.headers


def require_clear(call: Call) -> None:
    """Raises BadRequest for a request that is not clear."""
    if is_clear(call):
        return
    if _names_host(call):
        raise BadRequest("A body is read as it is or in chunks ('Transfer-Encoding: chunked'), and in no other transfer coding.")
    raise BadRequest("A request names the host that it is for in one header Host, such as 'Host: localhost:8800'.")


def _names_host(call: Call) -> bool:
    host = call.headers.get(b"host")
    return call.is_http_1_0 if host is None else _HOST.fullmatch(host) is not None


def by_name(headers: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Headers by name, several of one name joined."""
    found = dict(headers)
    if len(found) == len(headers):
        return found
    found.clear()
    for name, value in headers:
        found[name] = found[name] + b", " + value if name in found else value
    return found


async def read_body(call: Call, receive: Receive, limit: int, setting: str) -> bytes:
    """The whole body. Raises TooLarge, before reading it where its length is announced; BadRequest if it was cut off."""
    length = call.header(b"content-length")
    if length.isdigit() and int(length) > limit:
        raise _too_large(limit, setting)
    pieces, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadRequest("The body ended before it was whole.")
        piece = message.get("body", b"")
        size += len(piece)
        if size > limit:
            raise _too_large(limit, setting)
        pieces.append(piece)
        if not message.get("more_body", False):
            return b"".join(pieces)


def refuse_codings(call: Call, read: Sequence[str]) -> str:
    """The Content-Encoding of the body, "" for none. Raises UnsupportedMediaType for one that is not among those read."""
    coding = call.header(b"content-encoding").strip().lower()
    if coding in ("", "identity"):
        return ""
    if coding not in read:
        raise UnsupportedMediaType(
            f"A body in the coding {coding!r} is not read here; send it {' or '.join(['as it is', *read])}.", codings=list(read)
        )
    return coding


def _too_large(limit: int, setting: str) -> TooLarge:
    return TooLarge(f"More than {limit:,} bytes are not taken here (setting {setting}).", limit=limit)


def operation(call: Call, body: bytes) -> Query | Update | None:
    """What a request to /sparql asks for; None if it names no operation and so asks for the service description.

    Raises BadRequest, MethodNotAllowed or UnsupportedMediaType.
    """
    if call.method in ("GET", "HEAD"):
        parameters = _parameters(call.query_string)
        if "update" in parameters:
            raise BadRequest("An update is never sent with GET. Send it with POST.")
        return _operation(parameters, call) if parameters else None
    if call.method == "QUERY" or call.media_type == QUERY_TYPE:
        return _direct("query", call, body)
    if call.method != "POST":
        raise MethodNotAllowed(call.method, SPARQL_METHODS)
    if call.media_type == UPDATE_TYPE:
        return _direct("update", call, body)
    if call.media_type == FORM:
        return _operation(_merged(_parameters(call.query_string), _parameters(body)), call)
    raise UnsupportedMediaType(
        f"{call.media_type or 'A body without a Content-Type'} is not read here; send {FORM}, {QUERY_TYPE} or {UPDATE_TYPE}.",
        readable=[FORM, QUERY_TYPE, UPDATE_TYPE],
    )


def _merged(one: dict[str, list[str]], other: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: one.get(name, []) + other.get(name, []) for name in one.keys() | other.keys()}


def _parameters(text: bytes) -> dict[str, list[str]]:
    """The parameters of a query string or form, decoded once. Raises BadRequest if they are not UTF-8."""
    found: dict[str, list[str]] = {}
    try:
        pairs = parse_qsl(text.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
    except UnicodeDecodeError as error:
        raise BadRequest(f"The parameters are not percent-encoded UTF-8: {error.reason} at byte {error.start}.") from error
    except ValueError as error:
        raise BadRequest(f"The parameters cannot be read: {error}.") from error
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def _direct(kind: str, call: Call, body: bytes) -> Query | Update:
    if call.method == "QUERY" and call.media_type not in (QUERY_TYPE, ""):
        raise UnsupportedMediaType(f"The method QUERY takes {QUERY_TYPE}.", readable=[QUERY_TYPE])
    parameters = _parameters(call.query_string)
    for name in ("query", "update"):
        if name in parameters:
            raise BadRequest(f"The {kind} is the body, so there may be no parameter {name!r} beside it.")
    return _built(kind, body_text(kind, body, call), parameters, call)


def body_text(kind: str, body: bytes, call: Call) -> str:
    """The query, update or patch that is the body. Raises UnsupportedMediaType or BadRequest if it is no UTF-8."""
    refuse_charset(call.header(b"content-type"))
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise BadRequest(f"The {kind} is not UTF-8: {error.reason} at byte {error.start}.") from error
    _refuse_nul(kind, text)
    return text


def _refuse_nul(kind: str, text: str) -> None:
    if "\x00" in text:
        raise BadRequest(f"The {kind} holds a NUL character.")


def _operation(parameters: dict[str, list[str]], call: Call) -> Query | Update:
    given = [(kind, text) for kind in ("query", "update") for text in parameters.get(kind, [])]
    if len(given) != 1:
        raise BadRequest(
            f"Send exactly one parameter 'query' or 'update', not {len(given)}."
            if given
            else "There is no parameter 'query' or 'update'. Send exactly one."
        )
    kind, text = given[0]
    return _built(kind, text, parameters, call)


def _built(kind: str, text: str, parameters: dict[str, list[str]], call: Call) -> Query | Update:
    other = _PARAMETERS["update" if kind == "query" else "query"]
    for name in other:
        if name in parameters:
            raise BadRequest(f"{name} does not go with a {kind}; use {' and '.join(_PARAMETERS[kind])}.")
    _refuse_nul(kind, text)
    default, named = (_graphs(name, parameters.get(name, [])) for name in _PARAMETERS[kind])
    dataset = Dataset(default, named)
    if kind == "query":
        return Query(text, dataset, call.url, at=one(parameters, "at"), form=_form(parameters, call))
    if "at" in parameters:
        raise BadRequest("at=… is for a query: what has been cannot be changed.")
    return Update(text, dataset, call.url, dry_run=_dry_run(parameters))


def _form(parameters: Mapping[str, Sequence[str]], call: Call) -> str:
    """The format that the address names, where `Accept` leaves it open: SPARQLWrapper sends both, in names of its own.

    Raises BadRequest for one that there is not.
    """
    if not leaves_open(call.header(b"accept")):
        return ""
    name = one(parameters, "format")
    if name and name not in NAMED:
        raise BadRequest(f"There is no format {name[:40]!r}; format=… takes {', '.join(NAMED)}.")
    return name


def query_parameters(call: Call) -> dict[str, list[str]]:
    """The parameters of a request's address. Raises BadRequest if they are not UTF-8."""
    return _parameters(call.query_string)


def moment(call: Call) -> str:
    """The commit or time that a read is about (`?at=`), "" for the newest. Raises BadRequest."""
    return said(call, "at")


def said(call: Call, name: str) -> str:
    """The value of a parameter of the address that may be given once, "" if it is not. Raises BadRequest."""
    return one(_parameters(call.query_string), name) if call.query_string else ""


def one(parameters: Mapping[str, Sequence[str]], name: str) -> str:
    """The value of a parameter that may be given once, "" if it is not. Raises BadRequest."""
    given = parameters.get(name, ())
    if len(given) > 1 or given == [""]:
        raise BadRequest(f"Give the parameter {name!r} once, and a value to it.")
    return given[0] if given else ""


def is_dry_run(call: Call) -> bool:
    """Whether a write is only to be rehearsed (`?dry-run=true`). Raises BadRequest for what is neither true nor false."""
    return _dry_run(_parameters(call.query_string))


def _dry_run(parameters: Mapping[str, Sequence[str]]) -> bool:
    """As `is_dry_run`. A name that only looks like it is refused too: the write would be made, which its sender did not want."""
    meant = [name for name in parameters if name.lower().replace("_", "").replace("-", "") == "dryrun"]
    given = [value for name in meant for value in parameters[name]]
    if set(meant) - {"dry-run"} or given not in ([], ["true"], ["false"]):
        raise BadRequest("A rehearsal is asked for by ?dry-run=true, once; ?dry-run=false is as good as nothing.")
    return given == ["true"]


def _graphs(name: str, iris: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(absolute(iri, name) for iri in iris))


def absolute(iri: str, parameter: str) -> str:
    """The IRI if it is absolute and has no character that an IRI cannot have. Raises BadRequest."""
    try:
        has_scheme = bool(urlsplit(iri).scheme)
    except ValueError:
        has_scheme = False
    if not has_scheme or any(c in '<>"{}|\\^`' or c <= " " for c in iri):
        raise BadRequest(f"{parameter}={iri[:200]!r} is no absolute IRI, such as https://motorgraph.example/graph/accepted.")
    return iri


def form_parameters(body: bytes) -> dict[str, list[str]]:
    """The fields of a form that was sent as a body. Raises BadRequest."""
    return _parameters(body)


def graph_name(call: Call, base: str) -> str | None:
    """The graph that a request to /graphs names: an IRI, "" for the default graph, None for the store itself.

    `?graph=IRI` and `?default` name it indirectly (GSP §4.2), a path below /graphs/ directly (§4.1): its IRI is `base` + path.
    Raises BadRequest.
    """
    parameters = _parameters(call.query_string)
    given = parameters.get("graph", [])
    if len(given) + ("default" in parameters) > 1:
        raise BadRequest("Name one graph: either ?graph=IRI once, or ?default.")
    if given:
        return absolute(given[0], "graph")
    if "default" in parameters:
        return ""
    path = call.raw_path.decode("latin-1")
    return None if path.rstrip("/") == "/graphs" else absolute(base + path, "path")
