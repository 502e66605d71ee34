"""The bundle: the scripts of the pages as they were built from `service/pages`, by the manifest that the build writes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ADDRESS = "/static/bundle/"
MANIFEST = "manifest.json"
NOT_SOURCES = {"node_modules"}


@dataclass(frozen=True)
class Bundle:
    """What the build has left in a folder."""

    folder: Path

    @cached_property
    def _manifest(self) -> Mapping[str, Mapping[str, object]]:
        found: Mapping[str, Mapping[str, object]] = json.loads((self.folder / MANIFEST).read_text("utf-8"))
        return found

    def modules(self, page: str) -> list[str]:
        """The addresses of a page's module and of the parts that it imports at once, the module first.

        Raises KeyError for a page that has none.
        """
        names = self._manifest["pages"][page]
        assert isinstance(names, list)
        return [ADDRESS + name for name in names]

    @property
    def sources(self) -> object:
        """The digest of the sources that it was built from, see `digest`."""
        return self._manifest["sources"]

    @property
    def files(self) -> Mapping[str, object]:
        """The SHA-256 of each of its files; their names hold a hash too, so that what is at their addresses never changes."""
        return self._manifest["files"]


def digest(folder: Path) -> str:
    """SHA-256 over name, NUL, content, NUL of every source in a folder, in the order of their names, as build.mjs has it."""
    found = hashlib.sha256()
    for path in _sources(folder):
        found.update(f"{path.relative_to(folder).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return found.hexdigest()


def _sources(folder: Path) -> Sequence[Path]:
    return sorted(_below(folder), key=lambda path: path.relative_to(folder).as_posix())


def _below(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name in NOT_SOURCES or path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _below(path)
        else:
            yield path
