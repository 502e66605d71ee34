"""The settings: defaults, the environment, flags over it, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from motorgraph.engine.process import available_bytes, cores
from motorgraph.settings import PREFIX, Settings, default_data_dir
from motorgraph.vocab import CANONICAL_BASE


def chosen(**given: Any) -> Settings:  # Any: what flags and tests give
    """The settings of these flags."""
    return Settings(**given)


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting from the environment that the tests run in."""
    for name in os.environ:
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)


def test_the_defaults_are_safe() -> None:
    settings = chosen()
    assert (settings.host, settings.port) == ("127.0.0.1", 8800)
    assert settings.write_token is None
    assert settings.service_hosts == ()
    assert settings.base == CANONICAL_BASE
    assert not settings.plain


def test_every_setting_has_a_description_that_is_a_sentence() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name


@pytest.mark.parametrize(
    ("name", "written", "expected"),
    [
        ("host", "0.0.0.0", "0.0.0.0"),
        ("port", "0", 0),
        ("port", "65535", 65535),
        ("base", "https://cars.example/", "https://cars.example"),
        ("plain", "1", True),
        ("plain", "false", False),
        ("load", f"a.ttl{os.pathsep}b.nt.gz", (Path("a.ttl"), Path("b.nt.gz"))),
        ("load", "", ()),
        ("data_dir", "/srv/data", Path("/srv/data")),
        ("default_graph", "separate", "separate"),
        ("readers", "3", 3),
        ("query_seconds", "2.5", 2.5),
        ("query_memory", "64", 64),
        ("query_rows", "100", 100),
        ("service_hosts", "a.example, b.example ,", ("a.example", "b.example")),
        ("service_hosts", "", ()),
        ("log_level", "debug", "debug"),
        ("access_log", "true", True),
    ],
)
def test_each_setting_can_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, name: str, written: str, expected: object
) -> None:
    monkeypatch.setenv(PREFIX + name.upper(), written)
    assert getattr(chosen(), name) == expected


def test_a_flag_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX + "PORT", "1111")
    assert chosen(port=2222).port == 2222


def test_variables_of_other_programs_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "1111")
    monkeypatch.setenv("HOST", "elsewhere")
    assert (chosen().port, chosen().host) == (8800, "127.0.0.1")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", 65536),
        ("port", -1),
        ("port", "eighty"),
        ("base", "motorgraph.example"),
        ("base", "urn:x"),
        ("default_graph", "both"),
        ("readers", -1),
        ("query_seconds", 0),
        ("query_seconds", "soon"),
        ("query_memory", 15),
        ("query_bytes", 0),
        ("query_rows", 0),
        ("query_length", 0),
        ("body_bytes", 0),
        ("queue_length", 0),
        ("log_level", "loud"),
        ("plain", "perhaps"),
    ],
)
def test_a_bad_value_is_refused_with_the_name_of_its_setting(name: str, value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        chosen(**{name: value})
    assert [error["loc"] for error in refused.value.errors()] == [(name,)]


def test_a_bad_value_in_the_environment_is_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX + "QUERY_SECONDS", "soon")
    with pytest.raises(ValidationError, match="query_seconds"):
        chosen()


def test_a_setting_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValidationError, match="speed"):
        chosen(speed=1)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(chosen(), "port", 1)  # noqa: B010  # mypy knows that it is frozen


def test_the_write_token_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX + "WRITE_TOKEN", "do-not-tell")
    settings = chosen()
    assert "do-not-tell" not in f"{settings} {settings!r} {settings.model_dump()}"
    assert settings.write_token is not None
    assert settings.write_token.get_secret_value() == "do-not-tell"


def test_an_empty_write_token_does_not_open_the_service_for_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX + "WRITE_TOKEN", "")
    assert chosen().write_token is None
    monkeypatch.delenv(PREFIX + "WRITE_TOKEN")
    assert chosen(write_token="").write_token is None


@pytest.mark.parametrize(
    ("plain", "word", "is_union"),
    [(False, None, True), (True, None, False), (False, "separate", False), (True, "union", True)],
)
def test_the_default_graph_is_the_union_unless_plain_or_chosen(plain: bool, word: str | None, is_union: bool) -> None:
    assert chosen(plain=plain, default_graph=word).is_union is is_union


@pytest.mark.parametrize(("written", "expected"), [("Data.Example.ORG", "data.example.org"), ("a.example", "a.example")])
def test_hosts_are_compared_in_lower_case(written: str, expected: str) -> None:
    assert chosen(service_hosts=(written,)).service_hosts == (expected,)


def test_the_data_folder_follows_the_desktop_convention(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_data_dir() == chosen().data_dir == tmp_path / "motorgraph"
    monkeypatch.setenv("XDG_DATA_HOME", "")
    assert default_data_dir() == Path.home() / ".local" / "share" / "motorgraph"


def test_limits_are_in_bytes() -> None:
    limits = chosen(
        query_seconds=7, query_memory=16, query_bytes=2, query_rows=5, query_length=3, body_bytes=4, queue_length=6
    ).limits()
    assert (limits.seconds, limits.memory, limits.answer_bytes) == (7, 16 << 20, 2 << 20)
    assert (limits.rows, limits.query_bytes, limits.body_bytes, limits.queue) == (5, 3 << 10, 4 << 20, 6)


@pytest.mark.parametrize("readers", [1, 2, 5, 64])
def test_as_many_readers_as_the_operator_says(readers: int) -> None:
    limits = chosen(readers=readers).limits(graph_bytes=1 << 50)
    assert limits.readers == readers
    assert 1 <= limits.reserve <= readers


def test_readers_by_themselves_are_twice_the_cores_and_at_least_two() -> None:
    assert chosen().limits().readers == max(2 * cores(), 2)


def test_there_are_fewer_readers_than_memory_holds_copies_of_the_graph_but_always_one() -> None:
    assert chosen().limits(graph_bytes=1 << 50).readers == 1
    half = available_bytes() // 2
    assert chosen().limits(graph_bytes=half).readers == 1
    assert chosen().limits(graph_bytes=1).readers == max(2 * cores(), 2)


def test_long_queries_leave_readers_for_short_ones() -> None:
    limits = chosen(readers=8).limits()
    assert limits.long_slots == 8 - limits.reserve
    assert chosen(readers=1).limits().long_slots == 0


def test_a_reader_may_open_sockets_only_where_hosts_are_allowed() -> None:
    assert chosen().limits().may_open == 0
    assert chosen(service_hosts=("a.example",)).limits().may_open > 0
