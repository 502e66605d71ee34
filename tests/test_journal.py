"""The journal: what was acknowledged is there, in order and unchanged; what cannot be kept is refused with nothing lost."""

from __future__ import annotations

import errno
import gzip
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import IO

import pytest

from motorgraph import commits as commits_module
from motorgraph import journal as journal_module
from motorgraph.commits import Change, Key
from motorgraph.database import FILE, telling
from motorgraph.engine.process import opening_at_most
from motorgraph.errors import Failed, InsufficientStorage, NotFound, Unavailable
from motorgraph.folder import LOCK
from motorgraph.journal import SNAPSHOTS, Journal
from motorgraph.witness import Witness

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
    monkeypatch.setattr(commits_module, "PIECE_BYTES", 100)
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


def test_a_note_is_written_with_its_commit_or_not_at_all(journal: Journal) -> None:
    def quads() -> Iterator[bytes]:
        yield ONE
        raise OSError("the spool is gone")

    journal.append(Change(added=[ONE]), {"files": "one"})
    with pytest.raises(Failed):
        journal.append(Change(added=quads()), {"files": "two"})
    assert journal.about("files") == "one"


def test_a_full_disk_refuses_a_commit_and_takes_the_next_when_there_is_room(journal: Journal) -> None:
    """SQLite says the same when its database may have no more pages as when the disk has none."""
    journal.append(Change(added=[ONE]))
    journal._base.execute("PRAGMA max_page_count = 8")
    with pytest.raises(InsufficientStorage, match=f"no room on the disk of {journal.folder}. Nothing was changed"):
        journal.append(Change(added=[os.urandom(200_000).hex().encode() + b"\n"]))
    assert journal.head is not None
    assert journal.head.id == 1
    journal._base.execute("PRAGMA max_page_count = 10000")
    assert journal.append(Change(added=[TWO])).id == 2
    with closing(again(journal)) as reopened:
        assert reopened.verify() == ""


def test_what_no_file_is_left_for_may_be_read_later_but_a_write_is_not_called_unmade(tmp_path: Path) -> None:
    for reading, refusal in ((True, Unavailable), (False, Failed)):
        with pytest.raises(refusal, match="open files"), telling(tmp_path, reading=reading), opening_at_most(0):
            (tmp_path / "witness").open("wb")


def test_a_journal_that_too_few_files_are_left_for_may_be_read_later(tmp_path: Path) -> None:
    code = (  # in a process of its own, in which nothing else is opened or closed meanwhile
        "import sys, pathlib; from motorgraph.engine.process import opening_at_most; "
        "from motorgraph.errors import Unavailable; from motorgraph.journal import Change, Journal\n"
        "written = Journal.open(pathlib.Path(sys.argv[1])); written.append(Change(added=[b'<a:s> <a:p> <a:o> .\\n']))\n"
        "for files in range(6):\n"
        "    try:\n"
        "        with opening_at_most(files): Journal.read(written.folder)\n"
        "    except Unavailable as refusal: print(refusal.detail)\n"
        "    else: print('read')"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "data")], capture_output=True, text=True, check=True)
    told = done.stdout.splitlines()
    assert ["open files" in line for line in told] == [True] * 6, told


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


def rolled_back(journal: Journal) -> Journal:
    """The journal with an older copy of its file in its place, as a damaged write-ahead log leaves it."""
    journal.append(Change(added=[ONE]))
    kept = again(journal)
    kept.close()
    older = (kept.folder / FILE).read_bytes()
    writing = Journal.open(kept.folder)
    for _ in range(2):
        writing.append(Change(added=[TWO]))
    writing.close()
    (kept.folder / FILE).write_bytes(older)
    return Journal.open(kept.folder)


def test_a_lost_acknowledged_commit_is_told_with_what_helps(journal: Journal) -> None:
    with closing(rolled_back(journal)) as older:
        with pytest.raises(Failed, match=r"commits 2 to 3 had been acknowledged and are gone; the newest is 1.*--at 1"):
            older.require_whole()
        assert "commits 2 to 3 had been acknowledged" in older.verify()


def test_a_commit_in_the_place_of_the_acknowledged_one_is_told(journal: Journal) -> None:
    with closing(rolled_back(journal)) as older:
        told = Witness.of(older.folder)
        for _ in range(2):
            older.append(Change(added=[ONE]))
        assert older.fault() == ""
        assert told is not None
        told.write(older.folder)
        assert older.fault() == "commit 3 is not the one that was acknowledged"


