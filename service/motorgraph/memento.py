"""Memento (RFC 7089): which addresses have a past, what leads to it, and when each state of them was."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cached_property
from typing import Any
from urllib.parse import unquote, unquote_plus

from motorgraph.address import BY_SUFFIX, FOREIGN
from motorgraph.errors import BadRequest, NotFound
from motorgraph.media import GRAPHS
from motorgraph.protocol import Call, graph_name
from motorgraph.stores.embedded import Embedded

TIMEGATE = "/timegate"
TIMEMAP = "/timemap"
LINKS = "application/link-format"
DOCUMENTS = ("/data/", "/page/")
OWN_ROOTS = ("concept", "scheme", "source", "dataset", "id")
"""What may stand below the base itself; a document about a thing that is below /id/ leaves that out."""
THINGS = tuple(f"/{root}/" for root in OWN_ROOTS)
VOCABULARIES = ("/ontology", "/shapes")
SUFFIXES = tuple(f".{form.suffix}" for form in GRAPHS)
OF_THINGS = tuple(f".{suffix}" for suffix in BY_SUFFIX)
KNOWN_TIMES = 4096
_LATEST = "9999-12-31T23:59:58+00:00"

Moments = dict[str, Any]  # Any: plain JSON, see engine/moments.py


@dataclass(frozen=True)
class Original:
    """A resource that has a past (§1.2): its address on the host that was asked, and which graph or thing it is about, if any."""

    origin: str
    target: str
    graph: str = ""
    iri: str = ""

    @property
    def uri(self) -> str:
        """Its address, which tells what it is now."""
        return self.origin + self.target

    @property
    def timegate(self) -> str:
        """The address that leads to how it was at a time."""
        return f"{self.origin}{TIMEGATE}{self.target}"

    def timemap(self, page: int = 0) -> str:
        """The address of the list of its mementos, or of one of its pages."""
        return f"{self.origin}{TIMEMAP}{f'/{page}' if page else ''}{self.target}"

    def memento(self, commit: int) -> str:
        """The address of how it was after a commit."""
        return f"{self.uri}{'&' if '?' in self.target else '?'}at={commit}"

    @cached_property
    def leads(self) -> str:
        """The links to its TimeGate and TimeMap (§2.2.3, §2.2.4)."""
        return f'<{self.timegate}>; rel="timegate", <{self.timemap()}>; rel="timemap"; type="{LINKS}"'


def original(call: Call, base: str) -> Original:
    """The resource that a request names, whatever time it names with it. Raises NotFound if it is none that has a past."""
    query = b"&".join(
        part for part in call.query_string.split(b"&") if unquote_plus(part.partition(b"=")[0].decode("latin-1")) != "at"
    )
    target = call.raw_path.decode("latin-1") + (f"?{query.decode('latin-1')}" if query else "")
    path = call.raw_path.decode("latin-1")
    if path == "/sparql":
        return Original(call.origin, target)
    if path == "/graphs" or path.startswith(("/graphs/", "/graph/")):
        return Original(call.origin, target, graph=graph_name(call, base) or "")
    if path.startswith(VOCABULARIES):
        graph, iri = _of_vocabulary(path)
        return Original(call.origin, target, graph and base + graph, iri and base + iri)
    if path.startswith((*DOCUMENTS, *THINGS)):
        return Original(call.origin, target, iri=_thing(path, base))
    raise NotFound(f"{path[:80]} has no past here; the graphs (/graphs, /graph/…), queries and things (/id/…, /data/…) have.")


def below(call: Call, prefix: str, base: str) -> Call:
    """The request for what a TimeGate or TimeMap is about: what stands behind the prefix, as a path or with its host."""
    raw = call.raw_path.decode("latin-1").removeprefix(prefix)
    for host in (call.origin, base):
        if raw.startswith((f"/{host}/", f"/{host}")):
            raw = raw.removeprefix(f"/{host}")
    return replace(call, path=raw, raw_path=raw.encode("latin-1"))


def _of_vocabulary(path: str) -> tuple[str, str]:
    """The paths of the graph or the term that an address tells of, the other is "". The whole and modules tell of the graph."""
    name = next((path.removesuffix(suffix) for suffix in (*SUFFIXES, ".html") if path.endswith(suffix)), path).rstrip("/")
    root, _, rest = name[1:].partition("/")
    return (f"/graph/{root}", "") if not rest or rest.startswith(("module/", "version/")) else ("", name)


def _thing(path: str, base: str) -> str:
    """The IRI of the thing that a path tells of."""
    if not path.startswith(DOCUMENTS):
        return base + path
    name = path.split("/", 2)[2]
    if path.startswith("/data/"):
        name = next((name.removesuffix(suffix) for suffix in OF_THINGS if name.endswith(suffix)), name)
    if name.startswith(FOREIGN):
        return unquote(name.removeprefix(FOREIGN))
    return f"{base}/{name}" if name.partition("/")[0] in (*OWN_ROOTS, "ontology", "shapes") else f"{base}/id/{name}"


class Mementos:
    """The past of the resources of one store."""

    def __init__(self, store: Embedded, base: str) -> None:
        self._store = store
        self._base = base
        self._times: OrderedDict[int, str] = OrderedDict()

    async def headers(self, call: Call, commit: int) -> list[tuple[bytes, bytes]]:
        """What an answer about a resource says of its past; `commit` is the one that was asked for, 0 for how it is now.

        A memento (§2.1.1) is dated by the commit that it is of: from then on, at least for a moment, the resource was so.
        """
        of = original(call, self._base)
        if not commit:
            return [(b"link", of.leads.encode())]
        return [
            (b"memento-datetime", http_date(await self._time(commit)).encode()),
            (b"link", f'<{of.uri}>; rel="original", {of.leads}'.encode()),
        ]

    async def moments(self, of: Original, **wanted: str | int) -> Moments:
        """The commits that changed a resource and left it there; see engine/moments.py. Raises NotFound if there are none."""
        about = {"graph": of.graph, "iri": of.iri, "upto": self._store.commit}
        found: Moments = await self._store.archive.ask("moments", **about, **wanted)
        if not found["count"]:
            raise NotFound(f"No commit has anything of {of.target[:200]}.")
        return found

    async def _time(self, commit: int) -> str:
        """When a commit was made; that never changes."""
        if commit not in self._times:
            (found,) = await self._store.commits(after=commit - 1, upto=commit)
            self._times[commit] = found["time"]
            if len(self._times) > KNOWN_TIMES:
                self._times.popitem(last=False)
        return self._times[commit]


def http_date(time: str) -> str:
    """A commit's time as HTTP has it, in whole seconds (§2.1.1.1, RFC 9110 §5.6.7)."""
    return format_datetime(datetime.fromisoformat(time).astimezone(UTC), usegmt=True)


def wanted_time(call: Call) -> str:
    """The time that Accept-Datetime names, in ISO 8601; one beyond all others if it was not sent. Raises BadRequest."""
    said = call.header(b"accept-datetime").strip()
    if not said:
        return _LATEST
    try:
        return datetime.strptime(said, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC).isoformat()
    except ValueError as error:
        raise BadRequest(f"Accept-Datetime: {said[:60]!r} is no time, such as Sun, 22 Nov 2026 18:00:00 GMT.") from error
