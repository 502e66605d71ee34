"""The commands that write: files and updates, to a running service over HTTP or to the data folder itself."""

from __future__ import annotations

import asyncio
import getpass
import http.client
import json
import ssl
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TypeVar
from urllib.parse import urlencode, urlsplit

from motorgraph import __version__, corpus
from motorgraph.engine.process import available_bytes
from motorgraph.engine.wire import Job
from motorgraph.errors import BadRequest, Failed, Forbidden, InsufficientStorage, Refusal, TooLarge, is_disk_full, retold
from motorgraph.media import PROBLEM
from motorgraph.protocol import UPDATE_TYPE, absolute
from motorgraph.settings import MIB, Settings
from motorgraph.splitting import Document, documents
from motorgraph.stores.embedded import Embedded

CONNECT_SECONDS = 10.0
ANSWER_BYTES = 1 << 22
BLOCK_BYTES = 1 << 18
UNLIMITED_SECONDS = 1e6
UNLIMITED_BYTES = 1 << 40
MADE_GRAPHS = ("/graph/inferred", "/graph/catalogue")
Told = TypeVar("Told")
Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Load:
    """What to load: files, the graph for triples that name none ("" is the default graph), whether it replaces what is there."""

    files: tuple[Path, ...]
    graph: str
    replace: bool
    message: str

    def message_for(self, document: Document) -> str:
        """Why, as the journal is to say it."""
        return self.message or f"{'Replace' if self.replace else 'Load'} {document.name}"


@dataclass(frozen=True, slots=True)
class Service:
    """A running service: its address, the token that writes need ("" for none)."""

    url: str
    token: str

    def at(self, path: str) -> str:
        """The address of one of its endpoints, where only that of the service was given."""
        return self.url.rstrip("/") + path if urlsplit(self.url).path in ("", "/") else self.url


def wanted(files: list[Path], graph: str | None, *, replace: bool, message: str) -> Load:
    """What the command line asks for. Raises BadRequest or NotFound, before anything is written."""
    for path in files:
        corpus.require_file(path)
        corpus.format_of(path)
    if "\n" in message or "\r" in message:
        raise BadRequest("A message is one line.")
    try:
        return Load(tuple(files), absolute(graph, "--graph") if graph else "", replace, message)
    except BadRequest as refusal:
        raise BadRequest(
            f"--graph {graph!r} is no absolute IRI, such as https://motorgraph.example/graph/source/mine."
        ) from refusal


# To a service


def load_over_http(service: Service, load: Load, say: Callable[[str], None]) -> None:
    """Sends each file as it stands on the disk, one request for each graph. Raises the refusal of the first that is refused."""
    for document in _documents(load):
        address = f"{service.at('/graphs')}?{urlencode({'graph': document.graph}) if document.graph else 'default'}"
        headers = {"Content-Type": document.media_type, **_signed(service, load.message_for(document))}
        if document.is_packed:
            headers["Content-Encoding"] = "gzip"
        with _made_there(document, say), _named(document), document.path.open("rb") as source, _bar(document) as advance:
            size = document.path.stat().st_size
            told = _request("PUT" if load.replace else "POST", address, headers, _Watched(source, advance), size)
            say(f"{document}: {_at(told)}")


def update_over_http(service: Service, text: str, message: str) -> str:
    """Has a service make a change; where it is now, in words. Raises the refusal that it met."""
    headers = {"Content-Type": UPDATE_TYPE, **_signed(service, message)}
    body = text.encode()
    return _at(_request("POST", service.at("/sparql"), headers, body, len(body)))


def _signed(service: Service, message: str) -> dict[str, str | bytes]:
    headers: dict[str, str | bytes] = {"User-Agent": f"motorgraph/{__version__}"}
    if message:
        headers["X-Commit-Message"] = message.encode()
    if service.token:
        headers["Authorization"] = f"Bearer {service.token}"
    return headers


def _request(method: str, url: str, headers: dict[str, str | bytes], body: bytes | IO[bytes] | _Watched, size: int) -> str:
    """Sends one request and returns the ETag of its answer. Raises the refusal that the service met, or Failed."""
    place = urlsplit(url)
    try:
        with closing(_connection(place.scheme, place.netloc)) as connection:
            connection.putrequest(method, f"{place.path or '/'}?{place.query}" if place.query else place.path or "/")
            for name, value in {**headers, "Content-Length": str(size), "Accept": f"{PROBLEM}, */*;q=0.1"}.items():
                connection.putheader(name, value)
            with suppress(BrokenPipeError, ConnectionResetError):  # it has answered already, before it has read all
                connection.endheaders(body)
            answer = connection.getresponse()
            said = answer.read(ANSWER_BYTES)
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error).strip() or type(error).__name__
        raise Failed(f"{url} cannot be asked, or has gone before it answered: {reason}.") from error
    if answer.status >= http.HTTPStatus.BAD_REQUEST:
        raise _refusal(answer, said, url)
    return answer.getheader("ETag") or ""


def _connection(scheme: str, netloc: str) -> http.client.HTTPConnection:
    """A connection; to connect may take a while, to make the change as long as it takes."""
    if scheme not in ("http", "https"):
        raise Failed(f"{scheme}://{netloc} cannot be asked: it is no http:// or https:// address.")
    if scheme == "https":
        made: http.client.HTTPConnection = http.client.HTTPSConnection(
            netloc, timeout=CONNECT_SECONDS, context=ssl.create_default_context(), blocksize=BLOCK_BYTES
        )
    else:
        made = http.client.HTTPConnection(netloc, timeout=CONNECT_SECONDS, blocksize=BLOCK_BYTES)
    made.connect()
    made.sock.settimeout(None)
    return made


