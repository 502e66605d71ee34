"""The journal: what was acknowledged is there, in order and unchanged; what cannot be kept is refused with nothing lost."""

from __future__ import annotations

import gzip
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import IO

import pytest

from motorgraph import journal as journal_module
from motorgraph.errors import Failed, NotFound
from motorgraph.journal import FILE, LOCK, SNAPSHOTS, Change, Journal, Key

ONE = b"<a:s> <a:p> <a:o> .\n"
TWO = b'<a:s> <a:p> "two" <a:g> .\n'


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal.open(tmp_path / "data")
    yield made
    made.close()


def write(out: IO[bytes]) -> None:
    out.write(ONE)


def again(journal: Journal) -> Journal:
    journal.close()
    return Journal.open(journal.folder)


def test_a_new_journal_is_empty_and_has_a_lineage_of_its_own(tmp_path: Path) -> None:
    one, other = Journal.open(tmp_path / "one"), Journal.open(tmp_path / "other")
    assert one.head is None
    assert list(one.commits()) == []
    assert one.lineage != other.lineage
    one.close()
    other.close()


def test_a_commit_is_there_after_the_journal_is_opened_again(journal: Journal) -> None:
    lineage = journal.lineage
    made = journal.append(Change([ONE], [TWO, ONE], ("a:g",), ("a:h",), "ada", "because", "files", {"Warning": 2}))
    with_it = again(journal)
    assert with_it.lineage == lineage
    assert with_it.head == made == with_it.commit(1)
    assert (made.removed, made.added, made.made, made.dropped) == (1, 2, ("a:g",), ("a:h",))
    assert (made.author, made.message, made.origin, made.report) == ("ada", "because", "files", {"Warning": 2})
    assert b"".join(with_it.removed(1)) == ONE
    assert b"".join(with_it.added(1)) == TWO + ONE
    with_it.close()


def test_commits_are_numbered_from_one_and_told_in_order(journal: Journal) -> None:
    assert [journal.append(Change(added=[ONE])).id for _ in range(5)] == [1, 2, 3, 4, 5]
    assert [commit.id for commit in journal.commits(after=1, upto=4)] == [2, 3, 4]


def test_a_large_delta_is_kept_in_pieces_of_whole_lines(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "PIECE_BYTES", 100)
    lines = b"".join(b"<a:s> <a:p> <a:o%d> .\n" % n for n in range(200))
    commit = journal.append(Change(added=[lines[:950], lines[950:]]))
    pieces = list(journal.added(1))
    assert b"".join(pieces) == lines
    assert commit.added == 200
    assert len(pieces) > 10
    assert journal.verify() == ""


def test_a_commit_that_is_not_there_is_named_with_the_newest(journal: Journal) -> None:
    journal.append(Change(added=[ONE]))
    with pytest.raises(NotFound, match="no commit 7; the newest is 1"):
        journal.commit(7)


def test_a_change_that_fails_half_way_leaves_nothing(journal: Journal) -> None:
    def quads() -> Iterator[bytes]:
        yield ONE
        raise OSError("the spool is gone")

    journal.append(Change(added=[ONE]))
    with pytest.raises(Failed, match="the spool is gone"):
        journal.append(Change(added=quads()))
    assert journal.head is not None
    assert journal.head.id == 1
    assert journal.append(Change(added=[TWO])).id == 2
    assert journal.verify() == ""


def test_the_commit_at_a_time_is_the_newest_until_then(journal: Journal) -> None:
    times = [journal.append(Change(added=[ONE])).time for _ in range(3)]
    assert journal.at("2000-01-01") == 0
    assert [journal.at(time) for time in times] == [1, 2, 3]
    assert journal.at("2999-01-01T00:00:00+02:00") == 3


# What stands in the way


def test_a_folder_is_used_by_one_process_at_a_time(journal: Journal) -> None:
    with pytest.raises(Failed, match=rf"in use by process {os.getpid()}"):
        Journal.open(journal.folder)
    again(journal).close()


