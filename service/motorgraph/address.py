"""Where the things of the graph are on this service: from a path to a thing, and from an IRI to the pages and files about it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import quote, unquote

import pyoxigraph as ox

from motorgraph.errors import NotFound
from motorgraph.media import JSONLD, NQUADS, NTRIPLES, PLAIN_JSON, RDFXML, TRIG, TURTLE, Format

ROOTS = ("concept", "scheme", "source", "dataset")
"""What may stand below the base in place of `id`; another part of the service answers for the ontology, shapes and graphs."""
FOREIGN = "iri/"
"""What the name of a thing begins with whose IRI is not below the base; the rest is that IRI, percent-encoded."""
WITH_GRAPHS = (replace(TRIG, worth=0.8), replace(NQUADS, worth=0.8))
"""Formats in which every statement is in its named graph. A client that names them first, as Comunica does, may yet look at the
default graph alone and find nothing, so another that it likes nearly as well is better."""
FORMATS = (TURTLE, NTRIPLES, JSONLD, RDFXML, *WITH_GRAPHS)
PORTRAIT = PLAIN_JSON
"""What a page shows, as plain JSON. It has to be asked for by its suffix: `application/json` in Accept gets JSON-LD."""
BY_SUFFIX = {form.suffix: form for form in (*FORMATS, PORTRAIT)}
MOST_CHARACTERS = 2000
_OTHER_ROOTS = ("ontology", "shapes", "graph")
_ENCODED = re.compile(r"(?:%[89A-Fa-f][0-9A-Fa-f])+")
_SAFE = "%/:@!$&'()*+,;=-._~"
"""What a path holds as it is, beside letters and digits (RFC 3986 §3.3)."""


@dataclass(frozen=True, slots=True)
class Address:
    """The name that the addresses of one thing share: `plant/ford-valencia`, `concept/technology/vcs`, `id/dataset/figures`.

    The last of these keeps its `id` because `dataset` is a root of its own as well as a kind. `iri/http%3A%2F%2F…` has an IRI of
    elsewhere.
    """

    name: str

    @property
    def path(self) -> str:
        """The path of the thing itself; of one whose IRI leads elsewhere that of its page."""
        root = self.name.partition("/")[0]
        if self.name.startswith(FOREIGN):
            return self.page
        return f"/{self.name}" if root in (*ROOTS, "id") else f"/id/{self.name}"

    @property
    def page(self) -> str:
        """The path of the page about it."""
        return f"/page/{self.name}"

    @property
    def kind(self) -> str:
        """The path below which the things of its kind are, such as `/id/plant/`."""
        return self.path.rpartition("/")[0] + "/"

    @property
    def slug(self) -> str:
        """What tells it from others of its kind."""
        return self.path.rpartition("/")[2]

    def data(self, form: Format | None = None) -> str:
        """The path of what the graph says of it, in a format, or in the one that the client likes best."""
        return f"/data/{self.name}.{form.suffix}" if form else f"/data/{self.name}"

    def iris(self, base: str) -> tuple[str, ...]:
        """The IRIs that the thing may have: as it was asked for, and with the letters beyond ASCII that this may stand for."""
        if self.name.startswith(FOREIGN):
            return (unquote(self.name.removeprefix(FOREIGN)),)
        return tuple(
            dict.fromkeys(base + path for path in (self.path, _ENCODED.sub(_decoded, self.path)) if _is_iri(base + path))
        )


def thing_at(raw_path: bytes) -> Address:
    """The address that the path of a thing is, such as `/id/plant/ford-valencia`. Raises NotFound."""
    path = _text(raw_path)
    name = path[1:]
    if name.startswith("id/") and name.split("/")[1] not in (*ROOTS, "id"):
        name = name.removeprefix("id/")
    return _address(name, path)


def document_at(raw_path: bytes) -> tuple[Address, Format | None]:
    """The address of the thing that a path below /data/ or /page/ is about, and the format that its suffix names.

    Raises NotFound.
    """
    path = _text(raw_path)
    name = path.split("/", 2)[2]
    stem, dot, suffix = name.rpartition(".")
    form = BY_SUFFIX.get(suffix) if dot and path.startswith("/data/") else None
    return _address(stem if form else name, path), form


def elsewhere(raw_path: bytes) -> str:
    """Where another part of the service answers for what a path below /data/ or /page/ names; "" if none does."""
    path = _text(raw_path)
    _, side, name = path.split("/", 2)
    if name.partition("/")[0] not in _OTHER_ROOTS:
        return ""
    return f"/{name}.html" if side == "page" and not name.startswith("graph/") else f"/{name}"


@lru_cache(maxsize=4096)
def local(iri: str, base: str) -> str:
    """Where this service tells of an IRI: the path of a page; that of the IRI for what is below the other roots; else ""."""
    if not iri.startswith(base + "/"):
        return ""
    name = iri[len(base) + 1 :]
    root, _, rest = name.partition("/")
    if root in _OTHER_ROOTS:
        return "/" + quote(name, safe=_SAFE)
    if root not in (*ROOTS, "id") or not rest:
        return ""
    is_plain = root == "id" and rest.partition("/")[0] not in (*ROOTS, "id")
    return Address(quote(rest if is_plain else name, safe=_SAFE)).page


def page_of(iri: str, base: str) -> str:
    """Where this service tells of a thing of its graph, wherever the IRI of it leads; "" for one that is no address."""
    return local(iri, base) or (f"/page/{FOREIGN}{quote(iri, safe='')}" if iri.startswith(("http://", "https://")) else "")


def moved(address: Address, iri: str, base: str) -> Address | None:
    """The address of the thing with this IRI, to which that of another has moved; None if it is not below the base."""
    page = local(iri, base)
    return Address(page.removeprefix("/page/")) if page.startswith("/page/") and page != address.page else None


def _text(raw_path: bytes) -> str:
    if len(raw_path) > MOST_CHARACTERS:
        raise NotFound(f"No thing has a name of more than {MOST_CHARACTERS:,} characters.")
    return quote(raw_path, safe=_SAFE)


def _address(name: str, path: str) -> Address:
    parts = name.split("/")
    if len(parts) < 2 or not all(parts) or {".", ".."} & {unquote(part) for part in parts}:
        raise NotFound(f"{path[:200]} names no thing. A thing is at /id/KIND/NAME, such as /id/plant/magna-steyr-graz.")
    if name.startswith(FOREIGN) and not _is_iri(unquote(name.removeprefix(FOREIGN))):
        raise NotFound(f"{path[:200]} names no thing: what stands behind {FOREIGN} is no IRI.")
    if not _is_iri(f"thing:/{name}"):
        raise NotFound(f"{path[:200]} names no thing: a % is followed by two hexadecimal digits.")
    return Address(name)


def _is_iri(text: str) -> bool:
    try:
        ox.NamedNode(text)
    except ValueError:
        return False
    return True


def _decoded(match: re.Match[str]) -> str:
    try:
        return unquote(match[0], errors="strict")
    except UnicodeDecodeError:
        return match[0]
