"""The pages as a browser without JavaScript reads them: what they say, where they lead, what they load."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from motorgraph.settings import Settings
from tests.running import Service, service, until

ROOT = Path(__file__).parents[1]
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"}
QUESTIONS = sorted((ROOT / "ontology" / "questions").glob("*.rq"))
MG = "https://motorgraph.example/ontology/"
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
LOADING = {"src", "srcset", "data", "poster", "background", "action", "formaction", "ping", "manifest"}


@dataclass
class Element:
    """An element of a page with its attributes and all text within it."""

    tag: str
    attributes: dict[str, str]
    text: str = ""
    inner: list[Element] = field(default_factory=list)

    def walk(self) -> Iterator[Element]:
        yield self
        for element in self.inner:
            yield from element.walk()

    def all(self, *tags: str) -> list[Element]:
        return [element for element in self.walk() if element.tag in tags]


class Page(HTMLParser):
    """A page as a tree. Fails on tags that do not match."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__()
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"
        self.response = response
        self.root = Element("", {})
        self._open = [self.root]
        self.feed(response.text)
        self.close()
        assert self._open == [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].inner.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, *tags: str) -> list[Element]:
        return self.root.all(*tags)

    @property
    def links(self) -> list[str]:
        return [element.attributes["href"] for element in self.all("a")]


def page(running: Service, path: str) -> Page:
    return Page(running.client.get(path, headers=BROWSER))


