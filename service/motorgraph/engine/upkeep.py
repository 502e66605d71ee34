"""The keeper's side of a remote store: it makes each commit there, and knows after any fault whether it is there.

A commit is written down as *intended* (a file, synced), made in the store by one update that moves the store's mark, and kept by
the journal; only then the client hears of it. If anything ends in between, the mark tells whether the intended commit is there.
Then the journal keeps it; else it is dropped, and the mark gets another name, so that the update comes too late to do anything.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import IO

import pyoxigraph as ox

from motorgraph.commits import Commit
from motorgraph.engine.aside import Channel, Died, forked
from motorgraph.engine.delta import NQUADS, Written
from motorgraph.engine.history import History, memory_of
from motorgraph.engine.marker import NOTED, Mark, Step, beginning, moving
from motorgraph.engine.provenance import Catalogue
from motorgraph.engine.remembered import Remembered, digest
from motorgraph.engine.remote import Remote
from motorgraph.errors import BadEvaluation, Diverged, Failed, NotRemote, Refusal, StoreAway
from motorgraph.inference import Rule, renew
from motorgraph.snapshots import sync

INTENDED = "intended"
SETTLE_SECONDS = 3.0
PAUSE_SECONDS = 0.1
log = logging.getLogger("motorgraph.store")


@dataclass(frozen=True, slots=True)
class Kept:
    """A commit that is in the store and in the journal, with what it did."""

    commit: Commit
    written: Written


class Upkeep:
    """A remote store and the journal of its commits."""

    def __init__(
        self,
        store: Remote,
        history: History,
        catalogue: Catalogue | None,
        rules: Sequence[Rule] = (),
        *,
        union: bool,
    ) -> None:
        self._store, self._history, self._rules = store, history, rules
        self._remembered = Remembered(history.folder, rules)
        self._intended = history.folder / INTENDED
        self._catalogue = catalogue
        kind = store.endpoint.place.kind
        if kind.is_merged and not union:
            raise Failed("A store of this kind shows all graphs as one. Serve it with --default-graph union.")
        self._merges = union and not kind.is_merged
        self.mark = Mark(history.lineage, history.commit)
        self._is_sure = False

    def open(self) -> Kept | None:
        """Looks that the store is at the journal's newest commit. Returns the commit that was intended and proves to be there.

        Raises StoreAway, Failed where there is no journal, or Diverged for a store that is not of it, saying what to do.
        """
        if not self._history.lineage:
            raise Failed(
                "A graph in a remote store needs a journal: start with a write token, or have one made by 'motorgraph adopt'."
            )
        if self._catalogue is not None and not self._history.commit:
            raise Failed("There is no graph yet. 'motorgraph serve' without --remote makes it, 'motorgraph copy' puts it there.")
        kept = self._settle()
        self._require()
        return kept

    def _require(self) -> None:
        found, here = self._begun(), Mark(self._history.lineage, self._history.commit)
        if found is None or found.lineage != here.lineage:
            raise Diverged(
                "The store is that of another journal. Give the --data-dir that it was written from, or another store."
            )
        if found.commit != here.commit:
            raise Diverged(
                f"The store is at commit {found.commit}, and the journal at {here.commit}: they have gone different ways. {_COPY}"
            )
        if (noted := self._history.mark) and not found.is_noted(noted):
            raise Diverged(
                f"The store is at commit {found.commit} by another change than the journal: one was set back and went on. {_COPY}"
            )
        self.mark = found
        if not self._is_sure:
            self._look_closer()
        self._is_sure = True
        self._store.course.arrive(found.commit)

    def _begun(self) -> Mark | None:
        """The mark of the store; an empty one is begun by a journal without a commit. Raises Diverged."""
        found, here = self._store.where(), Mark(self._history.lineage, self._history.commit)
        if found is not None:
            return found
        if here.commit or self._has_data() or not self._history.is_writable:
            raise Diverged(f"The store has no mark of this journal. {_COPY}" if here.commit else _UNKNOWN)
        self._history.note_mark(here)
        self._store.endpoint.update(beginning(here))
        return self._store.where()

    def _look_closer(self) -> None:
        """What is looked at once, and after a fault."""
        if not self._history.mark:  # a journal that knows of no mark was written by an older version
            self._history.note_mark(self.mark)
        if self._rules and self._store.rules() != digest(self._rules):
            raise Diverged("The rules have changed since the store was filled. 'motorgraph copy' has it say what follows now.")
        self._store.require_whole()
        self._tell_catalogue()

    def _has_data(self) -> bool:
        return bool(self._store.query("ASK { { ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } } }"))

    def make(self, written: Written) -> Kept:
        """Makes a commit. Raises a Refusal with nothing changed, or StoreAway if that cannot be told yet."""
        if not self._is_sure:
            raise StoreAway("What became of the last change is not known yet, so none is taken. /ready says when it is.")
        was, now = self.mark, self.mark.next()
        text = self._moving(was, now, _step(written))
        self._intend(was, now, written)
        self._store.course.leave()
        try:
            self._store.endpoint.update(text)
            if self._store.where() != now:
                raise BadEvaluation("The store is at another commit: somebody else writes to it.")
        except (BadEvaluation, Failed, StoreAway) as error:
            self._is_sure = False
            kept = self._settled_soon()
            if kept is not None:
                return kept
            if isinstance(error, StoreAway):
                raise _undone(error, is_known=self._is_sure) from error
            raise Failed(f"The change was not made. {error.detail}") from error
        self.mark = now
        return self._keep(written, was)

    def _settled_soon(self) -> Kept | None:
        """As `settle`, while the store may be back in a moment."""
        until = time.monotonic() + SETTLE_SECONDS
        while True:
            try:
                return self.open()
            except StoreAway:
                if time.monotonic() > until:
                    return None
                time.sleep(PAUSE_SECONDS)

    def _settle(self) -> Kept | None:
        """Finds out what became of an intended commit."""
        if not self._intended.is_file():
            return None
        line, _, text = self._intended.read_bytes().partition(b"\n")
        was, now = (Mark.of(told) for told in json.loads(line))
        if not self._history.is_writable:
            raise Failed(
                "A change was under way when the service ended last. Start it once with a write token, so that it is settled."
            )
        found = self._store.where()
        if found == now and self._history.commit == was.commit:
            self.mark = now
            return self._keep(Written.of(text), was)
        if self._history.commit == now.commit and not self._remembered.tells(now.commit):
            self._remember(Written.of(text))
        if found == was:  # what was sent may still be under way: by another name of the mark it comes too late
            self._store.endpoint.update(moving(was, was.again(), Step(), self._store.skolem))
            if self._store.where() == was:
                raise StoreAway("The store does not take updates.")
            return self._settle()
        self._intended.unlink()
        return None

    def _keep(self, written: Written, was: Mark) -> Kept:
        """Has the journal keep what is in the store; if it cannot, takes it back."""
        try:
            commit = self._history.append(written.change, {NOTED: str(self.mark)})
        except Refusal:
            back = was.again()
            step = _step(written)
            undone = Step(step.added, step.removed, step.dropped, step.made)
            self._store.endpoint.update(self._moving(self.mark, back, undone))
            self.mark = back
            self._intended.unlink()
            self._store.course.arrive(back.commit)
            raise
        self._remember(written)
        self._intended.unlink()
        try:
            written = written.told(self._tell_catalogue(commit, written.head["graphs"]))
        except (StoreAway, BadEvaluation, NotRemote) as error:
            self._is_sure = False
            log.warning("a commit is not in the catalogue yet", extra={"commit": commit.id, "error": error.detail})
        self._store.course.arrive(commit.id)
        return Kept(commit, written)

    def _tell_catalogue(self, commit: Commit | None = None, graphs: Iterable[str] = ()) -> str:
        """Has the catalogue in the store speak of the newest commit, if it does not."""
        if self._catalogue is None or not self.mark.commit or not self._history.is_writable:
            return ""
        if commit is None:
            commit, graphs = self._history.newest()
        entry = self._catalogue.entry(commit, graphs)
        told = ox.Store()
        told.bulk_extend(ox.parse(entry, NQUADS))
        quads = list(told)  # the literals as a copy of the graph has them
        if not all(quad in self._store for quad in quads[:1]):
            now = self.mark.again()
            self._store.endpoint.update(self._moving(self.mark, now, Step(added=quads)))
            self.mark = now
        return entry

    def outcomes(self, room: int = 0) -> ox.Store:
        """What each rule makes, as it was written down, else worked out anew, in `room` bytes of memory (0: any number)."""
        found = self._remembered.read(self._history.commit)
        if found is None:
            if 0 < room < memory_of(self._history.quads):
                raise Failed(
                    "What follows by which rule is not written down in the data folder, and to work it out here would take more "
                    "memory than a query may have (setting query_memory). 'motorgraph copy' has the store work it out."
                )
            found = outcomes(self._history, self._rules, room)
            self._remembered.write(found, self._history.commit)
        return found

    def _remember(self, written: Written) -> None:
        """Writes down what a commit has changed of what the rules make; if that cannot be, the next start works it out."""
        with suppress(OSError):
            if self._rules:
                self._remembered.add(written.by_rule, self._history.commit)

    def _moving(self, was: Mark, now: Mark, step: Step) -> str:
        """The update for a step. Raises NotRemote for one that the store would not make, or not as it is."""
        removed, added = set(step.removed), set(step.added)
        if self._merges:
            come = {quad.triple for quad in added}
            gone = {quad.triple for quad in removed} - come
            others = self._store.matching(((each.subject, each.predicate, each.object) for each in gone), None)
            gone -= {quad.triple for quad in others if not isinstance(quad.graph_name, ox.DefaultGraph) and quad not in removed}
            removed |= {_unnamed(triple) for triple in gone}
            added |= {_unnamed(triple) for triple in come}
        most = self._store.endpoint.place.kind.most_quads
        count = len(removed) + len(added)
        if most and most < count:
            raise NotRemote(f"A store of this kind takes at most {most:,} quads at once, and these are {count:,}.")
        return moving(was, now, replace(step, removed=removed, added=added), self._store.skolem)

    def _intend(self, was: Mark, now: Mark, written: Written) -> None:
        """Writes down what is to be done, durably."""
        partial = self._intended.with_suffix(".part")
        with partial.open("wb") as out:
            out.write(json.dumps([str(was), str(now)]).encode() + b"\n" + written.text)
            out.flush()
            os.fsync(out.fileno())
        partial.rename(self._intended)
        sync(self._intended.parent)


def _step(written: Written) -> Step:
    """What a draft has written down, with what follows from it."""
    (lost, won), head = written.derived, written.head
    removed, added = (list(ox.parse(lines, NQUADS)) for lines in (written.removed + lost, written.added + won))
    return Step(removed, added, head["made"], head["dropped"])


def _unnamed(triple: ox.Triple) -> ox.Quad:
    return ox.Quad(triple.subject, triple.predicate, triple.object, ox.DefaultGraph())


def outcomes(history: History, rules: Sequence[Rule], room: int = 0) -> ox.Store:
    """What each rule makes, worked out from the journal by a process aside that has the graph in memory for so long.

    Raises Failed if it has no room.
    """

    def send(out: IO[bytes]) -> None:
        store, made = ox.Store(), ox.Store()
        history.replayed(store)
        renew(store, rules, made)
        channel = Channel(out, 0)
        made.dump(channel, NQUADS)  # type: ignore[arg-type]  # an IO[bytes] in what is used
        channel.send()

    found = ox.Store()
    try:
        lines = b"".join(piece for _, piece in forked(send, name="mg-outcomes", memory=room))
    except Died as died:
        raise Failed(f"What follows from the graph could not be worked out: {died}.") from died
    found.bulk_extend(ox.parse(lines, NQUADS))
    return found


def _undone(error: StoreAway, *, is_known: bool) -> StoreAway:
    if is_known:
        return StoreAway(f"The change was not made, since the store was away. {error.detail}")
    return StoreAway(
        "The store went away while the change was made. Whether it is there is found out when the store is back; send the change "
        "again then, with the same Idempotency-Key if it had one."
    )


_COPY = "'motorgraph copy' makes the store say what the journal says."
_UNKNOWN = "The store holds data that this journal does not know. 'motorgraph adopt' makes a journal of them."
