"""`/questions`: the questions that ship, each answered with the values that a client gives, as data, table, query or page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any
from urllib.parse import urlencode

import orjson
import pyoxigraph as ox

from motorgraph import __version__
from motorgraph.answers import Answers, Reply
from motorgraph.conditions import has_it_already, versioned
from motorgraph.errors import BadParameter, BadRequest, MethodNotAllowed, NotAcceptable, NotFound
from motorgraph.fields import Field, documents, field, table
from motorgraph.given import Givens
from motorgraph.media import CSV, HTML, TSV, TURTLE, Format, choose, listing, prefers_html
from motorgraph.media import PLAIN_JSON as JSON
from motorgraph.openapi import questions_paths
from motorgraph.pages import Pages
from motorgraph.parameters import Term, short
from motorgraph.picturing import VIEWS, Pictures
from motorgraph.protocol import QUERY_TYPE, Call, Receive, one, query_parameters
from motorgraph.questions import Question
from motorgraph.renderings import address, body, name_of
from motorgraph.reply import VARY, Headers, Send, send_bytes, send_page
from motorgraph.settings import Settings
from motorgraph.stores.embedded import Embedded

METHODS = "GET, HEAD, OPTIONS"
SPARQL = Format("SPARQL", QUERY_TYPE, "rq")
PAGE = Format("page", HTML, "html")
FORMATS = (JSON, CSV, TSV, SPARQL)
LISTS = (JSON, TURTLE)
BY_SUFFIX = {form.suffix: form for form in (*FORMATS, PAGE)}
PLANNER = "duty"
"""The question that has a page of its own, with routes side by side."""
MOST_KEPT = 64
MOST_KEPT_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks: the question, the format, what was given as texts, whether sources are wanted, commit and view."""

    question: Question
    form: Format
    told: Mapping[str, Sequence[str]]
    is_cited: bool
    commit: int
    view: str


