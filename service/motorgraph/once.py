"""`Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a write that is sent again is made once, and answered again."""

from __future__ import annotations

import json
import re
from hashlib import sha256

from motorgraph.commits import Key
from motorgraph.errors import BadRequest, KeyReused
from motorgraph.protocol import Call

MOST_CHARACTERS = 255
_KEY = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])+)"|([!#-+\--:<-~]+)')  # a string of RFC 9651, or what many clients send, bare


def key_of(call: Call, body: bytes, author: str, location: str) -> str:
    """The key that the request gives, as `Job.once` has it; "" without one. Raises BadRequest for one that is no key.

    What makes it the same request: method, address, type and coding of the body, and the body.
    """
    given = call.header(b"idempotency-key").strip()
    if not given:
        return ""
    found = _KEY.fullmatch(given)
    if found is None or len(given) > MOST_CHARACTERS:
        raise BadRequest(
            f'Idempotency-Key is a string of at most {MOST_CHARACTERS} characters in quotes, such as "8e03978e-40d5".'
        )
    told = [call.method.encode(), call.raw_path, call.query_string, call.headers.get(b"content-type", b"")]
    told += [call.headers.get(b"content-encoding", b""), body]
    digest = sha256()
    for part in told:
        digest.update(b"%d:" % len(part) + part)
    name = re.sub(r"\\(.)", r"\1", found[1]) if found[1] else found[2]
    return json.dumps({"author": author, "name": name, "request": digest.hexdigest(), "location": location})


def require_same(key: Key, known: Key) -> None:
    """Raises KeyReused if what was done under the key before was something else."""
    if key.request != known.request:
        raise KeyReused(
            f"The Idempotency-Key {key.name!r} was used for another request: same key, same method, address and body. "
            "Take a new key for a new write."
        )