def test_a_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from motorgraph.journal import Journal; "
        "held = Journal.open(pathlib.Path(sys.argv[1])); print(1, flush=True); input()"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(Failed, match=f"process {process.pid}"):
            Journal.open(tmp_path)
        process.send_signal(signal.SIGKILL)
    Journal.open(tmp_path).close()


def test_a_journal_of_a_newer_version_is_refused(journal: Journal) -> None:
    journal.close()
    with sqlite3.connect(journal.folder / FILE) as base:
        base.execute("PRAGMA user_version = 99")
    with pytest.raises(Failed, match="is of version 99; this motorgraph reads 2"):
        Journal.open(journal.folder)
    (journal.folder / LOCK).unlink()


def test_a_file_that_is_no_journal_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"nothing of ours " * 1000)
    with pytest.raises(Failed, match="cannot be used: file is not a database"):
        Journal.open(tmp_path)
    assert (tmp_path / FILE).read_bytes() == b"nothing of ours " * 1000


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Failed, match=r"data folder .*file/data cannot be used: Not a directory"):
        Journal.open(tmp_path / "file" / "data")


# Damage


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        ("DELETE FROM commits WHERE id = 2", "commit 2 is missing"),
        ("UPDATE commits SET message = 'another' WHERE id = 2", "commit 2 is not what was written"),
        ("UPDATE commits SET author = 'eve' WHERE id = 3", "commit 3 is not what was written"),
        ("UPDATE pieces SET quads = x'00' WHERE id = 2", "commit 2 cannot be read"),
        ("DELETE FROM pieces WHERE id = 3", "commit 3 is not what was written"),
    ],
)
def test_damage_is_found_and_named(journal: Journal, damage: str, fault: str) -> None:
    for _ in range(3):
        journal.append(Change(added=[ONE]))
    assert journal.verify() == ""
    journal.close()
    with sqlite3.connect(journal.folder / FILE) as base:
        base.execute(damage)
    base.close()
    damaged = Journal.open(journal.folder)
    assert fault in damaged.verify()
    damaged.close()


# Beside a service that writes


def test_it_can_be_read_while_it_is_written(journal: Journal) -> None:
    journal.append(Change(added=[ONE], message="first"))
    looking = Journal.read(journal.folder)
    journal.append(Change(added=[TWO], message="second"))
    assert [commit.message for commit in looking.commits(upto=9)] == ["first", "second"]
    with pytest.raises(Failed):
        looking.append(Change(added=[ONE]))
    looking.close()


def test_no_journal_is_no_empty_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no journal"):
        Journal.read(tmp_path)


def test_a_backup_is_a_journal_with_the_same_commits(journal: Journal, tmp_path: Path) -> None:
    for _ in range(3):
        journal.append(Change(added=[ONE]))
    journal.backup(tmp_path / "kept")
    kept = Journal.open(tmp_path / "kept")
    assert (kept.head, kept.lineage, kept.verify()) == (journal.head, journal.lineage, "")
    kept.close()
    with pytest.raises(Failed, match="holds a journal already"):
        journal.backup(tmp_path / "kept")


# Snapshots


def test_the_newest_whole_snapshot_counts(journal: Journal) -> None:
    for number in (1, 2, 3):
        journal.append(Change(added=[ONE]))
        journal.snapshot(write, number, ["a:g"])
    found = journal.newest_snapshot(9)
    assert found is not None
    assert found[:2] == (3, ["a:g"])
    with gzip.open(found[2]) as packed:
        assert packed.readlines()[1:] == [ONE]
    found[2].write_bytes(found[2].read_bytes()[:-7])  # torn
    older = journal.newest_snapshot(9)
    assert older is not None
    assert older[0] == 2
    assert journal.newest_snapshot(1) is None  # only the last two are kept