@pytest.fixture(scope="module")
def plain_pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A plain store with one graph that has a wicked name."""
    with service(tmp_path_factory.mktemp("pages"), "--plain") as running:
        assert running.put("http://x/?a=1&b='c'#é", "<http://x/s> <http://x/p> 1, 2 .").status_code == 201
        yield running


ASKED = "/questions/what-is-built-at-graz?plant=nowhere"
PAGES = ["/", "/sparql", "/marks", "/nothing", "/questions", ASKED, "/sparql?query=ASK", "/graphs?graph=http://nowhere.example/"]


def response_of(running: Service, path: str) -> httpx.Response:
    return running.client.get(path, headers=BROWSER)


# Every page


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_well_formed_and_has_a_language_a_title_one_heading_and_a_main_part(shipped: Service, path: str) -> None:
    found = page(shipped, path)
    assert found.response.text.lower().startswith("<!doctype html>")
    assert [element.attributes["lang"] for element in found.all("html")] == ["en"]
    assert [element.text for element in found.all("title") if element.text.strip()]
    assert len(found.all("h1")) == len(found.all("main")) == len(found.all("title")) == 1
    assert any("width=device-width" in element.attributes.get("content", "") for element in found.all("meta"))


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_nothing_from_elsewhere_and_no_script_but_of_the_bundle(shipped: Service, path: str) -> None:
    found = page(shipped, path)
    assert not found.all("iframe", "object", "embed", "base", "style")
    for script in found.all("script"):
        is_data = script.attributes.get("type") in ("application/json", "application/ld+json")
        assert is_data or (script.attributes["src"].startswith("/static/bundle/") and not script.text)
    for element in found.root.walk():
        assert "style" not in element.attributes
        assert not [name for name in element.attributes if name.startswith("on")]
        loads = [value for name, value in element.attributes.items() if name in LOADING]
        loads += [element.attributes["href"]] if element.tag == "link" else []
        for address in loads:
            assert urlsplit(address).scheme in ("", "data")
            assert not address.startswith("//")


@pytest.mark.parametrize("path", PAGES)
def test_the_browser_is_told_to_load_nothing_from_elsewhere(shipped: Service, path: str) -> None:
    headers = response_of(shipped, path).headers
    rules = [rule.split() for rule in headers["Content-Security-Policy"].split(";")]
    policy = {words[0]: words[1:] for words in rules}
    assert policy["default-src"] == ["'none'"]
    assert policy["base-uri"] == ["'none'"]
    assert policy["frame-ancestors"] in (["'none'"], ["'self'"])
    assert {source for sources in policy.values() for source in sources} <= {"'none'", "'self'", "data:"}
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", PAGES)
def test_what_a_page_loads_is_there_and_loads_nothing_itself(shipped: Service, path: str) -> None:
    for element in page(shipped, path).all("link"):
        loaded = shipped.client.get(element.attributes["href"])
        assert loaded.status_code == 200
        if element.attributes["rel"] == "stylesheet":
            assert loaded.headers["Content-Type"].startswith("text/css")
            assert not re.search(r"@import|url\(\s*['\"]?(?!data:)", loaded.text)


@pytest.mark.parametrize("path", ["/", "/sparql"])
def test_every_link_within_the_service_leads_somewhere(shipped: Service, path: str) -> None:
    links = {link for link in page(shipped, path).links if not urlsplit(link).scheme and not link.startswith("#")}
    assert len(links) > 3
    for link in links:
        response = response_of(shipped, link)
        assert response.status_code == 200, link


def test_a_link_within_a_page_has_its_target(shipped: Service) -> None:
    found = page(shipped, "/")
    names = {element.attributes.get("id") for element in found.root.walk()}
    assert {link[1:] for link in found.links if link.startswith("#")} <= names


@pytest.mark.parametrize("path", ["/", "/sparql"])
def test_head_of_a_page_has_no_body(shipped: Service, path: str) -> None:
    response = shipped.client.head(path, headers=BROWSER)
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"


# The start page


def test_the_start_page_says_what_this_is_and_how_to_ask(shipped: Service) -> None:
    found = page(shipped, "/")
    (main,) = found.all("main")
    assert "motor industry" in main.text
    assert f"{shipped.url}/sparql" in main.text
    assert "curl" in main.text


def test_the_command_on_the_start_page_is_one_that_works(shipped: Service) -> None:
    (command,) = [element.text for element in page(shipped, "/").all("pre") if "curl" in element.text]
    match = re.search(r"query=(.*?)'", command, re.DOTALL)
    assert match is not None
    response = shipped.query(match[1], "text/csv")
    assert response.status_code == 200
    assert len(response.text.splitlines()) > 2


def test_the_figures_are_what_the_graph_counts_and_lead_to_lists_of_that_length(shipped: Service) -> None:
    (counts,) = [element for element in page(shipped, "/").all("ul") if element.attributes.get("aria-label") == "In the graph"]
    links = counts.all("a")
    assert len(links) == 6
    for link in links:
        address = link.attributes["href"]
        if address.startswith("/explore/"):
            listed = shipped.client.get(address).json()["total"]
        else:
            (query,) = parse_qs(urlsplit(address).query)["query"]
            listed = len({row["thing"] for row in shipped.rows(query)})
        assert int(link.all("b")[0].text.replace(",", "")) == listed > 0, link.text


def test_the_questions_of_the_start_page_stand_with_the_answers_that_they_have(shipped: Service) -> None:
    (asked,) = [element for element in page(shipped, "/").all("ul") if element.attributes.get("class") == "ask"]
    items = asked.all("li")
    assert len(items) == 5
    for item in items[1:]:
        query = shipped.client.get(item.all("a")[0].attributes["href"] + ".rq").text
        number, noun = item.all("b")[0].text.split()
        rows = shipped.rows(query)
        values = [{row[name] for row in rows if name in row} for name in rows[0]]
        assert int(number) in {len(column) for column in values}, noun
        assert any(value in item.text for column in values for value in column)
    duties = re.findall(r"[\d.]+", items[0].all("b")[0].text)
    expected = next(question for question in QUESTIONS if question.name.startswith("12-")).with_suffix(".expected.csv")
    assert sorted(map(float, duties)) == sorted(float(line.rpartition(",")[2]) for line in expected.read_text().splitlines()[1:])


def test_what_was_said_lately_is_the_newest_of_what_was_reported_each_with_its_mark_and_document(shipped: Service) -> None:
    (claims,) = [element for element in page(shipped, "/").all("ul") if element.attributes.get("class") == "claims"]
    days = [element.attributes["datetime"] for element in claims.all("time")]
    assert len(days) == len(claims.all("li")) == 5
    assert days == sorted(days, reverse=True)
    (newest,) = shipped.rows(f"SELECT (MAX(?day) AS ?last) {{ ?claim <{MG}reportedOn> ?day }}")
    assert days[0] <= newest["last"]
    for item in claims.all("li"):
        assert item.all("svg")
        assert item.all("span")[0].text.strip()
        assert len({link.attributes["href"] for link in item.all("a")}) >= 3


def test_the_map_has_a_list_that_names_what_it_names(shipped: Service) -> None:
    found = page(shipped, "/")
    world, europe = found.all("figure")[0].all("svg")[:2]
    (listed,) = found.all("details")
    pages = {link.attributes["href"] for link in listed.all("a")}
    named = {link.attributes["href"] for svg in (world, europe) for link in svg.all("a")}
    assert len(named) >= 5
    assert named <= pages
    for svg in (world, europe):
        assert svg.attributes["role"] == "group"  # it holds links
        assert svg.attributes["aria-label"]


def table(running: Service) -> dict[str, int]:
    """The graphs that the start page lists, with their triples."""
    found: dict[str, int] = {}
    for row in page(running, "/").all("tr"):
        heads, cells = row.all("th"), row.all("td")
        if len(heads) == len(cells) == 1:
            found[heads[0].text.strip()] = int(cells[0].text.replace(",", ""))
    return found


# The example questions


def questions(running: Service, path: str) -> dict[str, str]:
    """The words of each example question on a page, by its query without the comment that it may open with."""
    found = {}
    for element in page(running, path).all("a"):
        address = urlsplit(element.attributes["href"])
        if address.path == "/sparql" and address.query:
            (query,) = parse_qs(address.query, strict_parsing=True)["query"]
            found[body_of(query)] = element.text
    return found


def body_of(text: str) -> str:
    """A question's query without the words that it opens with."""
    lines = text.splitlines()
    first = next(number for number, line in enumerate(lines) if not line.startswith("#"))
    return "\n".join(lines[first:]).strip()


