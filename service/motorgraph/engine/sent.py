"""What was sent to be validated, the data and the shapes beside them if any, taken out of the body in the process that judges."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email.message import Message
from urllib.parse import parse_qsl

from motorgraph.engine.body import BYTE_ORDER_MARK, decoded, parts
from motorgraph.engine.looks import TABLE, looked_at, refuse_other
from motorgraph.engine.wire import Job
from motorgraph.errors import BadRequest, UnsupportedMediaType
from motorgraph.media import CSV, READABLE, Format, by_suffix, listing, readable, refuse_charset

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
TAKEN = (*READABLE, TABLE)
BY_SUFFIX = {form.suffix: form for form in TAKEN}
MOST_FIELDS = 20


@dataclass(frozen=True, slots=True)
class Document:
    """A text in a format."""

    form: Format
    text: bytes
    name: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """The data, the documents of shapes, and the other fields of a form."""

    data: Document
    shapes: tuple[Document, ...]
    fields: dict[str, str]


def sent(job: Job, body: bytes) -> Sent:
    """What a body brings: it is the data itself, or a form. Raises BadRequest, TooLarge or UnsupportedMediaType."""
    body = decoded(job, body)
    if not job.content_type.lower().startswith((FORM, MULTIPART)):
        refuse_other(body)
        return Sent(Document(_form(job.content_type), body.removeprefix(BYTE_ORDER_MARK)), (), {})
    data: list[Document] = []
    shapes: list[Document] = []
    fields: dict[str, str] = {}
    given = list(_fields(job, body))
    fields = {name: text.decode("utf-8", "replace") for name, text, part in given if name not in ("data", "file", "shapes")}
    for name, text, part in given:
        if name in ("data", "file", "shapes"):
            refuse_other(text, str(part.get_filename() or "") if part is not None else "")
        text = text.removeprefix(BYTE_ORDER_MARK)
        if name in ("data", "file") and text.strip():
            data.append(_document(text, part, fields.get("type", "") if name == "data" else ""))
        elif name == "shapes" and text.strip():
            shapes.append(_document(text, part, ""))
    if not data:
        raise BadRequest("There is nothing to judge: send the data as the body, or in the field 'data' or 'file' of a form.")
    if len(data) > 1:
        raise BadRequest("Both a text and a file were sent; send the data once.")
    return Sent(replace(data[0], text=_mended(data[0].text, fields.pop("mend", ""))), tuple(shapes), fields)


def _mended(text: bytes, edits: str) -> bytes:
    """The text with edits made, as a finding has suggested them. Raises BadRequest for another text than they were meant for."""
    if not edits:
        return text
    lines = re.split("(\r\n|\n|\r)", text.decode("utf-8", "replace"))
    try:
        for edit in sorted(json.loads(edits), key=lambda edit: (edit["line"], -edit["column"])):
            at, start, end = 2 * (edit["line"] - 1), edit["column"] - 1, edit["column"] - 1 + edit["length"]
            if at < 0 or start < 0 or lines[at][start:end] != edit["was"]:
                raise BadRequest(
                    f"Line {edit['line']} is no longer as it was, so nothing was changed there. Check the text again."
                )
            lines[at] = lines[at][:start] + str(edit["text"]) + lines[at][end:]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise BadRequest("The field 'mend' holds the edits of a suggestion, as JSON.") from error
    return "".join(lines).encode()


def _fields(job: Job, body: bytes) -> Iterator[tuple[str, bytes, Message | None]]:
    """The fields of a form. Raises BadRequest."""
    if job.content_type.lower().startswith(MULTIPART):
        for part, content in parts(job.content_type, body):
            yield str(part.get_param("name", "", "content-disposition")), content, part
        return
    try:
        for name, value in parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS):
            yield name, value.encode(), None
    except ValueError as error:
        raise BadRequest(f"The form cannot be read: {error}.") from error


def _document(text: bytes, part: Message | None, said: str) -> Document:
    """A text with its format: as it is said, by the part's Content-Type or file name, else by what it opens with."""
    name = (part.get_filename() or "") if part is not None else ""
    if said:
        if said not in BY_SUFFIX:
            raise BadRequest(f"There is no format {said[:40]!r}; there are {', '.join(BY_SUFFIX)}.")
        return Document(BY_SUFFIX[said], text, name)
    if part is not None and "content-type" in part:
        refuse_charset(str(part["content-type"]))
        kind = part.get_content_type()
        named = TABLE if kind == CSV.media_type else readable(kind) if kind != "text/plain" else None
        if named is not None:
            return Document(named, text, name)
    named = TABLE if name.lower().endswith(".csv") else by_suffix(name)
    return Document(named or looked_at(text), text, name)


def _form(content_type: str) -> Format:
    """The format of a body that is the data. Raises UnsupportedMediaType."""
    refuse_charset(content_type)
    kind = content_type.partition(";")[0].strip().lower()
    form = TABLE if kind == TABLE.media_type else readable(kind)
    if form is None:
        raise UnsupportedMediaType(
            f"{kind or 'A body without a Content-Type'} is not read; send {listing(TAKEN)}, or a form with the field 'data'.",
            readable=[f.media_type for f in TAKEN],
        )
    return form
