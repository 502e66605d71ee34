"""The body of a graph write: unpacked, taken apart and parsed in the draft, each document by the format that it says it has."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP

import pyoxigraph as ox

from motorgraph.engine.loading import rdf_format
from motorgraph.engine.nesting import refuse_traps
from motorgraph.engine.values import kept
from motorgraph.engine.wire import Job
from motorgraph.errors import BadRequest, BadSyntax, TooLarge, UnsupportedMediaType
from motorgraph.media import READABLE, Format, by_suffix, listing, readable, refuse_charset

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_PLACE = re.compile(r"^Parser error at line \d+ (?:between columns \d+ and \d+|column \d+): ")
_WORDS = {  # of the engine, and what would be right
    "No LoadDocumentCallback": "A remote @context is never fetched here. Put the context itself into the document.",
    "Named graphs are not allowed": (
        "It names graphs of its own, and what is sent to /graphs goes into the one graph that the request names. "
        "Send each graph by itself, or all at once to /sparql as INSERT DATA { GRAPH <…> { … } }."
    ),
}


def parsed_body(job: Job, body: bytes) -> Iterator[ox.Triple]:
    """The triples of all documents of the body; blank nodes are renamed, so that they can only be new (RDF merge).

    Raises BadRequest, BadSyntax, TooLarge or UnsupportedMediaType.
    """
    for media_type, document in _documents(job, decoded(job, body)):
        form = readable(media_type)
        if form is None:
            raise UnsupportedMediaType(
                f"{media_type} is not read; send {listing(READABLE)}.", readable=[f.media_type for f in READABLE]
            )
        yield from _parsed(job, form, document.removeprefix(BYTE_ORDER_MARK))


def decoded(job: Job, body: bytes) -> bytes:
    """The body without its Content-Encoding. Raises BadRequest, or TooLarge for one that unpacks to more than is taken."""
    if job.content_encoding not in ("gzip", "x-gzip"):
        return body
    pieces, room = [], job.max_bytes
    while True:
        inflate = zlib.decompressobj(31)
        try:
            pieces.append(inflate.decompress(body, room + 1))
        except zlib.error as error:
            raise BadRequest(f"The body is not the gzip that its Content-Encoding says: {error}.") from error
        room -= len(pieces[-1])
        if room < 0:
            raise TooLarge(f"The body unpacks to more than {job.max_bytes:,} bytes (setting body_bytes).")
        if not inflate.eof:
            raise BadRequest("The gzip of the body ends too early.")
        body = inflate.unused_data  # a gzip may have several members, one after the other
        if not body:
            return b"".join(pieces)


def _documents(job: Job, body: bytes) -> Iterator[tuple[str, bytes]]:
    """The one document of the body, or the several of a multipart form, each with its media type."""
    if not job.content_type.lower().startswith("multipart/"):
        yield job.content_type, body
        return
    for part, content in parts(job.content_type, body):
        yield media_type_of(part), content


def parts(content_type: str, body: bytes) -> Iterator[tuple[Message, bytes]]:
    """The parts of a multipart form, each with its content. Raises BadRequest for one that is not whole."""
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content_type.encode("latin-1") + b"\r\n\r\n" + body)
    if not message.is_multipart():
        raise BadRequest("The body is no multipart form with the boundary that its Content-Type names.")
    if message.defects:
        raise BadRequest(
            f"The multipart form is not whole: {message.defects[0].__doc__} Send it again, closing boundary included."
        )
    for part in message.walk():
        if not part.is_multipart():
            content = part.get_payload(decode=True)
            if part.defects:
                raise BadRequest(f"A part of the multipart form is not what it says: {part.defects[0].__doc__}")
            yield part, content if isinstance(content, bytes) else b""


def media_type_of(part: Message) -> str:
    """The media type of a part, by what it says, else by the suffix of its file."""
    named = by_suffix(part.get_filename() or "")
    if "content-type" in part and readable(part.get_content_type()):
        refuse_charset(str(part["content-type"]))
        return part.get_content_type()
    if named is not None:
        return named.media_type
    if "content-type" in part:
        return part.get_content_type()
    raise BadRequest(
        "A part of the multipart form has neither a Content-Type nor a file name that tells its format, such as data.ttl."
    )


def _parsed(job: Job, form: Format, document: bytes) -> Iterator[ox.Triple]:
    refuse_traps(form, document)
    quads = ox.parse(
        document,
        rdf_format(form.media_type),
        base_iri=job.base or None,
        without_named_graphs=True,
        rename_blank_nodes=True,
    )
    try:
        for quad in quads:
            yield ox.Triple(quad.subject, quad.predicate, kept(quad.object))
    except SyntaxError as error:
        raise unparsed(form, error) from error


def unparsed(form: Format, error: SyntaxError) -> BadSyntax:
    """The refusal of a document that does not parse, with the place."""
    where = f", line {error.lineno}, column {error.offset}" if error.lineno else ""
    words = next((ours for theirs, ours in _WORDS.items() if theirs in error.msg), _PLACE.sub("", f"{error.msg}."))
    return BadSyntax(f"The {form.name} does not parse{where}: {words}", line=error.lineno, column=error.offset)
