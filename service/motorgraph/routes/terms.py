"""`/ontology` and `/shapes`: the whole and its modules as documents, each term and each shape by 303; for browsers as pages."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import quote

from motorgraph.conditions import has_it_already, versioned
from motorgraph.documentation import Document, Documentation
from motorgraph.errors import MethodNotAllowed, NotAcceptable, NotFound
from motorgraph.links import Links
from motorgraph.media import GRAPHS, HTML, Format, choose, listing, prefers_html
from motorgraph.memento import Mementos
from motorgraph.openapi import parameter, responses
from motorgraph.protocol import Call, Receive, moment
from motorgraph.reply import VARY, Send, send_bytes, send_page, with_headers
from motorgraph.search.likeness import MOST_COMPARED
from motorgraph.stores.embedded import Embedded
from motorgraph.terms import Ontology

PAGE = "html"
FORMATS = {form.suffix: form for form in GRAPHS}
SUFFIXES = (*FORMATS, PAGE)


class Book(Protocol):
    """What has the pages below one root."""

    async def page(self, iri: str) -> bytes:
        """The page of the whole, of a module or of a term, which there has to be."""


class Terms:
    """What is below one root, `ontology` or `shapes`; all of it is NotFound where the graph is not there."""

    methods = "GET, HEAD, OPTIONS"

    def __init__(
        self, vocabulary: tuple[str, str], book: Book, documentation: Documentation, store: Embedded, mementos: Mementos
    ) -> None:
        self._name, self._thing = vocabulary
        self._root = f"/{self._name}"
        self._book = book
        self._documentation = documentation
        self._store = store
        self._mementos = mementos

    @property
    def addresses(self) -> list[str]:
        """The paths that it answers, and that below which it does."""
        return [self._root, f"{self._root}/", *(f"{self._root}.{suffix}" for suffix in SUFFIXES)]

    def paths(self) -> dict[str, object]:
        """What it answers, as OpenAPI has it."""
        types = [*(form.media_type for form in GRAPHS), HTML]
        name, module = (_in_path("name", f"The name of a {what}.") for what in (self._thing, "module"))
        suffix = _in_path("suffix", f"One of {', '.join(SUFFIXES)}.")

        at = parameter("at", "A commit or a time: what was there then, as data.")

        def read(summary: str, successes: dict[str, list[str]], *parameters: object) -> dict[str, object]:
            answers = responses(successes, "400", "404", "406", "413", "503")
            return {"get": {"summary": summary, "tags": ["terms"], "parameters": [*parameters, at], "responses": answers}}

        return {
            self._root: read(f"Every {self._thing}, as one document", {"200": types}),
            f"{self._root}/module/{{name}}": read(f"Every {self._thing} of a module", {"200": types}, module),
            f"{self._root}/{{name}}": read(f"One {self._thing}: where its page or its data is", {"303": []}, name),
            f"{self._root}/{{name}}.{{suffix}}": read(f"What is said of one {self._thing}", {"200": types}, name, suffix),
        }

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""
        if call.method not in ("GET", "HEAD"):
            raise MethodNotAllowed(call.method, self.methods)
        path, suffix = _parted(call.path.rstrip("/"))
        at = moment(call)
        commit = await self._store.at(at) if at else 0
        iri = self._store.settings.base + path
        vocabulary, answered = await self._documentation.vocabulary(self._name, commit)
        together = vocabulary.document(iri)
        if together is None and iri not in vocabulary.terms:
            raise self._missing(path, vocabulary)
        is_older = commit not in (0, self._store.commit)
        form = self._format(call, suffix, has_page=not is_older)
        if suffix != PAGE:  # there is none of an older commit
            send = with_headers(send, await self._mementos.headers(call, commit))
        if together is None and not suffix:
            await self._send_on(f"{path}.{form.suffix if form else PAGE}", call, send)
        elif form is None:
            await self._send_page(iri, commit, call, send)
        else:
            document = Document(answered, vocabulary, together or [iri])
            await self._send(document, form, call, send, is_fixed=bool(commit))

    @staticmethod
    def _format(call: Call, suffix: str, *, has_page: bool) -> Format | None:
        """The format to answer in; None for a page, which only the newest commit has. Raises NotAcceptable."""
        if suffix:
            return FORMATS.get(suffix)
        accept = call.header(b"accept")
        if has_page and prefers_html(accept):
            return None
        form = choose(accept, GRAPHS)
        if form is None:
            raise NotAcceptable(
                f"This can be had as {listing(GRAPHS)}, or as a page: {HTML}.", available=[*(f.media_type for f in GRAPHS), HTML]
            )
        return form

    async def _send_page(self, iri: str, commit: int, call: Call, send: Send) -> None:
        if commit not in (0, self._store.commit):
            raise NotAcceptable(
                f"Pages tell of the newest commit; of commit {commit} there is data, as {listing(GRAPHS)}.",
                available=[form.media_type for form in GRAPHS],
            )
        await send_page(send, call, await self._book.page(iri))

    async def _send(self, document: Document, form: Format, call: Call, send: Send, *, is_fixed: bool) -> None:
        if await has_it_already(self._store, document.commit, form.suffix, call, send, is_fixed=is_fixed):
            return
        headers = versioned(self._store, document.commit, form.suffix, is_fixed=is_fixed)
        found = [(b"content-type", form.content_type.encode()), VARY, *headers]
        body = document.serialised(form, self._documentation.prefixes)
        await send_bytes(send, 200, found, body, with_body=call.method != "HEAD")

    @staticmethod
    async def _send_on(path: str, call: Call, send: Send) -> None:
        """303: the thing itself cannot be sent, what describes it is elsewhere."""
        where = quote(path).encode() + (b"?" + call.query_string if call.query_string else b"")
        await send_bytes(send, 303, [(b"location", where), VARY], b"")

    def _missing(self, path: str, vocabulary: Ontology) -> NotFound:
        name, links = path[len(self._root) + 1 :], Links(self._documentation.prefixes)
        near = [{"id": term.iri, "name": term.name, "page": links.address(term.iri)} for term in vocabulary.near(name)]
        hint = f" Near to it: {', '.join(each['name'] for each in near)}." if near else f" {self._root} lists all there is."
        return NotFound(f"There is no {self._thing} {name[:MOST_COMPARED]!r}.{hint}", near=near)


def _in_path(name: str, words: str) -> dict[str, object]:
    return {**parameter(name, words, place="path"), "required": True}


def _parted(path: str) -> tuple[str, str]:
    """A path without the suffix of a format at its end, and that suffix, "" for none."""
    before, dot, suffix = path.rpartition(".")
    return (before, suffix) if dot and suffix in SUFFIXES and not before.endswith("/") else (path, "")
