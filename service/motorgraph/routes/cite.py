"""`/cite`: how to cite the data set at a commit, or a query of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import orjson

from motorgraph.citation import MOST_CHARACTERS, NAME, Citation, link_to, notes_on, require_steady, title_of
from motorgraph.errors import BadRequest, MethodNotAllowed, NotAcceptable, TooLarge
from motorgraph.media import HTML, Format, choose, listing, prefers_html
from motorgraph.media import PLAIN_JSON as JSON
from motorgraph.openapi import parameter, responses
from motorgraph.pages import Pages
from motorgraph.protocol import Call, Receive, moment, operation, query_parameters
from motorgraph.query import Query
from motorgraph.reply import VARY, Send, send_bytes, send_page
from motorgraph.settings import Settings
from motorgraph.stores.embedded import Embedded
from motorgraph.vocab import LICENCE

METHODS = "GET, HEAD, OPTIONS"
BIBTEX = Format("BibTeX", "application/x-bibtex", "bib", ("text/x-bibtex",))
CSL = Format("CSL-JSON", "application/vnd.citationstyles.csl+json", "csl.json")
FORMATS = (JSON, BIBTEX, CSL)


class Cite:
    """Says how to cite."""

    methods = METHODS

    def __init__(self, store: Embedded, settings: Settings, pages: Pages) -> None:
        self._store = store
        self._settings = settings
        self._pages = pages

    def paths(self) -> Mapping[str, object]:
        """What it answers, as OpenAPI has it."""
        given = [
            parameter("query", "The SPARQL query to cite; without it the whole data set."),
            parameter("at", "The commit or time (ISO 8601) that it was asked of; the newest if it is not said."),
        ]
        found = responses({"200": [*[form.media_type for form in FORMATS], HTML]}, "400", "404", "406", "413", "503")
        return {"/cite": {"get": {"summary": "How to cite", "tags": ["history"], "parameters": given, "responses": found}}}

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""
        if call.method not in METHODS.split(", "):
            raise MethodNotAllowed(call.method, METHODS)
        self._store.require_ready()
        is_page = prefers_html(call.header(b"accept"))
        form = choose(call.header(b"accept"), FORMATS)
        if form is None and not is_page:
            raise NotAcceptable(
                f"A citation can be had as {listing(FORMATS)}, or as a page.", available=[*(f.media_type for f in FORMATS), HTML]
            )
        query = _query(call)
        citation, digest = await self._citation(query, call)
        notes = notes_on(query.text) if query else []
        headers = [(b"x-commit", b"%d" % citation.commit), (b"cache-control", b"no-cache")]
        if is_page:
            page = await self._pages.page(
                "cite.html", citation=citation, query=query, notes=notes, csl=_dumped(citation.csl).decode()
            )
            await send_page(send, call, page, headers)
            return
        if form is BIBTEX:
            body = citation.bibtex.encode()
        else:
            body = _dumped(citation.csl if form is CSL else self._told(citation, query, notes, digest))
        kind = (b"content-type", (form or JSON).media_type.encode())
        await send_bytes(send, 200, [kind, VARY, *headers], body, with_body=call.method != "HEAD")

    async def _citation(self, query: Query | None, call: Call) -> tuple[Citation, str]:
        """The citation, and the digest of its commit."""
        at = query.at if query else moment(call)
        commit = (await self._store.at(at) if at else 0) or self._store.commit
        (found,) = await self._store.commits(after=commit - 1, upto=commit)
        plain = self._settings.plain
        named = f"The data of {call.header(b'host')}" if plain else f"{NAME}, an open knowledge graph of the motor industry"
        citation = Citation(
            title=title_of(query.text) if query else named,
            commit=commit,
            time=found["time"],
            lineage=self._store.lineage,
            link=link_to(query, commit, call.origin) if query else f"{call.origin}/graphs?at={commit}",
            licence="" if plain else LICENCE,
            host=call.header(b"host"),
            read=datetime.now(UTC).date(),
        )
        return citation, found["digest"]

    def _told(self, citation: Citation, query: Query | None, notes: list[str], digest: str) -> dict[str, object]:
        """The citation as JSON."""
        return {
            "title": citation.title,
            "query": query.text if query else None,
            "commit": citation.commit,
            "time": citation.time,
            "lineage": citation.lineage,
            "digest": digest,
            "licences": [citation.licence] if citation.licence else [],
            "link": citation.link,
            "notes": notes,
            "text": citation.text,
            "bibtex": citation.bibtex,
            "csl": citation.csl,
        }


def _query(call: Call) -> Query | None:
    """The query to cite, None for the data set. Raises BadRequest or TooLarge."""
    given = query_parameters(call)
    if "query" not in given:
        return None
    asked = operation(call, b"")
    if not isinstance(asked, Query) or not asked.text.strip():
        raise BadRequest("Give the query to cite in the parameter 'query'.")
    if len(asked.text) > MOST_CHARACTERS:
        raise TooLarge(f"A link holds at most {MOST_CHARACTERS:,} characters of a query; this one has {len(asked.text):,}.")
    require_steady(asked.text)
    return asked


def _dumped(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
