"""The prefixes that Turtle, TriG and JSON-LD are written with: of well-known vocabularies, and one for each kind of own thing."""

from __future__ import annotations

import re
from functools import lru_cache

from motorgraph.prefixes import FOREIGN, OWN
from motorgraph.vocab import VOID

KNOWN = FOREIGN | {"unit": "http://qudt.org/vocab/unit/", "void": VOID}
OWN_TERMS = "mg"
_BY_NAMESPACE = {namespace: prefix for prefix, namespace in KNOWN.items()}
_OWN = {path: prefix for prefix, path in OWN.items()}
_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9-]*")


@lru_cache(maxsize=4096)
def prefix_of(namespace: str, base: str) -> str:
    """The name of a namespace, such as `plant` for `…/id/plant/` and `stance` for `…/concept/stance/`; "" if it has none."""
    if not namespace.startswith(base + "/"):
        return _BY_NAMESPACE.get(namespace, "")
    path = namespace[len(base) + 1 :]
    if path in _OWN:
        return _OWN[path]
    parts = path[:-1].split("/")
    name = parts[-1] if parts[0] in ("id", "concept") and len(parts) == 2 else "-".join(parts)
    return name if _PREFIX.fullmatch(name) and name not in (*KNOWN, *OWN) else ""
