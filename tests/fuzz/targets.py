"""What is fuzzed: each target takes bytes, and raises only if something is wrong. A Refusal is what a stranger may get."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime

from motorgraph import media, operations, patch, protocol
from motorgraph.conditions import is_known
from motorgraph.dates import spoken, vague
from motorgraph.engine import body, looks, nesting, sent
from motorgraph.engine.wire import Job
from motorgraph.errors import Refusal
from motorgraph.grammar import departure
from motorgraph.once import key_of
from motorgraph.outcome import Wish
from motorgraph.protocol import Call, by_name
from motorgraph.ranges import Validators
from motorgraph.reconciliation import Extension, records, records_1
from motorgraph.theme import chosen, without_conditions
from motorgraph.tokens import tokens, unescape_unicode

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "QUERY", "OPTIONS", "TRACE")
TYPES = (b"", protocol.FORM.encode(), protocol.QUERY_TYPE.encode(), protocol.UPDATE_TYPE.encode(), b"text/turtle;charset=x")
SEPARATOR = b"\n--\n"
BASE = "https://motorgraph.example"
FILE = Validators(b'"1-x"', datetime(2026, 1, 1, tzinfo=UTC))
MOST_CHARACTERS = 2000  # of a text whose places are counted: what is looked for is in the rules, not in the length


def call_of(data: bytes) -> tuple[Call, bytes]:
    """A request: a byte for the method, one for the type, then path, query string, header lines and body, by lines of dashes."""
    parts = [*data[2:].split(SEPARATOR), b"", b"", b"", b""]
    path, query_string, head, rest = parts[:4]
    fields = [tuple(line.split(b":", 1)) for line in head.split(b"\n") if b":" in line]
    headers = [(name.lower(), value.strip()) for name, value in fields]
    if data[1:2]:
        headers.append((b"content-type", TYPES[data[1] % len(TYPES)]))
    method = METHODS[(data[0] if data else 0) % len(METHODS)]
    text = path.decode("latin-1")
    return Call(method, f"/{text}", query_string, by_name(headers), bool(data[:1] > b"\x80"), "http", b"/" + path), rest


def requests(data: bytes) -> None:
    """Whatever is read out of a request before anything is known of the graph."""
    call, rest = call_of(data)
    readings: Iterable[Callable[[], object]] = (
        lambda: protocol.operation(call, rest),
        lambda: protocol.graph_name(call, BASE),
        lambda: protocol.moment(call),
        lambda: protocol.is_dry_run(call),
        lambda: protocol.refuse_codings(call, ("gzip",)),
        lambda: protocol.body_text("patch", rest, call),
        lambda: protocol.form_parameters(rest),
        lambda: protocol.require_clear(call),
        lambda: key_of(call, rest, "somebody", ""),
        lambda: Wish.of(call, dry_run=True),
        lambda: FILE.holds(call),
        lambda: FILE.wanted(call, 1000),
        lambda: is_known(call, FILE.etag),
        lambda: chosen(call),
        lambda: without_conditions(call),
    )
    for reading in readings:
        with suppress(Refusal):
            reading()
    with suppress(Refusal):
        wanted = FILE.wanted(call, 1000)
        assert wanted is None or 0 <= wanted[0] < wanted[1] <= 1000, wanted
    with suppress(Refusal):
        graph = protocol.graph_name(call, BASE)
        assert not graph or not set('<>"{}|\\^` \r\n') & set(graph), graph


def negotiation(data: bytes) -> None:
    """Choices among formats, languages, codings."""
    header = data.decode("latin-1")
    for wanted in media.accepted(header):
        assert 0 <= wanted.quality <= 1
    for formats in (media.SOLUTIONS, media.GRAPHS):
        form = media.choose(header, formats)
        assert form is None or any(form is each for each in formats)
    assert media.prefers_html(header) in (True, False)
    assert media.leaves_open(header) in (True, False)
    assert media.accepts_gzip(header) in (True, False)
    spoken_ones = media.languages(header)
    assert spoken_ones[-1] == "en" or "en" in spoken_ones
    assert len(spoken_ones) <= 2 * media.MOST_LANGUAGES + 1
    media.readable(header)
    media.by_suffix(header)
    with suppress(Refusal):
        media.refuse_charset(header)


def texts(data: bytes) -> None:
    """SPARQL cut into tokens and operations, scoped to a graph, and held against the grammar."""
    text = data.decode("utf-8", "replace")[:MOST_CHARACTERS]
    place = 0
    for token in tokens(text):
        assert token.start >= place
        assert text[token.start : token.end] == token.text
        place = token.end
    unescape_unicode(text)
    for step in operations.cut(text) or ():
        alone = step.alone(text)
        assert alone.endswith(step.operation.text)
        assert alone[: step.start].count("\n") == text[: step.start].count("\n")
    with suppress(Refusal):
        assert patch.as_patch(text, "http://e/g").count("\n") == text.count("\n")
    for start in ("Query", "Updates"):
        found = departure(text, start)
        assert found is None or (1 <= found.line <= text.count("\n") + 1 and found.column >= 1 and found.words)


def bodies(data: bytes) -> None:
    """What is sent to be stored or judged: unpacked, taken apart, and looked through for traps."""
    for form in media.READABLE:
        with suppress(Refusal):
            nesting.refuse_traps(form, data)
    looks.looked_at(data)
    for form in sent.TAKEN:
        looks.otherwise(form, data)
    head, _, rest = data.partition(b"\n")
    for content_type in ("multipart/form-data; boundary=b", protocol.FORM, "text/turtle", head.decode("latin-1")):
        job = Job("trial", content_type=content_type, max_bytes=10_000)
        with suppress(Refusal):
            sent.sent(job, rest)
        with suppress(Refusal):
            body.decoded(Job("put", content_encoding="gzip", max_bytes=10_000), rest)
        with suppress(Refusal):
            for part, _ in body.parts(content_type, rest):
                with suppress(Refusal):
                    body.media_type_of(part)


def batches(data: bytes) -> None:
    """What clients of reconciliation send, and dates."""
    text = data.decode("utf-8", "replace")
    for read in (records, records_1, Extension.of):
        with suppress(Refusal):
            read(text)
    spoken(text)
    vague(text)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "protocol": requests,
    "media": negotiation,
    "sparql": texts,
    "body": bodies,
    "reconciliation": batches,
}
