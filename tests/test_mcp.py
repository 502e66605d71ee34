"""The tools for language models, with the official client over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from mcp.client.session import ClientSession
from mcp.client.streamable_http import streamable_http_client

from tests.running import Service

Asking = Callable[[ClientSession], Awaitable[Any]]  # Any: whatever a test wants to know


def asked(service: Service, asking: Asking) -> Any:  # Any: see above
    """What comes of a conversation with a service."""

    async def conversation() -> Any:
        async with streamable_http_client(f"{service.url}/mcp") as (read, write), ClientSession(read, write) as session:
            await session.initialize()
            return await asking(session)

    return asyncio.run(conversation())


def called(service: Service, tool: str, **arguments: object) -> dict[str, Any]:
    """What a tool answers."""
    result = asked(service, lambda session: session.call_tool(tool, arguments))
    assert not result.is_error, result.content
    return dict(result.structured_content)


def refused(service: Service, tool: str, **arguments: object) -> str:
    """Why a tool does not answer."""
    result = asked(service, lambda session: session.call_tool(tool, arguments))
    assert result.is_error
    return str(result.content[0].text)


def test_every_tool_says_what_it_does_and_that_it_only_reads(shipped: Service) -> None:
    tools = asked(shipped, lambda session: session.list_tools()).tools
    assert {tool.name for tool in tools} == {
        *("ask", "describe", "duty", "list_questions"),
        *("search", "sparql", "vocabulary"),
    }
    assert all(tool.description and tool.annotations.read_only_hint for tool in tools)


def test_a_query_is_answered_with_its_commit(shipped: Service) -> None:
    found = called(shipped, "sparql", query="SELECT ?one { VALUES ?one { 1 } }")
    assert found == {"columns": ["one"], "rows": [{"one": "1"}], "commit": int(shipped.client.get("/ready").headers["x-commit"])}
    assert called(shipped, "sparql", query="ASK { ?s ?p ?o }")["boolean"] is True
    assert "<tag:a>" in called(shipped, "sparql", query="CONSTRUCT { <tag:a> <tag:b> 1 } {}")["turtle"]


def test_a_query_that_is_wrong_is_refused_with_line_and_column(shipped: Service) -> None:
    assert "Line 1, column 13" in refused(shipped, "sparql", query="ASK { ?s ?p }")


def test_an_answer_too_long_to_be_read_is_refused_and_says_how_to_ask_for_less(shipped: Service) -> None:
    assert "LIMIT" in refused(shipped, "sparql", query="SELECT * { ?s ?p ?o }")


def test_an_update_is_no_query(shipped: Service) -> None:
    assert "expected" in refused(shipped, "sparql", query="INSERT DATA { <tag:a> <tag:b> <tag:c> }")


def test_the_vocabulary_can_be_narrowed_to_a_word(shipped: Service) -> None:
    terms = [row["term"] for row in called(shipped, "vocabulary", about="undertaking")["rows"]]
    assert terms
    assert len(terms) < len(called(shipped, "vocabulary")["rows"])


def test_a_thing_is_described_by_its_slug_or_its_iri(shipped: Service) -> None:
    by_slug = called(shipped, "describe", thing="plant/magna-steyr-graz")
    assert by_slug == called(shipped, "describe", thing="https://motorgraph.example/id/plant/magna-steyr-graz")
    assert "Magna" in str(by_slug)


def test_a_thing_that_is_not_there_is_refused_with_those_near_it(shipped: Service) -> None:
    assert "plant/magna-steyr-graz" in refused(shipped, "describe", thing="plant/magna-steyr-gratz")
    assert "Nothing is said of" in refused(shipped, "describe", thing="https://example.org/x")


def test_an_act_is_described_by_its_iri_of_elsewhere_and_a_bare_name_is_sent_to_the_search(shipped: Service) -> None:
    act = "http://data.europa.eu/eli/reg_impl/2024/2754/oj"
    assert called(shipped, "describe", thing=act)["thing"]["id"] == act
    assert "with search" in refused(shipped, "describe", thing="Ford")


def test_the_instructions_name_the_terms_and_the_list_of_questions_fits_into_a_context(shipped: Service) -> None:
    async def conversation() -> str:
        async with streamable_http_client(f"{shipped.url}/mcp") as (read, write), ClientSession(read, write) as session:
            return (await session.initialize()).instructions or ""

    assert "<https://motorgraph.example/ontology/>" in asyncio.run(conversation())
    listed = called(shipped, "list_questions")["questions"]
    assert len(str(listed)) < 30_000
    talks = next(question for question in listed if question["slug"] == "who-is-in-talks-with-ford")
    assert [(each["name"], each["takes"]) for each in talks["parameters"]] == [("company", ["organization"]), ("asked", ["date"])]


def test_a_name_is_found_and_a_misspelt_one_too(shipped: Service) -> None:
    hits = called(shipped, "search", text="valensia", kind="plant")["hits"]
    assert any(hit["iri"].endswith("/plant/ford-valencia-body-and-assembly") for hit in hits)


def test_a_question_is_answered_with_sources_on_its_rows(shipped: Service) -> None:
    questions = str(called(shipped, "list_questions"))
    assert "who-is-in-talks-with-ford" in questions
    rows = called(shipped, "ask", question="who-is-in-talks-with-ford")["rows"]
    assert rows
    assert all(row["sources"] for row in rows)
    assert "who-is-in-talks-with-ford" in refused(shipped, "ask", question="who-is-in-talk-with-ford")


def test_the_duty_of_two_routes_is_compared(shipped: Service) -> None:
    given = {"maker": "geely-holding", "plant": ["cn", "ford-valencia-body-and-assembly"], "model": "bev", "market": "eu"}
    rows = called(shipped, "duty", **given, date="2024-12-01")["rows"]
    assert [row["total_percent"] for row in rows] == [28.8, 0]
    assert "date" in refused(shipped, "duty", **given, date="soon")


def test_only_post_is_taken(shipped: Service) -> None:
    response = shipped.client.get("/mcp")
    assert response.status_code == 405
    assert "POST" in response.headers["allow"]


def test_what_is_no_message_is_refused(shipped: Service) -> None:
    headers = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
    assert shipped.client.post("/mcp", content=b"{", headers=headers).status_code == 400
