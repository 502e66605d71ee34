"""The newest changes: all that lead from one commit to another, or the word that they are not all there."""

from __future__ import annotations

import io

import pyoxigraph as ox
import pytest

from motorgraph.engine import moves
from motorgraph.engine.delta import Delta, Written
from motorgraph.engine.moves import Recent
from motorgraph.engine.wire import Job


def change(number: int) -> Written:
    """A change that adds one quad."""
    spool = io.BytesIO()
    quad = ox.Quad(ox.NamedNode(f"urn:{number}"), ox.NamedNode("urn:p"), ox.Literal(number), ox.NamedNode("urn:g"))
    Delta(added={quad}).write(spool, Job("update"), {})
    return Written.of(spool.getvalue())


def kept(*commits: int) -> Recent:
    recent = Recent()
    for commit in commits:
        recent.add(commit, change(commit))
    return recent


def subjects(found: list[Written] | None) -> list[str]:
    """What each of the changes is about."""
    assert found is not None
    return [quad.subject.value for written in found for quad in ox.parse(written.added, ox.RdfFormat.N_QUADS)]


def test_what_lies_between_two_commits_comes_in_order() -> None:
    assert subjects(kept(2, 3, 4).between(2, 4)) == ["urn:3", "urn:4"]


def test_nothing_lies_between_a_commit_and_itself() -> None:
    assert kept(2).between(2, 2) == kept().between(7, 7) == []


def test_changes_that_were_not_kept_are_missed() -> None:
    assert kept(4, 5).between(2, 5) is None
    assert kept().between(1, 2) is None
    assert kept(2, 3).between(2, 4) is None  # the reader holds an older graph than it is asked about


def test_the_oldest_go_when_there_are_too_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moves, "MOST_RECENT_BYTES", 2 * len(change(1).for_readers) + 10)
    recent = kept(1, 2, 3)
    assert recent.between(0, 3) is None
    assert subjects(recent.between(1, 3)) == ["urn:2", "urn:3"]


def test_a_change_that_is_too_long_leaves_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    recent = kept(1, 2)
    monkeypatch.setattr(moves, "MOST_RECENT_BYTES", 10)
    recent.add(3, change(3))
    monkeypatch.undo()
    recent.add(4, change(4))
    assert recent.between(1, 4) is None
    assert subjects(recent.between(3, 4)) == ["urn:4"]


def test_what_the_catalogue_says_of_a_commit_is_part_of_the_change() -> None:
    recent = Recent()
    recent.add(1, change(1).told("<urn:c> <urn:p> <urn:o> <urn:catalogue> .\n"))
    (found,) = recent.between(0, 1) or []
    assert b"urn:catalogue" in found.catalogued
