"""The documentation says what is, its commands and queries run, and its links lead somewhere."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest

from motorgraph import __version__
from motorgraph.errors import every_refusal
from motorgraph.manual import NAMES, Manual, where
from motorgraph.markdown import slug
from motorgraph.metrics import Metrics
from motorgraph.settings import Settings
from motorgraph.vocab import CANONICAL_BASE
from tests.running import Service, service
from tests.tutorial import START, TOKEN, Step, session, steps

ROOT = Path(__file__).parents[1]
WRITTEN = {path.stem: path for path in sorted((ROOT / "docs").glob("*.md"))}
DOCS = [ROOT / "README.md", *WRITTEN.values()]
MADE = sorted(set(NAMES) - set(WRITTEN))
HOW_TO = ("analyst", "query-writer", "data-engineer", "curator", "http")
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
HREF = re.compile(r'href="(?:http://127\.0\.0\.1:\d+)?(/[^"#]*|)(?:#([^"]*))?"')


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service as the tutorial starts it, but that it makes no dumps, which take long."""
    with service(tmp_path_factory.mktemp("taught"), "--dumps-kept", "0", token=TOKEN) as running:
        yield running


def text(name: str) -> str:
    return (ROOT / name).read_text()


def page(running: Service, name: str) -> httpx.Response:
    return running.client.get(f"/docs/{name}", headers=BROWSER)


# What is documented


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_described_at_its_own_anchor(taught: Service, name: str) -> None:
    found = page(taught, "settings").text
    assert f'<tr id="{name.replace("_", "-")}">' in found
    assert f"<code>MOTORGRAPH_{name.upper()}</code>" in found


@pytest.mark.parametrize("refusal", every_refusal(), ids=lambda cls: cls.kind)
def test_every_refusal_says_when_it_is_met_and_with_which_status(taught: Service, refusal: type) -> None:
    assert refusal.__doc__
    assert f"| `{refusal.kind}` | {refusal.status} | {refusal.title} | {refusal.__doc__} |" in page_text(taught, "refusals")


def page_text(running: Service, name: str) -> str:
    return running.client.get(f"/docs/{name}.md").text


def test_every_metric_is_documented() -> None:
    metrics = Metrics()
    metrics.request("page", "GET", 200, 0.1)
    names = {line.split()[2] for line in metrics.text().decode().splitlines() if line.startswith("# TYPE")}
    assert not [n for n in names if f"`{n}`" not in text("docs/operation.md")]


def test_every_address_is_listed_with_its_methods_and_explained_by_hand(taught: Service) -> None:
    paths = taught.client.get("/openapi.json").json()["paths"]
    listed, explained = page_text(taught, "addresses"), text("docs/http.md")
    assert not [path for path in paths if f"### `{path}`" not in listed]
    roots = {"/" + path.split("/")[1] for path in paths}
    assert not [root for root in sorted(roots) if not re.search(rf"`[^`]*{re.escape(root)}\b", explained)]


def test_every_command_is_described() -> None:
    from typer.main import get_command

    from motorgraph.cli import app
    from motorgraph.reference import of_commands

    found = of_commands()
    assert not [name for name in get_command(app).commands if f"## motorgraph {name}\n" not in found]  # type: ignore[attr-defined]


def test_every_setting_is_a_flag_of_serve_with_a_help_text() -> None:
    from typer.main import get_command

    from motorgraph.cli import app

    flags = {p.name: p for p in get_command(app).commands["serve"].params}  # type: ignore[attr-defined]  # a group has them
    for name, field in Settings.model_fields.items():
        assert (field.description or "") in (flags[name].help or ""), name


def test_every_written_page_is_part_of_the_manual() -> None:
    assert set(WRITTEN) <= set(NAMES)


def test_the_changelog_has_this_version() -> None:
    assert f"## {__version__}" in text("CHANGELOG.md")


# What it shows