@pytest.mark.parametrize("text", ["", "nonsense", "a 1 00 12345678", "\udcff"])
def test_a_witness_that_is_not_whole_says_nothing(journal: Journal, text: str) -> None:
    journal.append(Change(added=[ONE]))
    (journal.folder / "acknowledged").write_text(text, errors="surrogateescape")
    assert journal.fault() == ""


def test_a_copy_has_the_commits_as_far_as_one_and_a_lineage_of_its_own(journal: Journal, tmp_path: Path) -> None:
    for quads in (ONE, TWO, ONE):
        journal.append(Change(added=[quads], message="why"), {"base": "http://b", "files": "digest"})
    with closing(Journal.open(tmp_path / "copy")) as copy:
        journal.copy(copy, 2)
        assert [commit.digest for commit in copy.commits()] == [journal.digest_of(1), journal.digest_of(2)]
        assert b"".join(copy.added(2)) == TWO
        assert copy.lineage != journal.lineage
        assert (copy.about("base"), copy.about("files")) == ("http://b", "digest")
        assert copy.verify() == ""


def test_a_copy_does_not_mind_damage_behind_it_and_stops_at_damage_within(journal: Journal, tmp_path: Path) -> None:
    for _ in range(3):
        journal.append(Change(added=[ONE]))
    journal._base.execute("UPDATE pieces SET quads = x'00' WHERE id = 3")
    with closing(Journal.open(tmp_path / "copy")) as copy:
        journal.copy(copy, 2)
        assert copy.verify() == ""
    with closing(Journal.open(tmp_path / "other")) as other:
        with pytest.raises(Failed, match=r"commit 3 cannot be read.*restore FOLDER --at 2"):
            journal.copy(other, 3)
        assert other.head is None


@pytest.mark.parametrize("is_there", [True, False])
def test_a_journal_that_is_gone_is_told_rather_than_begun_anew(journal: Journal, is_there: bool) -> None:
    journal.append(Change(added=[ONE]))
    journal.close()
    (journal.folder / FILE).write_bytes(b"") if is_there else (journal.folder / FILE).unlink()
    with pytest.raises(Failed, match=r"is gone: commit 1 was acknowledged here.*delete the file acknowledged to begin anew"):
        Journal.open(journal.folder)


def test_another_journal_in_the_place_of_one_is_told(journal: Journal, tmp_path: Path) -> None:
    journal.append(Change(added=[ONE]))
    with closing(Journal.open(tmp_path / "other")) as other:
        other.append(Change(added=[TWO]))
        Witness(journal.lineage, 1, journal.digest_of(1)).write(other.folder)
        with pytest.raises(Failed, match="commit 1 of another one was acknowledged here"):
            other.require_whole()


ANY_DAMAGE = 120


def test_no_damage_of_the_files_loses_a_commit_without_a_word(journal: Journal, tmp_path: Path) -> None:
    """Cuts and flipped bits anywhere in the database and its log: all is there, or it is said that something is not."""
    for number in range(6):
        journal.append(Change(added=[b"<a:s> <a:p> <a:o%d> .\n" % n for n in range(number * 40)], message=f"m{number}"))
    files = [FILE, f"{FILE}-wal", "acknowledged"]
    whole = {name: (journal.folder / name).read_bytes() for name in files}
    assert whole[f"{FILE}-wal"]
    expected = [commit.digest for commit in journal.commits()]
    chance, told = random.Random(1), 0
    for number in range(ANY_DAMAGE):
        folder = tmp_path / str(number)
        folder.mkdir()
        name = files[number % 2]
        place = chance.randrange(len(whole[name]))
        damaged = bytearray(whole[name])
        if number % 4 < 2:
            del damaged[place:]
        else:
            damaged[place] ^= 1 << chance.randrange(8)
        for file, content in (whole | {name: bytes(damaged)}).items():
            (folder / file).write_bytes(content)
        try:
            with closing(Journal.open(folder)) as opened:
                opened.require_whole()
                for commit in opened.commits():
                    quads = opened.checked(commit)
                    assert list(quads.removed()) == []
                    b"".join(quads.added())
                    quads.require()
                assert [commit.digest for commit in opened.commits()] == expected
        except Failed:
            told += 1
    assert ANY_DAMAGE > told > ANY_DAMAGE // 4


def test_a_journal_on_a_read_only_disk_is_read_and_not_written(journal: Journal, tmp_path: Path) -> None:
    journal.append(Change(added=[ONE]))
    journal.close()
    with mounted_read_only(journal.folder, tmp_path / "mounted") as folder:
        looking = Journal.read(folder)
        assert looking.verify() == ""
        looking.close()
        with pytest.raises(Failed, match=f"data folder {folder} cannot be used: Read-only file system"):
            Journal.open(folder)