def test_every_question_that_ships_is_linked_with_its_words(shipped: Service) -> None:
    linked = {e.attributes["href"]: e.text for e in page(shipped, "/questions").all("a") if e.text != "SPARQL"}
    for question in QUESTIONS:
        opening = question.read_text().split("\n#\n")[0].split("\n\n")[0].replace("# ", "").replace("\n", " ")
        assert linked[f"/questions/{question.stem.partition('-')[2]}"] == opening


def test_the_query_page_leads_to_examples_and_to_all_questions(shipped: Service) -> None:
    assert 5 <= len(set(questions(shipped, "/sparql"))) <= 8
    assert "/questions" in page(shipped, "/sparql").links


def test_the_text_of_every_question_is_linked(shipped: Service) -> None:
    for question in QUESTIONS:
        path = f"/questions/{question.name}"
        assert path in page(shipped, "/questions").links
        response = shipped.client.get(path)
        assert response.headers["content-type"] == "application/sparql-query; charset=utf-8"
        assert response.text == question.read_text().strip()
    assert shipped.client.get("/questions/none.rq").status_code == 404


def test_the_licence_page_credits_the_data_sets(shipped: Service) -> None:
    said = page(shipped, "/licence").response.text
    for credit in (
        "GeoNames",
        "name-suggestion-index",
        "Wikidata",
        "Natural Earth",
        "CC BY 4.0",
        "BSD-3-Clause",
        "Apache License 2.0",
    ):
        assert credit in said
    assert "/licence" in page(shipped, "/").links
    assert "Redistribution and use" in shipped.client.get("/licence/name-suggestion-index").text


