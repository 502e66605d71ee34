"""The tools of the service for language models, by the Model Context Protocol: what they do is what its addresses do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from inspect import getdoc
from typing import Any
from urllib.parse import quote, urlsplit

import orjson
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from mcp.types import ToolAnnotations
from starlette.applications import Starlette

from motorgraph import __version__
from motorgraph.address import FOREIGN
from motorgraph.inside import CLIENT, App, Inside, Told
from motorgraph.media import JSON, TURTLE
from motorgraph.protocol import Call, by_name
from motorgraph.settings import Settings

MOST_BYTES = 400_000
"""More than this is no answer for a language model; it is asked to narrow the question."""
MOST_HITS = 50
Json = dict[str, Any]  # Any: free JSON, as the addresses answer it
Many = str | list[str]
READS = ToolAnnotations(read_only_hint=True, idempotent_hint=True, destructive_hint=False, open_world_hint=False)
INSTRUCTIONS = """motorgraph is a knowledge graph of the motor industry: who builds whose cars, where, with whose technology,
under which rules, and who says so. Look a name up with `search`, read about it with `describe`. For a question that is in
`list_questions`, use `ask`; for duties `duty`; for anything else write SPARQL with the terms of `vocabulary` (PREFIX mg:
<{base}/ontology/>) and send it with `sparql`; <{base}/graph/accepted> is the graph of what curators accepted. What is accepted
and what is only claimed are different things: say which it is, and name the sources that come with the rows and the commit of
the answer. Where the graph says that something is not known, say that."""
_VOCABULARY = """PREFIX owl: <http://www.w3.org/2002/07/owl#> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT ?term ?kind ?label ?definition ?domain ?range {{ GRAPH <{base}/graph/ontology> {{
  VALUES ?kind {{ owl:Class owl:ObjectProperty owl:DatatypeProperty }}
  ?term a ?kind ; rdfs:label ?label ; skos:definition ?definition
  FILTER(LANG(?label) = "en" && LANG(?definition) = "en" && STRSTARTS(STR(?term), "{base}/ontology/"))
  OPTIONAL {{ ?term rdfs:domain ?domain FILTER(isIRI(?domain)) }}
  OPTIONAL {{ ?term rdfs:range ?range FILTER(isIRI(?range)) }} }} }}
