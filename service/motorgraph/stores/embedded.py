"""The embedded store: a keeper with its readers, from the files it starts from to the answers it gives."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from motorgraph import corpus
from motorgraph.commits import Key
from motorgraph.dumps import Dumps
from motorgraph.engine.answer import Answer
from motorgraph.engine.archive import Archive
from motorgraph.engine.control import Control, Start
from motorgraph.engine.kept import Kept
from motorgraph.engine.pool import Pool
from motorgraph.engine.process import proportional_bytes
from motorgraph.engine.wire import Job
from motorgraph.errors import BadRequest, Broken, Conflict, Nonconforming, NotFound, NotReady, Refusal, Replica
from motorgraph.inference import Rule, shipped_rules
from motorgraph.judged import Verdict, conforming
from motorgraph.notes import Notes
from motorgraph.once import require_same
from motorgraph.settings import MIB, Settings
from motorgraph.stores.remote import Elsewhere
from motorgraph.stores.turns import Turns
from motorgraph.touched import Touched
from motorgraph.vocab import Names

if TYPE_CHECKING:
    from motorgraph.following import Following

ADMIN_GRAPHS = ("ontology", "shapes")
CLOSE_SECONDS = 2.0
MOST_DIGITS = 16
REST_AFTER_COUNT = 4  # times what the last count took, however many write
log = logging.getLogger("motorgraph.store")


@dataclass(frozen=True, slots=True)
class Outcome:
    """A write that was made, or rehearsed: the newest commit, whether it made a graph and where, and the account of it if any.

    `is_replayed` says that it was made when it was sent before.
    """

    commit: int
    version: str
    created: bool = False
    location: str = ""
    account: bytes = b""
    is_replayed: bool = False


class Embedded:
    """The graph in memory. `start` before anything else; `close` at the end."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.names = Names(settings.base)
        self._verdicts = Notes(settings.data_dir / "verdicts")
        self.control = Control()
        self.pool = Pool(self.control, settings.limits())
        self.kept = Kept(settings.cache_bytes * MIB)
        self.commit = 1
        self.triples: dict[str, int] = {}
        self.is_ready = False
        self.keeps_history = False
        self.address = ""
        self.stage = "starting"
        self.verdict: Verdict | None = None
        self.on_stage: Callable[[str], None] = lambda stage: None
        self.on_ready: Callable[[], None] = lambda: None
        self._lineage = secrets.token_hex(4)
        self.turns = Turns(settings.write_queue_length)
        self.dumps = Dumps(self)
        self._keys: set[tuple[str, str]] = set()
        self.touched = Touched()
        self.on_commit: Callable[[], None] = lambda: None
        self.pool.drafts.on_change = self.touched.heed
        self.pool.drafts.on_commit = self._advance
        self._counting: asyncio.Task[None] | None = None
        self.following = _following(self) if settings.follow else None
        self.elsewhere = Elsewhere(self) if settings.remote else None

    @property
    def archive(self) -> Archive:
        """What answers about older commits, and from the journal."""
        return self.pool.archive

    @property
    def lineage(self) -> str:
        """Names the history: that of the journal, or of this start where none is kept."""
        return self._lineage

    def require_ready(self) -> None:
        """Raises NotReady while the graph is being loaded, StoreAway or Diverged while a remote one cannot be asked."""
        if self.elsewhere is not None and self.elsewhere.refusal is not None:
            raise self.elsewhere.refusal
        if not self.is_ready:
            raise NotReady("The graph is being loaded; /ready says when it is there.")

    @property
    def version(self) -> str:
        """Names this state of the graph: changes with every commit; another start has it only if its graph is the same."""
        return self.version_of(self.commit)

    def version_of(self, commit: int) -> str:
        """Names the state of the graph after a commit."""
        return f"{self._lineage}-{commit}"

    @property
    def _shapes(self) -> str:
        """The graph of the shapes that every write has to satisfy; "" for none."""
        return "" if self.settings.plain else self.names.graph("shapes")

    @property
    def _guards(self) -> dict[str, Any]:  # Any: fields of a Job of several types
        """Of a write: the graph that it is judged by, those that only an admin may change, and the one that nobody may."""
        if self.settings.plain:
            return {}
        guarded = tuple(map(self.names.graph, ADMIN_GRAPHS))
        return {"shapes": self._shapes, "guarded": guarded, "catalogue": self.names.graph("catalogue")}

    async def start(self, *, as_kept: bool = False) -> None:
        """Loads, judges, forks readers. Raises Failed or Nonconforming, saying what to mend.

        `as_kept` is for a command that writes to the folder and ends: it needs no token, and files count only for a new journal.
        """
        self.control.listen()
        if self.following is not None:
            if as_kept:
                raise Replica.of(self.following.url)
            self.be("following")
            await self.following.seed(self.address)
        files = [] if self.following or self.settings.remote else corpus.starting(self.settings, self.names)
        self.be("loading")
        rules = [] if self.settings.plain else shipped_rules(self.names)
        start = Start(
            files,
            self.settings.folder,
            self.settings.is_writable or as_kept or self.following is not None,
            self.settings.is_union,
            rules,
            self._shapes,
            judges=self.following is None,  # upstream has judged it all
            catalogue="" if self.settings.plain else self.names.base,
            base=self.settings.base,
            renews=not as_kept,
            address=self.address,
            follows=self.settings.follow,
            snapshot_after=self.settings.snapshot_after,
            notes=str(self.settings.data_dir / "readings"),
            place=self.settings.place,
            room=self.settings.limits().memory,
        )
        load = self.control.load if self.elsewhere is None or as_kept else self.elsewhere.first
        loaded = await load(start)
        self._lineage = loaded.lineage or self._of_files(loaded.digest, rules)
        log.info("the graph is loaded", extra={"seconds": round(loaded.seconds, 3), "bytes": loaded.pss})
        if not self.settings.plain and loaded.digest:
            self.verdict = await self._judge(corpus.digest(loaded.digest, rules))
        self.commit = await self.control.record()
        self.pool.limits = self.archive.limits = self.pool.finding.limits = self.settings.limits(loaded.pss)
        self.keeps_history = bool(loaded.lineage)
        await self.pool.open()
        self.is_ready = True
        self.be("ready")
        self.count_soon()
        if not as_kept:
            self.dumps.open()
            self.pool.finding.open()
        if self.following is not None:
            self.following.begin()
        if self.elsewhere is not None:
            self.elsewhere.begin()
        self.on_ready()

    def answers_if(self, refusal: Refusal | None, stage: str) -> None:
        """Answers, unless there is a refusal: then everything meets it, and the stage says what is the matter."""
        self.pool.refusal, self.is_ready = refusal, refusal is None
        if self.stage != (wanted := stage if refusal is not None else "ready"):
            self.be(wanted)

    # Reads

    def begin(self, job: Job, tag: str = "") -> Answer:
        """Begins to answer a read from the newest graph. The caller hands the answer to `release`. Raises QueueFull or NotReady.

        One with a `tag` is the same each time that it is asked of the same commit, so it may be one that was kept.
        """
        kept = self.kept.find(job, self.commit) if tag and self.is_ready else None
        if kept is not None:
            kept.tag = tag
            return kept
        answer = self.pool.submit(job)
        answer.tag = tag
        if tag:
            self.kept.watch(answer)
        return answer

    async def answer(self, job: Job, tag: str = "") -> Answer:
        """Answers a read, from the newest graph or that of the job's commit. The caller hands the answer to `release`.

        Raises the Refusal that it met.
        """
        if job.commit in (0, self.commit):
            answer = await self.pool.opened(self.begin(job, tag))
            if job.commit in (0, answer.head.commit):
                return answer
            self.pool.release(answer)  # a write has come between
        return await self.archive.answer(job)

    def release(self, answer: Answer) -> None:
        """Says that nobody wants the rest of an answer."""
        self.kept.keep(answer)
        self.pool.release(answer)
        self.archive.release(answer)

    async def at(self, moment: str) -> int:
        """The commit that a client means: its number, or a time (ISO 8601; the newest that was there then); 0 for a time to which
        the newest is still the answer, and others may come to be.

        Raises BadRequest or NotFound.
        """
        self.require_ready()
        if moment.isdecimal() and len(moment) < MOST_DIGITS:
            if not 1 <= int(moment) <= self.commit:
                raise NotFound(f"There is no commit {int(moment)}; there are 1 to {self.commit}.")
            return int(moment)
        if not moment[:1].isdecimal():
            raise BadRequest(f"at={moment[:60]!r} is no commit and no time, such as 12 or 2026-11-22T18:00:00Z.")
        found: int = await self.archive.ask("at", time=moment.replace(" ", "+"))  # a plus that was not encoded
        if not found:
            raise NotFound(f"There was no commit yet at {moment}; /changes/1 is the first.")
        return found if found != self.commit else 0

    async def commits(self, **wanted: int | bool) -> list[dict[str, Any]]:  # Any: a commit as JSON, see the clerk
        """Commits, oldest first: those beyond `after` as far as `upto`, at most `limit`; with `last` the last of them."""
        found: list[dict[str, Any]] = await self.archive.ask("commits", **wanted)
        return found

    async def found(self, task: str, **wanted: Any) -> tuple[int, bytes]:  # Any: plain JSON
        """What the finder says of names (see engine/finder.py): the commit that it is from, and the answer as JSON."""
        self.require_ready()
        return await self.pool.finding.ask(task, **wanted)

    async def close(self) -> None:
        """Fails what still runs and ends every process."""
        self.is_ready = False
        if self.following is not None:
            await self.following.close()
        if self.elsewhere is not None:
            await self.elsewhere.close()
        if self._counting is not None:
            self._counting.cancel()
        self.dumps.close()
        self.pool.close()
        await self.control.close(CLOSE_SECONDS)

    async def write(self, job: Job, body: bytes = b"", guard: Callable[[], None] = lambda: None) -> Outcome:
        """Rehearses and makes one change, or only rehearses it. Raises the Refusal that it met, with nothing changed.

        `guard` is called when no other write is under way, and raises the refusal of a change that no longer fits. Cancelled
        while it waits or is rehearsed, the change is not made.
        """
        self.require_ready()
        if not job.once or job.dry_run:
            async with self.turns.turn():
                return await self._write(job, body, guard)
        key = Key(**json.loads(job.once))
        with self._only(key):
            async with self.turns.turn():
                return await self._recalled(key) or await self._write(job, body, guard)

    async def judge(self, job: Job, body: bytes) -> dict[str, Any]:  # Any: plain JSON, see engine.trial
        """What the shapes say of a body that is not written. It waits for no write, and no write for it. Raises Refusal."""
        self.require_ready()
        return await self.pool.trials.judge(replace(job, union=self.settings.is_union, **self._guards), body)

    async def _write(self, job: Job, body: bytes, guard: Callable[[], None]) -> Outcome:
        guard()
        answer, _ = await self.pool.drafts.rehearse(replace(job, union=self.settings.is_union, **self._guards), body)
        return Outcome(self.commit, self.version, answer.created, account=answer.account)

    async def _recalled(self, key: Key) -> Outcome | None:
        """What came of the write when it was sent before. Raises KeyReused if that was another."""
        found = await self.control.recall(key.author, key.name)
        if found is None:
            return None
        known, commit = found
        require_same(key, known)
        return Outcome(commit, f"{self._lineage}-{commit}", known.created, known.location, is_replayed=True)

    @contextmanager
    def _only(self, key: Key) -> Iterator[None]:
        """Raises Conflict while another request with the key is under way."""
        name = key.author, key.name
        if name in self._keys:
            raise Conflict(f"A write with the Idempotency-Key {key.name!r} is under way. Ask again when it is done.")
        self._keys.add(name)
        try:
            yield
        finally:
            self._keys.remove(name)

    def _advance(self, commit: int) -> None:
        """A change has been made."""
        self.commit = commit
        self.count_soon()
        self.dumps.soon()
        self.on_commit()

    def memory(self) -> dict[str, int]:
        """Proportional memory in bytes of the keeper and of all readers."""
        return {
            "keeper": proportional_bytes(self.control.pid),
            "readers": sum(proportional_bytes(pid) for pid in self.pool.pids),
        }

    def _of_files(self, digest: str, rules: Sequence[Rule]) -> str:
        """Names the history of a service that keeps none: the same as long as it starts from the same files in the same way."""
        told = f"{corpus.digest(digest, rules)} {self.settings.base} {self.settings.is_union}"
        return hashlib.sha256(told.encode()).hexdigest()[:8] if digest else self._lineage

    def be(self, stage: str) -> None:
        """Says at which stage the start is, or what is the matter."""
        self.stage = stage
        self.on_stage(stage)

    async def _judge(self, digest: str) -> Verdict:
        """What the shapes say of the graph. Raises Nonconforming for one with violations."""
        known: Verdict | None = self._verdicts.on(digest)
        if known is not None:
            return known
        self.be("validating")
        job = Job("validate", graph=self.names.graph("shapes"), union=self.settings.is_union)
        report = json.loads(await self.pool.alone(job, role="judge"))
        violations = [r for r in report["results"] if r["severity"] == "Violation"]
        if violations:
            raise Nonconforming(
                f"{len(violations)} violation{'s' if len(violations) > 1 else ''}; nothing is served until "
                f"{'they are' if len(violations) > 1 else 'it is'} mended.",
                results=violations,
            )
        found = conforming(report["results"])
        log.info("the graph conforms", extra={"warnings_and_infos": found["warnings_and_infos"]})
        self._verdicts.remember(digest, found)
        return found

    def count_soon(self) -> None:
        """Asks for the triples of each graph; what the keeper does not know is counted in a process of its own, which costs the
        readers nothing.

        Where the default graph is the merge of all, a graph without triples is none: no query shows it.
        """
        if self.elsewhere is not None and not self.settings.remote_count_seconds:
            return
        if self._counting is None or self._counting.done():
            self._counting = asyncio.get_running_loop().create_task(self._count())

    async def _count(self) -> None:
        commit, rest = 0, 0.0
        while commit != self.commit:
            await asyncio.sleep(rest)
            commit, started = self.commit, time.monotonic()
            try:
                told = await self.control.census() or json.loads(await self.pool.alone(Job("census"), can_wait=True))
                self.triples = {name: count for name, count in told["graphs"].items() if count or not self.settings.is_union}
                if self.elsewhere is not None:
                    await self.elsewhere.compare(told["commit"], told["graphs"])
            except (Refusal, Broken, OSError) as error:
                log.warning("the triples could not be counted", extra={"error": str(error)})
            took = time.monotonic() - started
            rest = REST_AFTER_COUNT * took if self.elsewhere is None else self.elsewhere.rest_after(took)


def _following(store: Embedded) -> Following:
    """What has a store follow another service."""
    from motorgraph.following import Following  # only for a replica: a client of HTTP takes a tenth of a second to import

    return Following(store)
