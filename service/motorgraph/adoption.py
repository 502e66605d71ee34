"""What a read replica takes from its upstream before it starts: the base of the IRIs, and the mode in which it is served."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from motorgraph.database import FILE
from motorgraph.errors import Failed
from motorgraph.following import connected, pause
from motorgraph.journal import Journal
from motorgraph.replica import CAUGHT_UP, FOLLOWS
from motorgraph.settings import Settings
from motorgraph.upstream import Away

log = logging.getLogger("motorgraph.following")


async def adopted(settings: Settings) -> Settings:
    """The settings of a replica with base and mode as upstream has them; other settings as they are.

    Waits while upstream is away, unless the data folder knows. Raises Failed where the operator has said something else, and for
    what cannot be followed.
    """
    told = await _mode(settings)
    for name, value in told.items():
        if name in settings.model_fields_set and getattr(settings, name) != value:
            raise Failed(
                f"{settings.follow} is served with {name.replace('_', '-')} = {value}, and here it is to be "
                f"{getattr(settings, name)}. Leave it away: a replica takes it from its upstream."
            )
    return settings.model_copy(update=told)


async def _mode(settings: Settings) -> dict[str, str | bool]:
    """Base and mode, as upstream says, or the data folder if upstream is away. Raises Failed."""
    upstream, failures = connected(settings), 0
    try:
        while True:
            try:
                outlook = await upstream.look(0)
                assert outlook is not None
                return {"base": outlook.base, "plain": outlook.plain, "default_graph": outlook.default_graph}
            except Away as away:
                if known := _noted_mode(settings):
                    return known
                if not failures:
                    log.warning("waiting for the upstream of a new replica: %s", away)
                failures += 1
                await asyncio.sleep(pause(failures, away.seconds))
    finally:
        await upstream.close()


def _noted_mode(settings: Settings) -> dict[str, str | bool]:
    """Base and mode of a replica that was in the data folder before; empty if there is none. Raises Failed."""
    for plain in (settings.plain, not settings.plain):
        folder: Path = settings.model_copy(update={"plain": plain}).folder
        if not (folder / FILE).is_file():
            continue
        journal = Journal.read(folder)
        try:
            if journal.about(FOLLOWS) and journal.about(CAUGHT_UP):
                return {"base": journal.about("base"), "plain": plain, "default_graph": journal.about("default graph")}
        finally:
            journal.close()
    return {}