class QuestionPages:
    """The questions."""

    methods = METHODS

    def __init__(self, store: Embedded, settings: Settings, pages: Pages) -> None:
        self._store = store
        self._settings = settings
        self._pages = pages
        self._questions = pages.questions
        self._givens = Givens(store)
        self._answers = Answers(store)
        self._pictures = Pictures(store)
        self._kept: dict[tuple[str, int, bool], Reply] = {}

    def paths(self) -> Mapping[str, object]:
        """What it answers, as OpenAPI has it."""
        told = [question for question in self._questions.all if question.slug != PLANNER]
        return questions_paths(told, [*(form.media_type for form in FORMATS), HTML], [*(f.media_type for f in LISTS), HTML])

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""
        if call.method not in METHODS.split(", "):
            raise MethodNotAllowed(call.method, METHODS)
        name = call.path.removeprefix("/questions").strip("/")
        if not name:
            await self._list(call, send)
            return
        stem, form = _split(name)
        question = self._questions.by_slug(stem) or (self._named(stem) if form is SPARQL else None)
        if question is None:
            await self._elsewhere(stem, form, call, send)
            return
        told = query_parameters(call)
        moment, wish, view = (one(told, name) for name in ("at", "cite", "view"))
        if wish not in ("", "0", "1"):
            raise BadRequest(f"cite={wish[:20]!r} is not known; cite=0 leaves the sources out.")
        if view not in ("", *VIEWS):
            raise BadRequest(f"view={view[:20]!r} is not known; there are {', '.join(VIEWS)}.")
        commit = await self._store.at(moment) if moment else 0
        given = {key: values for key, values in told.items() if key not in ("at", "cite", "view")}
        await self._send(Asked(question, form or _wanted(call), given, wish != "0", commit, view), call, send)

    def _named(self, name: str) -> Question | None:
        """The question with a file's name: descriptions of the service name its text so."""
        return next((question for question in self._questions.all if question.name == name), None)

    async def _elsewhere(self, stem: str, form: Format | None, call: Call, send: Send) -> None:
        """Leads to a question that is spelt otherwise (301). Raises NotFound with those of names most like it."""
        meant = self._questions.by_spelling(stem)
        if meant is None:
            near = [{"id": q.page, "name": q.words, "page": q.page} for q in self._questions.near(stem[:200])]
            raise NotFound(f"There is no question {stem[:100]!r}; /questions lists them.", near=near)
        where = (meant.page + (f".{form.suffix}" if form else "")).encode()
        where += b"?" + call.query_string if call.query_string else b""
        headers = [(b"location", where), (b"content-type", b"text/plain; charset=utf-8"), VARY]
        await send_bytes(send, 301, headers, b"See " + where + b"\n", with_body=call.method != "HEAD")

    async def _send(self, asked: Asked, call: Call, send: Send) -> None:
        if asked.form is PAGE:
            await self._page(asked, call, send)
            return
        given = await self._givens.read(asked.question, asked.told, asked.commit)
        if asked.form is SPARQL:
            text = asked.question.asked(given).encode()
            kind = (b"content-type", f"{QUERY_TYPE}; charset=utf-8".encode())
            await send_bytes(send, 200, [kind, VARY], text, with_body=call.method != "HEAD")
            return
        tag = _tag(asked, given)
        fixed = bool(asked.commit)
        if await has_it_already(self._store, asked.commit or self._store.commit, tag, call, send, is_fixed=fixed):
            return
        reply = await self._reply(asked, given)
        headers = [(b"content-type", asked.form.content_type.encode()), VARY, *self._headers(asked, reply, tag)]
        await send_bytes(send, 200, headers, body(reply, asked.form, cited=asked.is_cited), with_body=call.method != "HEAD")

    async def _page(self, asked: Asked, call: Call, send: Send) -> None:
        """The page of a question; if it cannot be asked, with what is wrong at the fields of its form, and 422."""
        question = asked.question
        try:
            given = await self._givens.read(question, asked.told, asked.commit)
        except BadParameter as refused:
            faults: Sequence[Mapping[str, Any]] = refused.members["errors"]
            fields = await self._fields(asked, faults)
            page = await self._pages.page(
                "question.html", question=question, words=question.words, fields=fields, refused=refused, reply=None
            )
            await send_page(send, call, page, status=refused.status)
            return
        tag = _tag(asked, given)
        if await has_it_already(self._store, asked.commit or self._store.commit, tag, call, send, is_fixed=bool(asked.commit)):
            return
        reply = await self._reply(asked, given)
        views = self._pictures.views(reply)
        picture = await self._pictures.picture(reply, asked.view if asked.view in views else views[0], asked.commit)
        page = await self._pages.page(
            "question.html",
            picture=picture,
            views={name: (VIEWS[name], address(reply, at=bool(asked.commit), view=name)) for name in views},
            question=question,
            fields=await self._fields(asked, ()),
            words=reply.words,
            refused=None,
            reply=reply,
            rows=table(reply, self._settings.base),
            documents=documents(reply, self._settings.base),
            text=question.asked(given),
            addresses={form.name: address(reply, f".{form.suffix}", at=bool(asked.commit)) for form in FORMATS},
            uncited=address(reply, ".csv", at=bool(asked.commit), cited=False),
            is_past=bool(asked.commit) and asked.commit != self._store.commit,
            today=address(reply),
        )
        await send_page(send, call, page, self._headers(asked, reply, tag))

    async def _reply(self, asked: Asked, given: Mapping[str, Sequence[Term]]) -> Reply:
        """The answer, kept for as long as its commit is asked for if it is short."""
        text = asked.question.asked(given)
        key = (text, asked.commit or self._store.commit, asked.is_cited)
        if key in self._kept:
            return replace(self._kept[key], words=await self._words(asked.question, given), values=given)
        reply = await self._answers.to(asked.question, given, asked.commit, cited=asked.is_cited)
        if len(reply.rows) <= MOST_KEPT_ROWS:
            self._kept[text, reply.commit, asked.is_cited] = reply
            if len(self._kept) > MOST_KEPT:
                del self._kept[next(iter(self._kept))]
        return replace(reply, words=await self._words(asked.question, given))

    async def _words(self, question: Question, given: Mapping[str, Sequence[Term]]) -> str:
        """The question in words, which name what was given in place of what they name otherwise."""
        if not given:
            return question.words
        names: dict[str, list[str]] = {}
        for each in question.parameters:
            known = await self._givens.names(each) if each.kinds else {}
            terms = given.get(each.name) or question.defaults[each.name]
            names[each.name] = [known.get(short(term.value), term.value) if each.kinds else term.value for term in terms]
        return question.worded(names)

    def _headers(self, asked: Asked, reply: Reply, tag: str) -> Headers:
        return versioned(self._store, reply.commit, tag, is_fixed=bool(asked.commit))

    async def _fields(self, asked: Asked, faults: Sequence[Mapping[str, Any]]) -> list[Field]:
        """The fields of the form, with what is wrong with each."""
        made = []
        for each in asked.question.parameters:
            told = [text for text in asked.told.get(each.name, ()) if text.strip()]
            names = await self._givens.names(each) if each.kinds else {}
            wrong = tuple(_led(fault, asked) for fault in faults if fault["field"] == each.name)
            made.append(replace(field(each, told, asked.question.defaults[each.name], names), faults=wrong))
        return made

    async def _list(self, call: Call, send: Send) -> None:
        """All questions: as a page, as JSON, or their node shapes."""
        accept = call.header(b"accept")
        form = None if prefers_html(accept) else choose(accept, LISTS)
        if prefers_html(accept):
            await send_page(send, call, await self._pages.page("questions.html", groups=self._questions.by_subject()))
            return
        if form is None:
            raise NotAcceptable(
                f"The list can be had as {listing(LISTS)}, or as a page.", available=[*(f.media_type for f in LISTS), HTML]
            )
        text = self._questions.turtle.encode() if form is TURTLE else _listed(self._questions.all)
        headers = [(b"content-type", form.content_type.encode()), VARY]
        await send_bytes(send, 200, headers, text, with_body=call.method != "HEAD")


