"""The documentation says what is: every setting, address, refusal and metric, and only queries that run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from motorgraph import __version__
from motorgraph.errors import Refusal
from motorgraph.metrics import Metrics
from motorgraph.settings import Settings
from tests.running import Service

ROOT = Path(__file__).parents[1]
DOCS = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
QUERY = re.compile(r"```sparql\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def text(name: str) -> str:
    return (ROOT / name).read_text()


def kinds() -> list[type[Refusal]]:
    found: list[type[Refusal]] = []
    todo = list(Refusal.__subclasses__())
    while todo:
        cls = todo.pop()
        found.append(cls)
        todo.extend(cls.__subclasses__())
    return found


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented(name: str) -> None:
    assert f"| `{name.replace('_', '-')}` |" in text("docs/operation.md")


@pytest.mark.parametrize("refusal", kinds(), ids=lambda cls: cls.kind)
def test_every_refusal_is_documented_with_its_status(refusal: type[Refusal]) -> None:
    assert f"| `{refusal.kind}` | {refusal.status} |" in text("docs/http.md")


def test_every_metric_is_documented() -> None:
    metrics = Metrics()
    metrics.request("page", "GET", 200, 0.1)
    names = {line.split()[2] for line in metrics.text().decode().splitlines() if line.startswith("# TYPE")}
    assert not [n for n in names if f"`{n}`" not in text("docs/operation.md")]


def test_every_address_of_the_service_is_documented(plain: Service) -> None:
    paths = plain.client.get("/openapi.json").json()["paths"]
    assert not [path for path in paths if f"`{path}`" not in text("docs/http.md")]


def test_every_setting_is_a_flag_of_serve_with_a_help_text() -> None:
    from typer.main import get_command

    from motorgraph.cli import app

    flags = {p.name: p for p in get_command(app).commands["serve"].params}  # type: ignore[attr-defined]  # a group has them
    for name, field in Settings.model_fields.items():
        assert (field.description or "") in (flags[name].help or ""), name


@pytest.mark.parametrize("path", DOCS, ids=lambda p: p.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    assert not [link for link in LINK.findall(path.read_text()) if not (path.parent / link).exists()]


def queries() -> list[tuple[str, str]]:
    return [(path.name, query) for path in DOCS for query in QUERY.findall(path.read_text())]


@pytest.mark.parametrize(("name", "query"), queries())
def test_every_query_in_the_documentation_has_an_answer(shipped: Service, name: str, query: str) -> None:
    response = shipped.query(query)
    assert response.status_code == 200, response.text
    answer = response.json()
    assert answer.get("boolean") is False or answer["results"]["bindings"]


def test_the_queries_of_the_readme_are_those_that_ship() -> None:
    shipped = {path.read_text().strip() for path in (ROOT / "ontology" / "questions").glob("*.rq")}
    written = [query.strip() for query in QUERY.findall(text("README.md"))]
    assert len(written) == 5
    assert set(written) <= shipped


def test_the_readme_opens_with_the_two_commands() -> None:
    opening = text("README.md")[:600]
    assert "make serve" in opening
    assert "make test" in opening


def test_the_changelog_has_this_version() -> None:
    assert f"## {__version__}" in text("CHANGELOG.md")
