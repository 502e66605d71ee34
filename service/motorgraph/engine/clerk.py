"""The clerk: a process forked from the keeper that reads the journal for the front: commits, and what they did."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from socket import socket
from typing import Any

from motorgraph.commits import MOST_COMMITS, Commit, as_json
from motorgraph.engine import excerpt, moments, reader
from motorgraph.engine.chronicle import Chronicle
from motorgraph.engine.delta import Delta, nquads
from motorgraph.engine.past import undoing
from motorgraph.engine.reader import Outlet
from motorgraph.engine.versions import Versions
from motorgraph.engine.wire import Job
from motorgraph.errors import BadRequest, OutOfReach
from motorgraph.rdfpatch import MEDIA_TYPE

MOST_LOOKED = 64
"""IRIs of which a clerk remembers which commits mention them."""
MOST_COMPARED = 500_000
"""Quads of the commits between two that are compared."""


class Clerk:
    """What the jobs of the front are answered from. A job's `text` is a JSON object that says what is wanted."""

    def __init__(self, chronicle: Chronicle, commit: int) -> None:
        self._chronicle = chronicle
        self._looked: dict[str, tuple[int, list[dict[str, Any]]]] = {}
        self._versions = Versions(chronicle, commit)
        self.tasks: dict[str, Callable[[Job, Any, Outlet], None]] = {  # Any: the store, which a reader's tasks need
            "commits": self._commits,
            "at": self._at,
            "mentions": self._mentions,
            "moments": self._moments,
            "patch": self._patch,
            "diff": self._diff,
            "compare": self._compare,
            "rows": self._rows,
            "latest": self._latest,
            "block": self._versions.block,
            "part": self._versions.part,
            "version": self._versions.version,
            "excerpt": self._excerpt,
            "touching": self._touching,
            "quads": self._counted,
        }

    def _commits(self, job: Job, _: Any, outlet: Outlet) -> None:
        """`after`, `upto`: the commits between, oldest first, at most `limit` (with `last`: the last of them, not the first)."""
        wanted = json.loads(job.text)
        after, upto = wanted.get("after", 0), wanted.get("upto")
        limit = min(wanted.get("limit", MOST_COMMITS), MOST_COMMITS)
        if wanted.get("last"):
            newest = upto if upto is not None else self._chronicle.newest
            after = max(after, newest - limit)
        end = after + limit if upto is None else min(upto, after + limit)
        graphs = self._chronicle.graphs(after, end)
        found = [told(c, graphs.get(c.id, [])) for c in self._chronicle.commits(after, end)]
        answer(outlet, found)

    def _counted(self, job: Job, _: Any, outlet: Outlet) -> None:
        """`upto`: how many quads there are after a commit, without what follows."""
        answer(outlet, self._chronicle.quads(json.loads(job.text)["upto"]))

    def _rows(self, job: Job, _: Any, outlet: Outlet) -> None:
        """`after`, `upto`: what the feed has to know of the commits between."""
        answer(outlet, self._versions.rows(**json.loads(job.text)))

    def _latest(self, job: Job, _: Any, outlet: Outlet) -> None:
        """`upto`, `most`: the newest members of the feed."""
        answer(outlet, self._versions.latest(**json.loads(job.text)))

    def _touching(self, job: Job, _: Any, outlet: Outlet) -> None:
        """The commits that changed a `graph`, or a statement with an `iri`: the first `limit` beyond `after`, or (without it) the
        last as far as `upto`.

        `is_first`, `is_last` say whether there are none before or behind these as far as the commit `newest`.
        """
        wanted = json.loads(job.text)
        limit, after = wanted["limit"], wanted["after"]
        every = self._numbers(wanted)
        within = [number for number in every if (after or 0) < number <= wanted["upto"]]
        numbers = within[-limit:] if after is None else within[:limit]
        shown = [self._chronicle.commit(number) for number in numbers]
        names = self._chronicle.graphs(shown[0].id - 1, shown[-1].id) if shown else {}
        ends = {"is_first": not shown or numbers[0] == every[0], "is_last": not shown or numbers[-1] == every[-1]}
        answer(outlet, {"commits": [told(c, names.get(c.id, [])) for c in shown], **ends})

    def _numbers(self, wanted: dict[str, Any]) -> list[int]:
        if wanted.get("iri"):
            return [told["id"] for told in self._mentioned(wanted["iri"], wanted["newest"])]
        return [commit.id for commit in self._chronicle.touching(wanted["graph"], wanted["newest"])]

    def _at(self, job: Job, _: Any, outlet: Outlet) -> None:
        """`time`: the newest commit that was there then, 0 if there was none yet."""
        try:
            answer(outlet, self._chronicle.at(json.loads(job.text)["time"]))
        except ValueError as error:
            raise BadRequest(f"{json.loads(job.text)['time'][:60]!r} is no time, such as 2026-11-22T18:00:00Z.") from error

    def _mentions(self, job: Job, _: Any, outlet: Outlet) -> None:
        """`iri`, `upto`: the commits that removed or added a quad with the IRI as its subject, object or graph, with how many.

        `lost` and `won` are those of them that have it as their subject.
        """
        wanted = json.loads(job.text)
        answer(outlet, list(self._mentioned(wanted["iri"], wanted["upto"])))

    def _mentioned(self, iri: str, upto: int) -> Iterator[dict[str, Any]]:
        """As `_mentions`; a commit that was looked through for an IRI is not looked through again by this process."""
        seen, found = self._looked.pop(iri, (0, []))
        term = f"<{iri}>".encode()
        pieces = self._chronicle.holding(term, seen, upto) if upto > seen else iter(())
        for number, of_commit in groupby(pieces, key=itemgetter(0)):
            counts = {False: [0, 0], True: [0, 0]}  # of what was removed and of what was added
            for _, is_added, piece in of_commit:
                counts[is_added] = [had + more for had, more in zip(counts[is_added], _count(piece, term), strict=True)]
            (removed, lost), (added, won) = counts[False], counts[True]
            if removed or added:
                commit = self._chronicle.commit(number)
                told = {"id": number, "time": commit.time, "removed": removed, "added": added}
                found.append(told | {"lost": lost, "won": won})
        self._looked[iri] = max(seen, upto), found  # at the end: the others are forgotten first
        if len(self._looked) > MOST_LOOKED:
            del self._looked[next(iter(self._looked))]
        return (told for told in found if told["id"] <= upto)

    def _moments(self, job: Job, _: Any, outlet: Outlet) -> None:
        """`iri` or `graph`, of neither all: the commits as far as `upto` after each of which that was there, changed.

        With `time` the one that was there then and those beside it, with `page` some of them; see moments.py.
        """
        wanted = json.loads(job.text)
        answer(outlet, moments.told(list(self._changed(wanted)), wanted))

    def _changed(self, wanted: dict[str, Any]) -> Iterator[tuple[int, str]]:
        upto = wanted["upto"]
        if wanted.get("iri"):
            there = 0
            for told in self._mentioned(wanted["iri"], upto):
                there += told["won"] - told["lost"]
                if there:
                    yield told["id"], told["time"]
        else:
            graph = wanted.get("graph")
            for commit in self._chronicle.touching(graph, upto) if graph else self._chronicle.commits(0, upto):
                if not graph or graph not in commit.dropped:
                    yield commit.id, commit.time

    def _quads(self, commit: Commit) -> tuple[Iterator[bytes], Iterator[bytes]]:
        return self._chronicle.removed(commit.id), self._chronicle.added(commit.id)

    def _patch(self, job: Job, _: Any, outlet: Outlet) -> None:
        """The commit `job.commit` as an RDF patch: what it removed, then what it added."""
        commit = self._chronicle.commit(job.commit)
        outlet.begin("patch", MEDIA_TYPE)
        if job.head_only:
            outlet.finish()
            return
        _head(outlet, commit.id - 1, commit.id, commit.made, commit.dropped)
        for mark, pieces in zip((b"D ", b"A "), self._quads(commit), strict=True):
            for piece in pieces:
                outlet.write(_marked(mark, piece))
        outlet.write(b"TC .\n")
        outlet.finish()

    def _diff(self, job: Job, _: Any, outlet: Outlet) -> None:
        """From the commit `after` to the commit `upto`, which may be the older one: all that lies between as one RDF patch."""
        wanted = json.loads(job.text)
        change = self._between(wanted["after"], wanted["upto"])
        outlet.begin("patch", MEDIA_TYPE)
        _head(outlet, wanted["after"], wanted["upto"], sorted(change.made), sorted(change.dropped))
        for mark, some in ((b"D ", change.removed), (b"A ", change.added)):
            outlet.write(_marked(mark, b"".join(sorted(nquads(some).splitlines(keepends=True)))))
        outlet.write(b"TC .\n")
        outlet.finish()

    def _compare(self, job: Job, _: Any, outlet: Outlet) -> None:
        """As `_diff`, but only how much it is."""
        wanted = json.loads(job.text)
        change = self._between(wanted["after"], wanted["upto"])
        counts = {"removed": len(change.removed), "added": len(change.added)}
        made = {"made": sorted(change.made), "dropped": sorted(change.dropped)}
        answer(outlet, wanted | counts | made | {"graphs": sorted(change.graphs)})

    def _excerpt(self, job: Job, _: Any, outlet: Outlet) -> None:
        """The first lines, at most `most` each, that a `commit` removed and added, or that lie between `after` and `upto`."""
        wanted = json.loads(job.text)
        most = wanted["most"]
        if "commit" in wanted:
            removed, added = self._quads(self._chronicle.commit(wanted["commit"]))
            answer(outlet, {"removed": excerpt.of_lines(removed, most), "added": excerpt.of_lines(added, most)})
            return
        change = self._between(wanted["after"], wanted["upto"])
        rows = {"removed": change.removed, "added": change.added}
        answer(outlet, {name: excerpt.of_quads(sorted(quads, key=str), most) for name, quads in rows.items()})

    def _between(self, start: int, end: int) -> Delta:
        """What makes the graph of the commit `end` from that of `start`, whichever is the older. Raises OutOfReach."""
        commits, count = [], 0
        for commit in self._chronicle.commits(min(start, end), max(start, end)):
            commits.append(commit)
            count += 1 + commit.removed + commit.added
            if count > MOST_COMPARED:
                raise OutOfReach(
                    f"The commits between {start} and {end} changed more than {MOST_COMPARED:,} quads, too many to compare. Take "
                    "fewer commits, or each by itself: /changes/N.rdfp."
                )
        undone = undoing(self._chronicle, commits)
        if start > end:
            return undone
        return Delta(undone.dropped, undone.made, undone.added, undone.removed)