@contextmanager
def mounted_read_only(folder: Path, place: Path) -> Iterator[Path]:
    """The same folder in another place, where nobody can write to it."""
    place.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "--bind", folder, place], capture_output=True).returncode != 0:
        pytest.skip("only root can mount, and not in every container")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", folder, place], check=True)
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


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
    with pytest.raises(Failed, match="is no empty folder; choose a new one"):
        journal.backup(tmp_path / "kept")


# Snapshots


def snapshot(journal: Journal, number: int) -> None:
    journal.snapshots.write(write, number, journal.digest_of(number), ["a:g"])


def test_the_newest_whole_snapshot_counts_and_a_damaged_one_is_passed_over_with_a_word(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    for number in (1, 2, 3):
        journal.append(Change(added=[ONE]))
        snapshot(journal, number)
    found = journal.newest_snapshot(9)
    assert found is not None
    assert (found.commit, found.graphs) == (3, ("a:g",))
    with gzip.open(found.path) as packed:
        assert packed.readlines()[1:] == [ONE]
    whole = found.path.read_bytes()
    for damaged in (whole[:-7], whole[:3], b"", whole[:60] + bytes([whole[60] ^ 1]) + whole[61:]):
        found.path.write_bytes(damaged)
        caplog.clear()
        older = journal.newest_snapshot(9)
        assert older is not None
        assert older.commit == 2
        assert "3.nq.gz is passed over" in caplog.text
        assert next(journal.snapshots.faults(3, journal.digest_of)).startswith(f"the snapshot {found.path} is damaged")
    assert journal.newest_snapshot(1) is None  # only the last two are kept


def test_a_snapshot_of_another_commit_than_it_says_does_not_count(journal: Journal) -> None:
    for number in (1, 2):
        journal.append(Change(added=[ONE]))
        snapshot(journal, number)
    (journal.folder / SNAPSHOTS / "1.nq.gz").replace(journal.folder / SNAPSHOTS / "2.nq.gz")
    assert journal.newest_snapshot(2) is None


def test_the_snapshot_of_another_journal_does_not_count(journal: Journal, tmp_path: Path) -> None:
    other = Journal.open(tmp_path / "other")
    for one in (journal, other):
        one.append(Change(added=[ONE]))
    snapshot(other, 1)
    (journal.folder / SNAPSHOTS).mkdir()
    (other.folder / SNAPSHOTS / "1.nq.gz").rename(journal.folder / SNAPSHOTS / "1.nq.gz")
    assert journal.newest_snapshot(1) is None
    other.close()


def test_a_snapshot_that_cannot_be_written_leaves_nothing_and_a_half_written_one_is_removed(journal: Journal) -> None:
    journal.append(Change(added=[ONE]))

    def full(out: IO[bytes]) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        journal.snapshots.write(full, 1, journal.digest_of(1), [])
    assert list((journal.folder / SNAPSHOTS).iterdir()) == []
    (journal.folder / SNAPSHOTS / "1.nq.part").write_bytes(b"half")
    again(journal).close()
    assert list((journal.folder / SNAPSHOTS).iterdir()) == []


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


@pytest.mark.parametrize("ahead", [timedelta(days=366), -timedelta(hours=1)])
def test_a_key_is_known_though_the_clock_is_set(journal: Journal, monkeypatch: pytest.MonkeyPatch, ahead: timedelta) -> None:
    class Set(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Set:
            return cls.fromtimestamp(datetime.now(tz).timestamp() + ahead.total_seconds(), tz)

    journal.remember(KEY)
    monkeypatch.setattr(journal_module, "datetime", Set)
    assert journal.recall("ada", "8e03") is not None
    journal.remember(replace(KEY, name="other"))
    assert journal.recall("ada", "8e03") is not None
    assert journal.recall("ada", "other") is not None


def test_only_the_newest_keys_are_kept(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "KEPT_KEYS", 3)
    for n in range(5):
        journal.remember(replace(KEY, name=str(n)))
    assert [journal.recall("ada", str(n)) is not None for n in range(5)] == [False, False, True, True, True]


def test_another_history_has_none_of_the_keys(journal: Journal, tmp_path: Path) -> None:
    journal.append(Change(added=[ONE], key=KEY))
    with closing(Journal.open(tmp_path / "copy")) as copy:
        journal.copy(copy, 1)
        assert copy.recall("ada", "8e03") is None


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