def _split(name: str) -> tuple[str, Format | None]:
    """A name and the format that its suffix names, None if it has no such suffix."""
    stem, dot, suffix = name.rpartition(".")
    return (stem, BY_SUFFIX[suffix]) if dot and suffix in BY_SUFFIX else (name, None)


def _wanted(call: Call) -> Format:
    """The format that the client likes best. Raises NotAcceptable."""
    accept = call.header(b"accept")
    if prefers_html(accept):
        return PAGE
    form = choose(accept, FORMATS)
    if form is None:
        raise NotAcceptable(
            f"An answer can be had as {listing(FORMATS)}, or as a page.", available=[*(f.media_type for f in FORMATS), HTML]
        )
    return form


def _tag(asked: Asked, given: Mapping[str, Sequence[Term]]) -> str:
    """What tells an answer from others of the same commit."""
    told = (asked.question.asked(given), tuple(sorted(asked.told)), asked.form.suffix, asked.is_cited, asked.view, __version__)
    return blake2b(repr(told).encode(), digest_size=9).hexdigest()


def _led(fault: Mapping[str, Any], asked: Asked) -> Mapping[str, Any]:  # Any: a member of a problem
    """A fault whose near matches lead to the question asked with them in place of the value."""
    name, value = fault["field"], fault["value"]
    near = []
    for each in fault["near"]:
        told = [
            (key, text) for key, texts in asked.told.items() for text in texts if text and (key, text.strip()) != (name, value)
        ]
        near.append({**each, "page": f"{asked.question.page}?{urlencode([*told, (name, name_of(ox.NamedNode(each['id'])))])}"})
    return {**fault, "near": near}


def _listed(questions: Sequence[Question]) -> bytes:
    told = [
        {
            "slug": question.slug,
            "question": question.words,
            "subject": question.subject,
            "page": question.page,
            "sparql": f"{question.page}.rq",
            "parameters": [
                {
                    "name": each.name,
                    "label": each.label,
                    "description": each.description,
                    "kinds": list(each.kinds),
                    "datatype": each.datatype,
                    "list": each.is_list,
                    "optional": each.is_optional,
                    "default": [term.value for term in question.defaults[each.name]],
                }
                for each in question.parameters
            ],
        }
        for question in questions
    ]
    return orjson.dumps({"questions": told}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