def run(sock: socket, chronicle: Chronicle, commit: int) -> None:
    """Answers the jobs that come over `sock` until it is closed."""
    reader.serve(sock, Clerk(chronicle, commit).tasks, chronicle.store, commit)


def told(commit: Commit, graphs: list[str]) -> dict[str, object]:
    """A commit as JSON, with the named graphs that it changed."""
    return as_json(commit) | {"graphs": graphs}


def answer(outlet: Outlet, value: object) -> None:
    """Answers with JSON."""
    outlet.begin("json", "application/json")
    outlet.write(json.dumps(value).encode())
    outlet.finish()


def _count(piece: bytes, term: bytes) -> tuple[int, int]:
    """In how many quads a term stands elsewhere than as the predicate, and of how many it is the subject."""
    lines = [line for line in piece.splitlines() if term in line]
    return sum(_holds(line, term) for line in lines), sum(line.startswith(term + b" ") for line in lines)


def _holds(line: bytes, term: bytes) -> bool:
    """Whether a term is the subject, object or graph of a quad; a literal may hold it too."""
    subject, _, rest = line.partition(b" ")
    rest = rest.partition(b" ")[2]
    return subject == term or rest.startswith(term) or rest.endswith(term + b" .")


def _head(outlet: Outlet, before: int, after: int, made: Iterable[str], dropped: Iterable[str]) -> None:
    """The head of an RDF patch: the commits that it leads from and to, and graphs that come and go, which no row can say."""
    lines = [f'H id "{after}" .', *([f'H prev "{before}" .'] if before else [])]
    lines += [f"H made <{iri}> ." for iri in made] + [f"H dropped <{iri}> ." for iri in dropped]
    outlet.write("\n".join([*lines, "TX .", ""]).encode())


def _marked(mark: bytes, lines: bytes) -> bytes:
    """Lines of N-Quads as rows of an RDF patch."""
    return b"".join(mark + line for line in lines.splitlines(keepends=True))