def test_with_another_base_the_questions_ask_for_its_names(tmp_path: Path) -> None:
    with service(tmp_path, "--base", "https://other.example/kg") as running:
        linked = questions(running, "/")
        assert linked
        assert not [text for text in linked if "motorgraph.example" in text]
        for text in linked:
            assert running.rows(text)


# The query page


def test_the_query_page_is_a_form_that_works_without_a_script(shipped: Service) -> None:
    (form,) = [each for each in page(shipped, "/sparql").all("form") if each.all("textarea")]
    (area,) = form.all("textarea")
    (label,) = form.all("label")
    assert (form.attributes["action"], form.attributes.get("method", "get")) == ("/sparql", "get")
    assert label.attributes["for"] == area.attributes["id"]
    assert form.all("button")
    response = shipped.client.get(form.attributes["action"], params={area.attributes["name"]: area.text}, headers=BROWSER)
    assert response.status_code == 200
    assert shipped.rows(area.text)


def test_the_query_page_says_how_long_a_query_may_take(shipped: Service) -> None:
    (main,) = page(shipped, "/sparql").all("main")
    assert f"{Settings.model_fields['query_seconds'].default:g} seconds" in main.text


# A plain store


def test_a_plain_store_says_so_and_shows_nothing_that_it_does_not_have(plain_pages: Service) -> None:
    found = page(plain_pages, "/")
    assert "plain" in found.all("h1")[0].text.lower()
    assert not found.all("dl")
    assert not questions(plain_pages, "/")
    assert not questions(plain_pages, "/sparql")


def test_the_name_of_a_graph_is_shown_as_it_is_and_linked(plain_pages: Service) -> None:
    name = "http://x/?a=1&b='c'#é"
    assert until(lambda: name in table(plain_pages))
    assert table(plain_pages)[name] == 2
    (link,) = [element.attributes["href"] for element in page(plain_pages, "/").all("a") if element.text == name]
    response = plain_pages.client.get(link, headers={"Accept": "application/n-triples"})
    assert len(response.text.splitlines()) == 2


@pytest.mark.parametrize(
    "path",
    [
        "/<script>alert(1)</script>",
        "/sparql?query=SELECT%20(%3Chttp%3A%2F%2Fx%2F%27%26alert%3E(1)%20AS%20%3Fx)%20%7B%7D",
        "/sparql?query=ASK%20%3Cscript%3E",
        "/graphs?graph=%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "/graphs?graph=http://x/'%26%3Cimg%3E",
        "/sparql?%3Cscript%3E=1",
    ],
)
def test_what_a_stranger_sends_is_never_markup(plain_pages: Service, path: str) -> None:
    found = page(plain_pages, path)
    assert 400 <= found.response.status_code < 500
    assert not found.all("img")
    ours = [
        script.attributes.get("id") == "setup" or "/static/bundle/" in script.attributes["src"] for script in found.all("script")
    ]
    assert all(ours)


def test_the_address_that_a_stranger_claims_is_never_markup(plain_pages: Service) -> None:
    for path in ("/", "/sparql"):
        response = plain_pages.client.get(path, headers=BROWSER | {"Host": 'x"><img src=y>'})
        assert "<img" not in response.text


def test_a_refusal_tells_a_browser_what_would_be_right_and_the_way_back(plain_pages: Service) -> None:
    found = page(plain_pages, "/nothing")
    assert found.response.status_code == 404
    assert "/nothing" in found.all("main")[0].text
    assert "/" in found.links
    assert found.response.headers["X-Request-Id"] in found.all("main")[0].text


def test_a_program_gets_a_refusal_as_json(plain_pages: Service) -> None:
    response = plain_pages.client.get("/nothing", headers={"Accept": "*/*"})
    assert response.headers["Content-Type"] == "application/problem+json"


def test_robots_are_told_to_ask_no_queries(plain_pages: Service) -> None:
    response = plain_pages.client.get("/robots.txt")
    assert response.headers["Content-Type"].startswith("text/plain")
    assert "Disallow: /sparql" in response.text