ORDER BY ?kind ?term"""


class Tools:
    """What a language model may do here: read."""

    def __init__(self, app: App, settings: Settings) -> None:
        self._app = app
        self._base = settings.base

    async def search(self, ctx: Context, text: str, kind: str = "", limit: int = 10) -> Json:
        """Finds things by name, alias or identifier; misspellings are forgiven. `kind` (plant, organization, deal, act, model …)
        narrows it. Each hit has its IRI, for `describe` and for SPARQL."""
        given = [("q", text), ("limit", str(max(1, min(limit, MOST_HITS))))]
        return await self._json(ctx, "/search", [*given, *([("kind", kind)] if kind else [])])

    async def describe(self, ctx: Context, thing: str) -> Json:
        """What the graph says of a thing, by its IRI or by kind and slug ("plant/magna-steyr-graz"), not by a name: facts, the
        claims on it with stance, date and source, and what points to it."""
        told = self._require(await self._inside(ctx).read(self._path(thing), accept="application/ld+json"))
        return _at_commit(told, {"thing": orjson.loads(told.body)})

    async def list_questions(self, ctx: Context) -> Json:
        """The questions that the graph is made to answer, each with its slug and its parameters, for `ask`. A parameter takes a
        thing of a kind or a value of a datatype; without it the question is asked with the default."""
        told = await self._json(ctx, "/questions")
        return told | {"questions": [_brief(question) for question in told["questions"]]}

    async def ask(self, ctx: Context, question: str, parameters: dict[str, Many] | None = None) -> Json:
        """The answer to a question of `list_questions` by its slug, each row with its sources. `parameters` are values by name:
        a name, slug or IRI, a date (2026-01-31), a number; a list for several. What is left out is as in `default`."""
        return await self._json(ctx, f"/questions/{quote(question, safe='')}", _pairs(parameters or {}))

    async def duty(
        self, ctx: Context, maker: Many = "", plant: Many = "", model: Many = "", market: Many = "", date: Many = ""
    ) -> Json:
        """The import duty on a car: who makes it, the plant (or a country's code for anywhere in it), model or kind of drive
        (bev, phev, ice), the market (eu, us, ca …), the day; a list compares. Leave plant or market out to compare all. Each row
        has its total in per cent, the measures and acts that make it, or why it is not known; the deals that would open the
        route, and who says so."""
        asked = {"maker": maker, "plant": plant, "model": model, "market": market, "date": date}
        return await self._json(ctx, "/questions/duty", _pairs(asked))

    async def vocabulary(self, ctx: Context, about: str = "") -> Json:
        """The classes and properties to write SPARQL with, their definitions, domains and ranges; `about` keeps those that
        have the word in their name or definition."""
        told = await self._solutions(ctx, _VOCABULARY.format(base=self._base))
        word = about.casefold()
        told["rows"] = [row for row in told["rows"] if word in f"{row['term']} {row['label']} {row['definition']}".casefold()]
        return told

    async def sparql(self, ctx: Context, query: str) -> Json:
        """Evaluates a SPARQL 1.1 query (SELECT, ASK, CONSTRUCT, DESCRIBE) on the merge of all graphs, where a claim is a node of
        its own; GRAPH narrows it to what curators accepted, or to what one document says. Declare prefixes. Long answers are
        refused: use LIMIT or aggregates. A row has only the sources that the query asks for (mg:acceptedFrom/mg:foundIn)."""
        return await self._solutions(ctx, query)

    # What they share

    def _inside(self, ctx: Context) -> Inside:
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in (ctx.headers or {}).items()]
        known = by_name(headers)
        client = known.get(CLIENT, b"").decode("latin-1")
        asking = Call("POST", "/mcp", b"", known, is_http_1_0=False, scheme="http", client=client)
        return Inside(self._app, asking, MOST_BYTES)

    async def _json(self, ctx: Context, path: str, parameters: Iterable[tuple[str, str]] = ()) -> Json:
        told = self._require(await self._inside(ctx).read(path, parameters))
        return _at_commit(told, orjson.loads(told.body))

    async def _solutions(self, ctx: Context, query: str) -> Json:
        accept = f"{JSON.media_type}, {TURTLE.media_type};q=0.9"
        told = self._require(await self._inside(ctx).read("/sparql", [("query", query)], accept))
        if told.header(b"content-type").startswith(TURTLE.media_type):
            return _at_commit(told, {"turtle": told.body.decode()})
        found = orjson.loads(told.body)
        if "boolean" in found:
            return _at_commit(told, {"boolean": found["boolean"]})
        rows = [{name: term["value"] for name, term in row.items()} for row in found["results"]["bindings"]]
        return _at_commit(told, {"columns": found["head"]["vars"], "rows": rows})

    def _require(self, told: Told) -> Told:
        """The answer. Raises ToolError with the words of a refusal, or if the answer is too long."""
        if told.status >= 400:
            problem = orjson.loads(told.body)
            near = [f"{match['name']} ({match['id'].rpartition('/questions/')[2]})" for match in problem.get("near", [])]
            raise ToolError(problem["detail"] + (f" Near it: {', '.join(near)}." if near else ""))
        if told.is_cut:
            raise ToolError(f"The answer is longer than {MOST_BYTES:,} bytes. Ask for less: a LIMIT, an aggregate, one thing.")
        return told

    def _path(self, thing: str) -> str:
        """Where this service tells of a thing."""
        if thing.startswith(self._base + "/"):
            return urlsplit(thing[len(self._base) :]).path
        if "://" in thing:
            return f"/data/{FOREIGN}{quote(thing, safe='')}"
        if "/" not in thing:
            raise ToolError(f"{thing!r} is neither an IRI nor kind/slug, such as plant/magna-steyr-graz. Look it up with search.")
        return "/" + thing.strip("/") if thing.startswith(("/", "id/")) else "/id/" + thing.strip("/")


def application(app: App, settings: Settings) -> Starlette:
    """What answers at /mcp: Streamable HTTP without sessions, each answer one JSON document."""
    tools = Tools(app, settings)
    server: MCPServer[object] = MCPServer(
        "motorgraph", version=__version__, instructions=INSTRUCTIONS.format(base=settings.base), subscriptions=False
    )
    found = (tools.search, tools.describe, tools.sparql, tools.vocabulary)
    asking = () if settings.plain else (tools.list_questions, tools.ask, tools.duty)
    for tool in (*found, *asking):
        server.add_tool(tool, description=getdoc(tool), annotations=READS)
    anywhere = TransportSecuritySettings(enable_dns_rebinding_protection=False)  # reads are open to all, or need a token
    return server.streamable_http_app(json_response=True, stateless_http=True, transport_security=anywhere)


def _pairs(parameters: Mapping[str, Many]) -> list[tuple[str, str]]:
    """Parameters as an address has them; what is left empty is left out."""
    several = ((name, [given] if isinstance(given, str) else given) for name, given in parameters.items())
    return [(name, value) for name, values in several for value in values if value]


def _brief(question: Json) -> Json:
    """What one has to know of a question to ask it."""
    parameters = [
        {"name": each["name"], "says": each["description"], "list": each["list"], "default": each["default"]}
        | {"takes": each["kinds"] or [each["datatype"].rpartition("#")[2]]}
        for each in question["parameters"]
    ]
    return {name: question[name] for name in ("slug", "question", "subject")} | {"parameters": parameters}


def _at_commit(told: Told, found: Json) -> Json:
    """An answer with the commit that it is from."""
    commit = told.header(b"x-commit")
    return {**found, "commit": int(commit)} if commit else found
