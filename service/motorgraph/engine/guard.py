"""What a change may touch: the graphs that only an admin changes, and the catalogue, which is nobody's to change."""

from __future__ import annotations

from itertools import pairwise

from motorgraph.bearer import Scope
from motorgraph.engine.delta import Delta
from motorgraph.engine.wire import Job
from motorgraph.errors import Forbidden, InsufficientScope
from motorgraph.tokens import tokens


def refuse_unfit(delta: Delta, job: Job) -> None:
    """Raises Forbidden for a change of the catalogue, InsufficientScope for one that only an admin may make."""
    graphs = delta.graphs if job.guarded or job.catalogue else set()
    if job.catalogue in graphs:
        raise Forbidden(f"<{job.catalogue}> is made from the journal of all commits, so it cannot be changed itself.")
    if job.is_admin:
        return
    for graph in graphs.intersection(job.guarded):
        raise InsufficientScope.of(f"The change touches <{graph}>", Scope.ADMIN.word)
    if job.task == "update" and drops_everything(job.text):
        raise InsufficientScope.of("The update clears or drops all graphs at once", Scope.ADMIN.word)


def drops_everything(text: str) -> bool:
    """Whether an update says CLEAR or DROP of ALL or NAMED."""
    words = (token for token in tokens(text) if not token.is_word("SILENT"))
    return any(verb.is_word("CLEAR", "DROP") and what.is_word("ALL", "NAMED") for verb, what in pairwise(words))
