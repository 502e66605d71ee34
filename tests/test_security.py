"""The threat model names what there is, and whoever finds a weakness learns where to report it if somebody has said so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from motorgraph.settings import Settings
from tests.running import Service, service

ROOT = Path(__file__).parents[1]
MODEL = (ROOT / "docs" / "security.md").read_text()
CONTACT = "mailto:security@graph.example.org"
TXT = "/.well-known/security.txt"


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(test_\w+\.py)`", MODEL))))
def test_the_tests_that_it_names_are_there(name: str) -> None:
    assert (ROOT / "tests" / name).is_file()


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`((?!test_)[\w/]+\.py)`", MODEL))))
def test_the_modules_that_it_names_are_there(name: str) -> None:
    package = ROOT / "service" / "motorgraph"
    if not package.is_dir():
        pytest.skip("the source is not here: what is tested is an installed wheel")
    assert (package / name).is_file()


@pytest.mark.parametrize(
    "contact", ["security@example.org", "http://example.org", "mailto:a@b\nExpires: never", "https://", "mailto:ä@b"]
)
def test_a_contact_that_is_none_is_refused(contact: str) -> None:
    with pytest.raises(ValidationError, match="no contact"):
        Settings(security_contact=contact)


@pytest.fixture(scope="module")
def reachable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with a contact, whose reads need a token."""
    flags = ("--plain", "--protect-reads", "--security-contact", CONTACT)
    with service(tmp_path_factory.mktemp("reachable"), *flags) as running:
        yield running


def test_the_contact_is_told_to_everybody(reachable: Service) -> None:
    """RFC 9116: Contact and Expires, which is less than a year away."""
    response = reachable.client.get(TXT, headers={"Host": "graph.example.org"})
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    told = dict(line.split(": ", 1) for line in response.text.splitlines())
    assert told["Contact"] == CONTACT
    assert told["Policy"] == "http://graph.example.org/docs/security"
    left = datetime.fromisoformat(told["Expires"]) - datetime.now(UTC)
    assert timedelta(days=30) < left < timedelta(days=365)


def test_without_a_contact_there_is_no_such_file(plain: Service) -> None:
    assert plain.client.get(TXT).status_code == 404
    assert plain.client.get("/about", headers={"Accept": "application/json"}).json()["security"]["contact"] is None


def test_the_model_is_served_and_linked_to(plain: Service) -> None:
    assert "Threat model" in plain.client.get("/docs/security", headers={"Accept": "text/html"}).text
    assert 'href="/docs/security"' in plain.client.get("/about", headers={"Accept": "text/html"}).text
