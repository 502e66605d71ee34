"""The tree of refusals, its drawing, and how a refusal crosses from one process to another."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from http import HTTPStatus

import pytest

from motorgraph import errors
from motorgraph.errors import BadSyntax, Broken, Failed, MethodNotAllowed, Refusal, Unauthorized, Unavailable, retold

_LINE = re.compile(r"(?P<indent> *)[*+-] (?P<name>\w+)(?: +(?P<status>\d{3}))?")


def _below(cls: type[Refusal]) -> Iterator[type[Refusal]]:
    for sub in cls.__subclasses__():
        yield sub
        yield from _below(sub)


ALL = list(_below(Refusal))


def _drawn() -> dict[str, tuple[str, int]]:
    """The name of each class in the drawing: its parent, its status."""
    found: dict[str, tuple[str, int]] = {}
    above: list[str] = []
    for match in filter(None, map(_LINE.match, (errors.__doc__ or "").splitlines())):
        depth = len(match["indent"]) // 2
        above = [*above[:depth], match["name"]]
        if depth:
            found[match["name"]] = (above[depth - 1], int(match["status"] or 0))
    return found


def test_the_drawing_names_every_class_with_its_parent_and_status() -> None:
    assert _drawn() == {cls.__name__: (cls.__mro__[1].__name__, cls.status) for cls in ALL}


@pytest.mark.parametrize("cls", ALL)
def test_each_refusal_has_a_status_that_http_knows_a_title_and_a_kind_of_its_own(cls: type[Refusal]) -> None:
    assert HTTPStatus(cls.status) >= 400
    assert "title" in vars(cls), f"{cls.__name__} borrows the title {cls.title!r}"
    assert cls.title
    assert not cls.title.endswith(".")
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", cls.kind)
    assert [other for other in ALL if other.kind == cls.kind] == [cls]


@pytest.mark.parametrize("cls", ALL)
def test_a_refusal_told_by_another_process_is_of_the_same_kind(cls: type[Refusal]) -> None:
    again = retold(cls.kind, "what was wrong", {"line": 3, "allow": "GET"})
    assert type(again) is cls
    assert (again.detail, str(again), again.members) == ("what was wrong", "what was wrong", {"line": 3, "allow": "GET"})


def test_members_survive_the_way_through_json() -> None:
    first = BadSyntax("Line 2, column 5: expected IRI.", line=2, column=5)
    told = json.loads(json.dumps({"kind": first.kind, "detail": first.detail, "members": first.members}))
    again = retold(told["kind"], told["detail"], told["members"])
    assert (type(again), again.detail, again.members) == (BadSyntax, first.detail, first.members)


def test_a_refusal_with_a_constructor_of_its_own_survives_being_retold() -> None:
    first = MethodNotAllowed("PATCH", "GET, PUT")
    again = retold(first.kind, first.detail, first.members)
    assert (again.detail, again.headers()) == (first.detail, [(b"allow", b"GET, PUT")])


def test_a_kind_that_nobody_knows_is_told_as_a_failure() -> None:
    assert type(retold("no-such-kind", "x", {})) is Failed


@pytest.mark.parametrize("cls", [Unavailable, *_below(Unavailable)])
def test_whoever_is_told_not_now_is_told_when_to_come_again(cls: type[Unavailable]) -> None:
    ((name, value),) = cls("busy").headers()
    assert name == b"retry-after"
    assert int(value) >= 1


def test_whoever_lacks_the_token_is_told_how_to_bring_it() -> None:
    assert Unauthorized("x").headers() == [(b"www-authenticate", b'Bearer realm="motorgraph"')]


def test_a_broken_answer_is_no_refusal() -> None:
    assert not issubclass(Broken, Refusal)
