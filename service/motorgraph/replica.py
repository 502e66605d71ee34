"""The journal of a read replica: it has the lineage of the one that it repeats until somebody else is to write to it."""

from __future__ import annotations

import logging
import secrets

from motorgraph.journal import Journal
from motorgraph.snapshots import sync
from motorgraph.witness import FILE as WITNESS
from motorgraph.witness import Witness

FOLLOWS = "follows"
CAUGHT_UP = "caught up"
log = logging.getLogger("motorgraph.replica")


def promote(journal: Journal) -> None:
    """Gives a journal that has followed another a lineage of its own: from here on its commits are those of no other."""
    followed = journal.about(FOLLOWS)
    if followed:
        before = journal.lineage
        rename(journal, secrets.token_hex(4), **{FOLLOWS: "", CAUGHT_UP: ""})
        log.warning(
            "The journal in %s has followed %s as far as commit %s. What comes now is its own, so its lineage is %s, not %s.",
            journal.folder, followed, journal.head.id if journal.head else 0, journal.lineage, before,
        )  # fmt: skip


def rename(journal: Journal, lineage: str, **notes: str) -> None:
    """Gives a journal another lineage, and notes something with it; its snapshots no longer belong to it.

    The witness goes first: it would tell of another journal if this ended half way.
    """
    (journal.folder / WITNESS).unlink(missing_ok=True)
    sync(journal.folder)
    journal.note(lineage=lineage, **notes)
    if journal.head is not None:
        Witness(lineage, journal.head.id, journal.head.digest).write(journal.folder)
