"""The front's side of writes: has a draft rehearse each, and the keeper do what the draft did, to the end once it is at it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from motorgraph.engine.answer import Answer
from motorgraph.engine.child import Reader
from motorgraph.engine.control import Applied, Control
from motorgraph.engine.finding import Finding
from motorgraph.engine.readers import Readers
from motorgraph.engine.wire import Job, body_frames, encode_job
from motorgraph.errors import Broken
from motorgraph.limits import Limits


class Drafts:
    """The writes of one keeper, each in a draft of its own."""

    def __init__(self, control: Control, readers: Readers, finding: Finding, limits: Limits) -> None:
        self._finding = finding
        self.on_commit: Callable[[int], None] = lambda commit: None
        self.on_change: Callable[[int, str], None] = lambda commit, delta: None
        self._control = control
        self._readers = readers
        self._limits = limits

    async def rehearse(self, job: Job, body: bytes) -> tuple[Answer, int]:
        """Runs a write in a draft; when it stands there, the keeper does it and every new query sees it. Raises Refusal.

        Returns the draft's answer and the newest commit, 0 for a dry run. Cancelled, it changes nothing, unless the keeper was at
        it already: then it is cancelled when that is done.
        """
        reader = await self._readers.awaited("draft", memory=self._limits.memory + 8 * (len(body) + job.beside))
        answer = Answer(job, float("inf"))
        try:
            reader.begin(answer, encode_job(job, 0.0 if job.was else self._limits.seconds) + body_frames(body))
            self._readers.ended(reader)
            await answer.opened()
            answer.account = b"".join([piece async for piece in answer.pieces()])
            return answer, 0 if job.dry_run else await _to_the_end(self._made(reader))
        except Broken as broken:
            raise broken.__cause__ or broken from None
        finally:
            if not answer.is_over:
                self._readers.kill(reader)
            reader.close()

    async def _made(self, draft: Reader) -> int:
        """Has the keeper do what the draft did, and the readers too. Returns the newest commit."""
        applied = await self._control.apply(draft.pid)
        if applied.delta == "":
            await self._readers.relieve()
        elif applied.delta is not None:
            await self._readers.go_ahead(applied.commit, applied.delta)
        return self.done(applied)

    def done(self, applied: Applied) -> int:
        """Tells readers and whoever else has to know of what the keeper has done. Returns the newest commit."""
        if applied.delta is not None:
            self._readers.renew(applied.commit, applied.delta)
            self._finding.renew(applied.commit, applied.delta)
            self.on_change(applied.commit, applied.delta)
        self.on_commit(applied.commit)
        return applied.commit


async def _to_the_end(work: Coroutine[Any, Any, int]) -> int:  # Any: what a coroutine never sends or takes here
    """What comes of work that is not given up half way, even if nobody waits for it any more."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # heard
        raise
