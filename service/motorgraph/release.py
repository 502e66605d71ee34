"""A release: the files of the dump that was made of the graph as it was after one commit."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from motorgraph.packing import MEDIA_TYPES, unpacked_name

INDEX = "index.json"
CANONICAL_INDEX = "canonical.json"
SUMS = "SHA256SUMS"
SIGNATURE = f"{SUMS}.sig"
GRAPHS = "graphs/"
PART = ".part"
QUADS = "motorgraph.nq"
CANONICAL = "motorgraph.canonical.nq"
CANONICAL_FILES = (CANONICAL, f"{CANONICAL}.gz")
"""What is made only when somebody asks for it."""
EARLY_FILES = (f"{QUADS}.gz", f"{QUADS}.zst")
"""What can be had before the rest is made."""


@dataclass(frozen=True, slots=True)
class DumpFile:
    """One file: its name in the release, what it is unpacked, gzip, zstd or "", its graph ("": the whole), bytes, SHA-256."""

    name: str
    media_type: str
    encoding: str
    graph: str
    size: int
    sha256: str

    @property
    def content_type(self) -> str:
        """What the file itself is: one that is packed is a package."""
        if self.encoding:
            return MEDIA_TYPES[self.encoding]
        return f"{self.media_type}; charset=utf-8" if self.media_type.startswith("text/") else self.media_type


@dataclass(frozen=True)
class Release:
    """The commit, when it was made (ISO 8601, UTC), and the files, the whole graph first."""

    commit: int
    time: str
    files: tuple[DumpFile, ...]

    @property
    def of_graphs(self) -> list[str]:
        """The names of the files that have one graph."""
        return [file.name for file in self.files if file.name.startswith(GRAPHS)]

    def file(self, name: str) -> DumpFile | None:
        """The file of that name."""
        return next((file for file in self.files if file.name == name), None)

    def packed(self, name: str) -> DumpFile | None:
        """The smallest file that unpacks to that of this name."""
        packages = [file for file in self.files if file.encoding and unpacked_name(file.name) == name]
        return min(packages, key=lambda file: file.size, default=None)

    def as_json(self, url: str = "") -> dict[str, object]:
        """The index of the release, with the addresses of the files if it is at `url`; names are addresses relative to it."""
        return {
            **({"url": url} if url else {}),
            "commit": self.commit,
            "time": self.time,
            "files": [({"url": url + quote(file.name)} if url else {}) | asdict(file) for file in self.files],
            "on_demand": [url + name for name in CANONICAL_FILES],
        }

    def sums(self) -> str:
        """The checksums as `sha256sum --check` takes them; that of the index too, which says of what commit they are."""
        index = hashlib.sha256(self.index()).hexdigest()
        return "".join(f"{digest}  {name}\n" for name, digest in [*((f.name, f.sha256) for f in self.files), (INDEX, index)])

    def index(self) -> bytes:
        """The index as a file of the release."""
        return json.dumps(self.as_json(), indent=1).encode()


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted: a release in a folder below `folder`, whose name begins with the `lineage` of the commits.

    The default graph is left out where it is the merge of all (`union`); the graphs `apart` have files of their own but are not
    in those of the whole. The names of blank nodes in a canonical form may cost so many `seconds` and bytes of `memory`.
    `owner` is the process that wants it.
    """

    folder: str
    lineage: str
    base: str
    union: bool
    apart: tuple[str, ...]
    niceness: int
    seconds: float
    memory: int
    owner: int

    def of(self, commit: int) -> Path:
        """The folder of a commit's release."""
        return Path(self.folder) / f"{self.lineage}-{commit}"

    def early(self, commit: int) -> Path:
        """The folder of what can be had of it before it is whole."""
        return self.of(commit).with_suffix(f".{self.owner}.early")


def read(text: str) -> Release:
    """The release that `as_json` told. Raises ValueError, KeyError or TypeError for what is none."""
    told = json.loads(text)
    return Release(told["commit"], told["time"], tuple(DumpFile(**file) for file in told["files"]))
