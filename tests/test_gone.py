"""Which commit removed the last that was said of a thing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from motorgraph.engine.wire import Job
from motorgraph.gone import Removals
from motorgraph.settings import Settings
from motorgraph.stores.embedded import Embedded


@asynccontextmanager
async def served(folder: Path, *updates: str, token: str | None = "t") -> AsyncIterator[Removals]:
    """A store in which these updates have been made."""
    store = Embedded(Settings(plain=True, data_dir=folder, write_token=token))
    try:
        await store.start()
        for text in updates:
            await store.write(Job("update", text))
        yield Removals(store)
    finally:
        await store.close()


ADD = "INSERT DATA { <a:s> <a:p> 1, <a:o> }"
LESS = "DELETE DATA { <a:s> <a:p> 1 }"
REST = "DELETE DATA { <a:s> <a:p> <a:o> }"
POINTED = "INSERT DATA { <a:x> <a:p> <a:s>, '<a:s>' }"


def removed(folder: Path, *updates: str, iri: str = "a:s", upto: int = 0) -> int | None:
    async def asked() -> int | None:
        async with served(folder, *updates) as removals:
            first = await removals.removed_by(iri, upto)
            assert await removals.removed_by(iri, upto) == first
            return first["id"] if first else None

    return asyncio.run(asked())


def test_the_commit_that_removed_the_last_statement_is_named(tmp_path: Path) -> None:
    assert removed(tmp_path, ADD, LESS, REST, "INSERT DATA { <b:x> <b:y> 1 }") == 3


def test_a_thing_that_is_only_pointed_to_is_gone(tmp_path: Path) -> None:
    assert removed(tmp_path, POINTED, ADD, "DELETE WHERE { <a:s> ?p ?o }", "DELETE WHERE { <a:x> ?p ?o }") == 3


def test_a_thing_that_is_there_is_not_gone(tmp_path: Path) -> None:
    assert removed(tmp_path / "one", ADD, LESS) is None
    assert removed(tmp_path / "other", ADD, LESS, REST, ADD) is None


def test_a_thing_that_never_was_is_not_gone(tmp_path: Path) -> None:
    assert removed(tmp_path, POINTED, "DELETE WHERE { ?s ?p ?o }") is None


def test_it_is_told_as_of_an_older_commit(tmp_path: Path) -> None:
    assert removed(tmp_path / "one", ADD, "DELETE WHERE { <a:s> ?p ?o }", ADD, upto=2) == 2
    assert removed(tmp_path / "other", ADD, "DELETE WHERE { <a:s> ?p ?o }", ADD, upto=1) is None


def test_nobody_waits_for_it_where_too_many_do(tmp_path: Path) -> None:
    async def asked() -> None:
        async with served(tmp_path, ADD, "DELETE WHERE { ?s ?p ?o }") as removals:
            removals.store.archive.limits = Settings(past_readers=1, past_queue_length=0).limits()
            found = await asyncio.gather(*[removals.removed_by(iri) for iri in ("a:s", "a:t")])
            assert [told["id"] if told else None for told in found] == [2, None]
            assert await removals.removed_by("a:s") == found[0]

    asyncio.run(asked())