def test_the_snapshot_of_another_journal_does_not_count(journal: Journal, tmp_path: Path) -> None:
    other = Journal.open(tmp_path / "other")
    for one in (journal, other):
        one.append(Change(added=[ONE]))
    other.snapshot(write, 1, [])
    (journal.folder / SNAPSHOTS).mkdir()
    (other.folder / SNAPSHOTS / "1.nq.gz").rename(journal.folder / SNAPSHOTS / "1.nq.gz")
    assert journal.newest_snapshot(1) is None
    other.close()


# What makes a write happen once


KEY = Key("ada", "8e03", "hash", "/graphs/1", created=True)


def test_a_key_is_there_with_its_commit_after_the_journal_is_opened_again(journal: Journal) -> None:
    journal.append(Change(added=[ONE]))
    journal.append(Change(added=[TWO], key=KEY))
    with_it = again(journal)
    assert with_it.recall("ada", "8e03") == (KEY, 2)
    assert with_it.recall("eve", "8e03") is None
    assert with_it.verify() == ""
    with_it.close()


def test_a_key_of_a_commit_that_cannot_be_written_is_not_kept(journal: Journal) -> None:
    def torn() -> Iterator[bytes]:
        yield ONE
        raise OSError("the disk is gone")

    with pytest.raises(Failed, match="the disk is gone"):
        journal.append(Change(added=torn(), key=KEY))
    assert journal.recall("ada", "8e03") is None
    assert journal.head is None


def test_a_commit_whose_key_cannot_be_written_is_not_kept(journal: Journal) -> None:
    with sqlite3.connect(journal.folder / FILE) as base:
        base.execute("CREATE TRIGGER no BEFORE INSERT ON keys BEGIN SELECT RAISE(ABORT, 'no room'); END")
    with pytest.raises(Failed, match="no room"):
        journal.append(Change(added=[ONE], key=KEY))
    assert list(journal.commits()) == []


def test_a_key_of_a_write_that_changed_nothing_names_the_commit_before(journal: Journal) -> None:
    journal.append(Change(added=[ONE]))
    journal.remember(KEY)
    assert journal.recall("ada", "8e03") == (KEY, 1)
    assert [commit.id for commit in journal.commits()] == [1]


def test_a_key_is_forgotten_after_its_time(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.remember(KEY)
    monkeypatch.setattr(journal_module, "KEPT_KEYS_FOR", timedelta(0))
    assert journal.recall("ada", "8e03") is None
    journal.remember(replace(KEY, name="other"))
    monkeypatch.undo()
    assert journal.recall("ada", "8e03") is None
    assert journal.recall("ada", "other") is not None


def test_only_the_newest_keys_are_kept(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "KEPT_KEYS", 3)
    for n in range(5):
        journal.remember(replace(KEY, name=str(n)))
    assert [journal.recall("ada", str(n)) is not None for n in range(5)] == [False, False, True, True, True]


def test_another_history_has_none_of_the_keys(journal: Journal) -> None:
    journal.append(Change(added=[ONE], key=KEY))
    journal.append(Change(added=[TWO]))
    journal.cut(1)
    assert journal.recall("ada", "8e03") is None


def of_version_1(journal: Journal) -> None:
    """Makes the journal what the version before this one has written, and closes it."""
    journal.append(Change(added=[ONE]))
    journal.close()
    with sqlite3.connect(journal.folder / FILE) as base:
        base.execute("DROP TABLE keys")
        base.execute("PRAGMA user_version = 1")


def test_a_journal_of_the_version_before_is_brought_up_when_it_is_opened(journal: Journal) -> None:
    of_version_1(journal)
    for _ in range(2):
        opened = Journal.open(journal.folder)
        assert [commit.id for commit in opened.commits()] == [1]
        assert opened.verify() == ""
        opened.remember(KEY)
        assert opened.recall("ada", "8e03") == (KEY, 1)
        opened.close()


def test_a_journal_of_the_version_before_can_be_looked_at_and_stays_as_it_is(journal: Journal) -> None:
    of_version_1(journal)
    before = (journal.folder / FILE).read_bytes()
    looked_at = Journal.read(journal.folder)
    assert looked_at.verify() == ""
    looked_at.close()
    assert (journal.folder / FILE).read_bytes() == before