def test_the_tutorial_begins_with_the_command_that_starts_what_it_teaches() -> None:
    first = steps(text("docs/tutorial.md"))[0]
    assert first.commands.strip() == START
    told = subprocess.run(["make", "--dry-run", "serve"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "motorgraph serve" in told.stdout


def test_every_command_of_the_tutorial_prints_what_it_shows(taught: Service, tmp_path: Path) -> None:
    shown = steps(text("docs/tutorial.md"))[1:]
    assert len(shown) > 10
    require_as_shown(shown, taught, tmp_path)


@pytest.mark.parametrize("name", HOW_TO)
def test_every_request_of_a_how_to_is_answered(taught: Service, tmp_path: Path, name: str) -> None:
    found = [step for step in steps(text(f"docs/{name}.md")) if "/dumps/" not in step.commands]
    shown = [Step(step.commands.replace("curl ", "curl -fsS "), step.shown) for step in found]
    assert len(shown) > 2
    require_as_shown(shown, taught, tmp_path)


def require_as_shown(shown: list[Step], running: Service, folder: Path) -> None:
    for step, printed in zip(shown, session(shown, running.url, folder), strict=True):
        assert not step.shown or step.is_met_by(printed), f"{step.commands}\nprints\n{printed}\ninstead of\n{step.shown}"


def test_the_tutorial_leaves_the_graph_as_it_found_it(taught: Service) -> None:
    newest = taught.client.get("/changes").json()["newest"]
    between = taught.client.get(f"/changes/1..{newest}").json()
    assert newest > 1
    assert (between["removed"], between["added"]) == (0, 0)


def queries() -> list[tuple[str, str]]:
    return [(path.name, code) for path in DOCS for kind, code in BLOCK.findall(path.read_text()) if kind == "sparql"]


@pytest.mark.parametrize(("name", "query"), queries())
def test_every_query_in_the_documentation_has_an_answer(taught: Service, name: str, query: str) -> None:
    response = taught.query(query)
    assert response.status_code == 200, response.text
    answer = response.json()
    assert answer.get("boolean") is False or answer["results"]["bindings"]


def test_the_python_of_the_documentation_runs(taught: Service, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = [code for kind, code in BLOCK.findall(text("docs/query-writer.md")) if kind == "python"]
    for code in blocks:
        ready = compile(code.replace("http://127.0.0.1:8800", taught.url), "query-writer.md", "exec")
        if "import pandas" not in code:  # which is not among what the tests need
            exec(ready, {})
    printed = capsys.readouterr().out
    assert len(blocks) == 3
    assert "https://motorgraph.example/ontology/Claim" in printed
    assert "https://motorgraph.example/id/deal/" in printed


# Where it leads


@pytest.mark.parametrize("path", DOCS, ids=lambda p: p.name)
def test_every_link_to_a_file_leads_to_one(path: Path) -> None:
    links = [link for link in LINK.findall(path.read_text()) if not link.startswith("/")]
    assert not [link for link in links if not (path.parent / link).exists()]


@pytest.fixture(scope="module")
def visited() -> dict[str, httpx.Response]:
    """What was at each address, so that none is asked twice."""
    return {}


@pytest.mark.parametrize("name", NAMES)
def test_every_link_of_a_page_leads_to_a_page_and_to_a_heading_or_row_there(
    taught: Service, visited: dict[str, httpx.Response], name: str
) -> None:
    for address, anchor in sorted(set(HREF.findall(page(taught, name).text))):
        there = unescape(address) or f"/docs/{name}"
        if there.startswith("/static/"):
            continue
        if there not in visited:
            visited[there] = taught.client.get(there, headers=BROWSER)
        assert visited[there].status_code == 200, there
        assert not anchor or f'id="{anchor}"' in visited[there].text, f"{there}#{anchor}"


def test_the_pictures_of_a_page_are_served_and_asked_for_again_cost_nothing(taught: Service) -> None:
    shown = re.findall(r'<img src="([^"]+)" alt="[^"]{20,}"', page(taught, "performance").text)
    assert len(shown) == text("docs/performance.md").count("](plots/") > 0
    for address in shown:
        found = taught.client.get(address)
        assert (found.status_code, found.headers["content-type"]) == (200, "image/svg+xml")
        assert "sandbox" in found.headers["content-security-policy"]
        assert b"<svg" in found.content
        assert taught.client.get(address, headers={"If-None-Match": found.headers["etag"]}).status_code == 304
    assert taught.client.get("/docs/plots/nothing.svg").status_code == 404


def test_the_anchors_of_a_page_are_those_that_code_hosts_make() -> None:
    assert slug("`/.well-known/void`, and more: 1") == "well-knownvoid-and-more-1"
    assert where("http.md#things") == "/docs/http#things"


def test_the_readme_opens_with_the_two_commands_and_is_short() -> None:
    found = text("README.md")
    assert "make serve" in found[:600]
    assert "make test" in found[:600]
    assert len(found.splitlines()) <= 80


# As it is served


def test_a_page_is_for_browsers_and_its_markdown_for_programs(taught: Service) -> None:
    shown, told = page(taught, "tutorial"), taught.client.get("/docs/tutorial")
    assert shown.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<h1>From nothing to an answered question</h1>" in shown.text
    assert told.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert told.text == page_text(taught, "tutorial")
    assert told.text.startswith("# From nothing to an answered question\n")


def test_addresses_in_it_are_those_of_the_service_that_is_asked(taught: Service) -> None:
    elsewhere = taught.client.get("/docs/tutorial.md", headers={"Host": "graph.example.org"}).text
    assert "curl http://graph.example.org/ready" in elsewhere
    assert "127.0.0.1:8800" not in elsewhere + page(taught, "tutorial").text


def test_iris_in_it_are_those_of_the_service() -> None:
    found = Manual(dict, "https://graph.example.org").page("query-writer")
    assert "PREFIX mg: <https://graph.example.org/ontology/>" in found.text
    assert CANONICAL_BASE not in found.text


def test_what_a_client_has_is_not_sent_again(taught: Service) -> None:
    for path, headers in (("/docs/http", BROWSER), ("/docs/http.md", {}), ("/docs", BROWSER)):
        tag = taught.client.get(path, headers=headers).headers["ETag"]
        assert taught.client.get(path, headers={**headers, "If-None-Match": tag}).status_code == 304


def test_markdown_that_is_named_by_its_content_may_be_kept_for_ever(taught: Service) -> None:
    tag = taught.client.get("/docs/http.md").headers["ETag"].strip('"')
    assert "immutable" in taught.client.get(f"/docs/http.md?v={tag}").headers["Cache-Control"]
    assert taught.client.get("/docs/http.md?v=other").headers["Cache-Control"] == "no-cache"


def test_a_page_that_there_is_not_is_404_with_what_is_near(taught: Service) -> None:
    found = taught.client.get("/docs/setings")
    assert found.status_code == 404
    assert found.json()["near"][0]["page"] == "/docs/settings"
    assert taught.client.get("/docs/../README.md").status_code == 404
    assert taught.client.get("/docs/tutorial", headers={"Accept": "image/png"}).status_code == 406
    assert taught.client.post("/docs").status_code == 405


def test_the_index_leads_to_every_page(taught: Service) -> None:
    shown, told = taught.client.get("/docs", headers=BROWSER).text, taught.client.get("/docs").text
    assert not [name for name in NAMES if f'href="/docs/{name}"' not in shown or f"(/docs/{name}.md)" not in told]
    assert MADE == ["addresses", "commands", "refusals", "settings"]
