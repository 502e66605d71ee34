"""The interface as OpenAPI: what the framework knows of its own routes, and by hand the endpoints that stand before it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from motorgraph.media import GRAPHS, HTML, JSONLD, NAMED, PROBLEM, READABLE, SOLUTIONS
from motorgraph.parameters import Parameter, short
from motorgraph.protocol import FORM, QUERY_TYPE, UPDATE_TYPE
from motorgraph.questions import Question

TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT}
_QUERY = "A SPARQL query; without it the service description is answered."
_DATASET = {
    "default-graph-uri": "Graph to merge into the default graph of a query.",
    "named-graph-uri": "Graph that GRAPH can name in a query.",
}
_USING = {
    "using-graph-uri": "Graph to merge into the default graph of an update's WHERE.",
    "using-named-graph-uri": "Graph that GRAPH can name in an update's WHERE.",
}
_FORM = "The format of the answer by name; without it Accept says which."
_PAGE = "Of the page that a browser gets: which 200 rows, from 1."
_AT = "A commit or a time (ISO 8601): the graph as it was then."
_OBJECT: dict[str, object] = {"type": "object"}
_PROBLEM = {
    **_OBJECT,
    "properties": {"type": TEXT, "title": TEXT, "status": {"type": "integer"}, "detail": TEXT, "instance": TEXT},
    "required": ["type", "title", "status", "detail", "instance"],
}
_SCHEMAS = {PROBLEM: _PROBLEM, JSONLD.media_type: {"type": ["object", "array"]}}
NEEDS_TOKEN: list[dict[str, list[str]]] = [{"token": []}]


def described(app: FastAPI, paths: Iterable[Mapping[str, object]], *, protects_reads: bool) -> dict[str, Any]:  # Any: free JSON
    """OpenAPI of the whole service: the framework's routes, and the `paths` of each endpoint that stands before them."""
    if not app.openapi_schema:
        schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        for described_paths in paths:
            schema["paths"] |= described_paths
        schema.setdefault("components", {})["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        if protects_reads:
            schema["security"] = NEEDS_TOKEN
        app.openapi_schema = schema
    return app.openapi_schema


def content(*media_types: str) -> dict[str, object]:
    """A body that may be of these media types: JSON is an object (JSON-LD may be an array too), whatever else a text."""
    return {name: {"schema": _SCHEMAS.get(name) or (_OBJECT if name.endswith("json") else TEXT)} for name in media_types}


def parameter(name: str, description: str, *, place: str = "query", schema: object = TEXT) -> dict[str, object]:
    """One parameter; `place` is query, path or header."""
    return {"name": name, "in": place, "description": description, "schema": schema}


def responses(successes: Mapping[str, Sequence[str]], *refusals: str) -> dict[str, object]:
    """The responses of an operation: for each status of success its media types, and the statuses of refusals."""
    problem = {"description": "Refused; says why, in a browser as a page.", "content": content(PROBLEM, HTML)}
    done = {status: {"description": "Done.", "content": content(*types)} for status, types in successes.items()}
    return {**done, **dict.fromkeys(refusals, problem)}


_ACCOUNT = "application/json"
_TRUTH = {"type": "string", "enum": ["true", "false"]}
_ONLY_REHEARSED = "`true`: the write is rehearsed and not made; the answer is what it would do, and the report of the shapes."
_DRY_RUN = parameter("dry-run", _ONLY_REHEARSED, schema=_TRUTH)
_IF_MATCH = parameter("If-Match", "ETag of the version that the change is meant for.", place="header")
_IF_NONE_MATCH = parameter("If-None-Match", "`*`: only if there is no such graph yet.", place="header")
_WRITE_HEADERS = [
    _IF_MATCH,
    parameter("Idempotency-Key", "A string in quotes; the write is made once, however often it is sent with it.", place="header"),
    parameter("Prefer", "`return=representation`: the answer says what the write did.", place="header"),
    parameter("X-Commit-Message", "Why the change is made; kept with the commit.", place="header"),
]


def sparql_paths() -> dict[str, object]:
    """/sparql."""
    results = [f.media_type for f in (*SOLUTIONS, *GRAPHS)]
    dataset = [parameter(name, words, schema=TEXTS) for name, words in _DATASET.items()]
    using = [parameter(name, words, schema=TEXTS) for name, words in _USING.items()]
    form = parameter("format", _FORM, schema={**TEXT, "enum": [*NAMED]})
    page = parameter("page", _PAGE, schema={"type": "integer", "minimum": 1})
    get = {
        "summary": "SPARQL query",
        "tags": ["sparql"],
        "parameters": [parameter("query", _QUERY), parameter("at", _AT), *dataset, form, page],
        "responses": responses({"200": [*results, HTML]}, "400", "403", "404", "406", "413", "422", "500", "503"),
    }
    post = {
        "summary": "SPARQL query or update",
        "tags": ["sparql"],
        "security": [{}, *NEEDS_TOKEN],  # a query needs none
        "parameters": [*dataset, *using, _DRY_RUN, *_WRITE_HEADERS],
        "requestBody": {"required": True, "content": content(QUERY_TYPE, UPDATE_TYPE) | {FORM: {"schema": _form()}}},
        "responses": responses(
            {"200": [*results, _ACCOUNT], "204": ()},
            *("400", "401", "403", "404", "406", "409", "412", "413", "415", "422", "429", "500", "503"),
        ),
    }
    return {"/sparql": {"get": get, "post": post}}


def _form() -> dict[str, object]:
    """The form of a query or an update."""
    either = "Either this or {}, once."
    texts = {"query": either.format("update"), "update": either.format("query")}
    return {
        "type": "object",
        "properties": {
            **{name: {**TEXT, "description": words} for name, words in texts.items()},
            **{name: {**TEXTS, "description": words} for name, words in {**_DATASET, **_USING}.items()},
            "at": {**TEXT, "description": f"With a query: {_AT[0].lower()}{_AT[1:]}"},
            "dry-run": {**_TRUTH, "description": _ONLY_REHEARSED},
        },
    }


def graphs_paths() -> dict[str, object]:
    """/graphs as OpenAPI."""
    default = parameter("default", "The default graph, without a value.") | {"allowEmptyValue": True}
    which, at = [parameter("graph", "IRI of a named graph."), default], parameter("at", _AT)

    def verb(summary: str, successes: Mapping[str, Sequence[str]], *refusals: str) -> dict[str, object]:
        answers = responses(successes, "400", *refusals, "500", "503")
        return {"summary": summary, "tags": ["graph store"], "parameters": which, "responses": answers}

    change = {"security": NEEDS_TOKEN, "parameters": [*which, _DRY_RUN, *_WRITE_HEADERS, _IF_NONE_MATCH]}
    body = {"required": True, "content": content(*[f.media_type for f in READABLE], "multipart/form-data")}
    patch = {"required": True, "content": content(UPDATE_TYPE)}
    told = [_ACCOUNT, *[f.media_type for f in GRAPHS]]
    made, refused = {"200": told, "201": told, "204": ()}, ("401", "403", "406", "409", "412", "413", "415", "422", "429")
    done = {"200": told, "204": ()}
    verbs = {
        "get": verb("A graph", {"200": [f.media_type for f in GRAPHS]}, "404", "406", "422") | {"parameters": [*which, at]},
        "put": verb("Replace a graph", made, *refused) | change | {"requestBody": body},
        "post": verb("Merge into a graph", made, *refused) | change | {"requestBody": body},
        "patch": verb("Change a graph by an update", made, *refused, "404", "405") | change | {"requestBody": patch},
        "delete": verb("Drop a graph", done, "401", "403", "404", "405", "406", "409", "412", "422", "429") | change,
    }
    return {"/graphs": verbs}


def things_paths() -> dict[str, object]:
    """The things of the graph, and what is said of them."""
    formats = [f.media_type for f in GRAPHS]
    page = parameter("page", "Which page of the statements, from 1.", schema={"type": "integer", "minimum": 1})
    at = parameter("at", "The graph as it was: a commit's number, or a time.")
    inline = parameter(
        "context", "`inline`: a JSON-LD document holds its context.", schema={"type": "string", "enum": ["link", "inline"]}
    )
    stance = parameter("stance", "Only the claims with this mark, by a `key` of `chips`, such as `denied`.")
    around = parameter("around", "`all`: the picture draws all that is next to the thing, not the nearest alone.")
    show = parameter("show", "`duties` of today, `history`: what the page else only links to. May be repeated.", schema=TEXTS)
    kind, slug = (parameter(name, words, place="path") | {"required": True} for name, words in _THING.items())

    def get(summary: str, successes: Mapping[str, Sequence[str]], *parameters: object) -> dict[str, object]:
        answers = responses(successes, "400", "404", "406", "410", "500", "503")
        return {
            "get": {"summary": summary, "tags": ["things"], "parameters": [kind, slug, *parameters, at], "responses": answers}
        }

    elsewhere = {"301": (), "303": ()}
    return {
        "/id/{kind}/{name}": get("A thing of the graph: leads to what is said of it", elsewhere),
        "/data/{kind}/{name}": get("What is said of a thing", {"200": formats, "301": ()}, page, inline),
        "/page/{kind}/{name}": get(
            "What is said of a thing, for people", {"200": ["text/html"], "301": ()}, page, stance, around, show
        ),
    }


_THING = {"kind": "Kind of the thing, such as plant.", "name": "Its name, such as ford-valencia-body-and-assembly."}


def context_paths(path: str) -> dict[str, object]:
    """The JSON-LD context."""
    answers = responses({"200": ["application/ld+json"]}, "400", "404", "500", "503")
    at = parameter("at", "The graph as it was: a commit's number, or a time.")
    return {path: {"get": {"summary": "JSON-LD context", "tags": ["things"], "parameters": [at], "responses": answers}}}


_CITE = parameter("cite", "`0`: without the sources of each row.", schema={"type": "string", "enum": ["0", "1"]})


def questions_paths(questions: Iterable[Question], answers: Sequence[str], lists: Sequence[str]) -> dict[str, object]:
    """The questions: their list, any of them by its name, and each with its parameters."""
    slug = parameter("slug", "Name of a question, such as who-is-in-talks-with-ford.", place="path") | {"required": True}
    refusals = ("400", "404", "406", "413", "422", "500", "503")

    def get(summary: str, *parameters: object) -> dict[str, object]:
        told = {"summary": summary, "tags": ["questions"], "parameters": [*parameters, _CITE, parameter("at", _AT)]}
        return {"get": {**told, "responses": responses({"200": answers, "301": ()}, *refusals)}}

    named = {
        question.page: get(question.words, *(_asked(each, question) for each in question.parameters)) for question in questions
    }
    listed = {"summary": "The questions", "tags": ["questions"], "responses": responses({"200": lists}, "406")}
    return {"/questions": {"get": listed}, "/questions/{slug}": get("The answer to a question", slug), **named}


def _asked(each: Parameter, question: Question) -> dict[str, object]:
    """A parameter of a question; the example is what is asked if it is left out, if that is anything."""
    usual = [short(term.value) if each.kinds else term.value for term in question.defaults[each.name]]
    kind: dict[str, object] = {"type": "number"} if each.is_number else {"type": "string"}
    kind |= {"format": "date"} if each.is_date else {}
    kind |= {"pattern": each.pattern} if each.pattern else {}
    kind |= {"enum": [short(term.value) for term in each.choices]} if each.choices else {}
    kind |= {"minimum": float(each.least)} if each.least is not None else {}
    kind |= {"maximum": float(each.most)} if each.most is not None else {}
    examples = [float(text) for text in usual] if each.is_number else usual
    schema = {"type": "array", "items": kind} if each.is_list else kind
    told = parameter(each.name, each.description, schema=schema)
    return told | {"example": examples if each.is_list else examples[0]} if examples else told