def _refusal(answer: http.client.HTTPResponse, said: bytes, url: str) -> Refusal:
    """The refusal that a problem (RFC 9457) tells, else one with the text of the answer."""
    if answer.headers.get_content_type() == PROBLEM:
        with suppress(ValueError, TypeError, KeyError):
            problem = json.loads(said)
            members = {name: value for name, value in problem.items() if name not in ("type", "title", "status", "detail")}
            return retold(str(problem["type"]).rpartition("/")[2], str(problem["detail"]), members)
    return Failed(f"{url} answered {answer.status}: {said.decode(errors='replace').strip() or answer.reason}")


def _at(etag: str) -> str:
    """What the tag of an answer to a write says: `"LINEAGE-COMMIT"`."""
    number = etag.strip('"').rpartition("-")[2]
    return f"the graph is at commit {number}" if number.isdigit() else "done"


# To the data folder


def in_folder(settings: Settings, work: Callable[[Embedded], Awaitable[Told]]) -> Told:
    """Starts the engine in this process's loop on the data folder, does some work with it, and ends it.

    Raises Failed if a service holds the folder, and whatever refusal the work meets.
    """
    alone = {
        "query_seconds": UNLIMITED_SECONDS,
        "query_memory": max(settings.query_memory, available_bytes() // MIB),
        "readers": 1,
    }

    async def whole() -> Told:
        store = Embedded(settings.model_copy(update=alone))
        if sys.stderr.isatty():
            store.on_stage = lambda stage: print(f"{stage} …", file=sys.stderr)  # noqa: T201  # the first load takes a while
        try:
            await store.start(as_kept=True)
            return await work(store)
        finally:
            await store.close()

    with asyncio.Runner() as runner:
        return runner.run(whole())


def load_into_folder(settings: Settings, load: Load, say: Callable[[str], None]) -> None:
    """Writes each file into the data folder, one commit for each graph. Raises the refusal of the first that is refused."""
    if not load.graph and settings.is_union and not all(corpus.format_of(path).datasets for path in load.files):
        raise Forbidden("The default graph here is the merge of all graphs. Name the graph to write to: --graph IRI.")

    async def work(store: Embedded) -> None:
        for document in _documents(load):
            job = Job(
                "put" if load.replace else "post",
                graph=document.graph,
                base=document.graph or document.path.resolve().as_uri(),
                content_type=document.media_type,
                content_encoding="gzip" if document.is_packed else "",
                max_bytes=UNLIMITED_BYTES,
                author=_author(),
                is_admin=True,
                message=load.message_for(document),
            )
            if not document.graph and settings.is_union:
                raise Forbidden(f"{document.name} has triples in no graph; name one for them: --graph IRI.")
            with _made_there(document, say), _named(document):
                await store.write(job, document.path.read_bytes())
                say(f"{document}: the graph is at commit {store.commit}")

    in_folder(settings, work)


def update_folder(settings: Settings, text: str, message: str) -> str:
    """Makes a change to the data folder; where it is now, in words. Raises the refusal that it met."""

    async def work(store: Embedded) -> str:
        await store.write(
            Job("update", text, base=f"{settings.base}/", author=_author(), is_admin=True, message=message or "Update")
        )
        return f"the graph is at commit {store.commit}"

    return in_folder(settings, work)


def _author() -> str:
    """Who runs the command, as this machine knows them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "command line"


# Both ways


def _documents(load: Load) -> Iterator[Document]:
    """What to send for each file, in order. Raises BadSyntax or BadRequest for one that cannot be taken apart."""
    for path in load.files:
        try:
            with TemporaryDirectory() as folder:
                yield from documents(path, load.graph, Path(folder))
        except OSError as error:
            if is_disk_full(error):
                raise InsufficientStorage(f"{path} cannot be taken apart: there is no room for temporary files.") from error
            raise Failed(f"{error.filename or path}: {error.strerror or error}.") from error


@contextmanager
def _made_there(document: Document, say: Callable[[str], None]) -> Iterator[None]:
    """Passes over a graph that a dump has and a service makes from the others, where it is not to be written to."""
    try:
        yield
    except Forbidden as refusal:
        if type(refusal) is not Forbidden or not document.graph.endswith(MADE_GRAPHS):
            raise
        say(f"Passed over {refusal.detail}")


@contextmanager
def _named(document: Document) -> Iterator[None]:
    """Says in a refusal which file it is about, and what helps with one that is too large."""
    try:
        yield
    except TooLarge as refusal:
        raise TooLarge(
            f"{document}: {refusal.detail} Split the file, start the service with a greater --body-bytes, or stop it and load "
            "into its data folder (without --url), where there is no such limit."
        ) from refusal
    except Refusal as refusal:
        raise retold(refusal.kind, f"{document}: {refusal.detail}", refusal.members) from refusal


class _Watched:
    """A file that tells how much of it has been read."""

    def __init__(self, source: IO[bytes], advance: Advance) -> None:
        self._source = source
        self._advance = advance

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        data = self._source.read(size)
        self._advance(len(data))
        return data


@contextmanager
def _bar(document: Document) -> Iterator[Advance]:
    """A bar on a terminal: of what is sent, then of the wait for the judgement."""
    if not sys.stderr.isatty():
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        size = document.path.stat().st_size
        task = bars.add_task(f"sending {document.name}", total=size)

        def advance(count: int) -> None:
            bars.advance(task, count)
            if bars.tasks[0].completed >= size:
                bars.update(task, description=f"{document.name} is being judged", total=None)

        yield advance
