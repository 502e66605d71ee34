"""Packed files: gzip and zstd, told by the last suffix of a file's name."""

from __future__ import annotations

import gzip
import sys
import zlib
from pathlib import Path
from typing import IO, Protocol

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

GZIP_LEVEL = 1
ZSTD_LEVEL = 3
READ_BYTES = 1 << 20
CODINGS = {".gz": "gzip", ".zst": "zstd"}
MEDIA_TYPES = {"gzip": "application/gzip", "zstd": "application/zstd"}
UNPACKABLE = (OSError, EOFError, zlib.error, zstd.ZstdError)
"""What reading a packed file can meet."""


class Packer(Protocol):
    """Packs bytes as they come."""

    def compress(self, data: bytes, /) -> bytes:
        """What can be said by now."""

    def flush(self) -> bytes:
        """The rest."""


def coding(name: str) -> str:
    """How a file is packed: gzip, zstd, or ""."""
    return next((word for suffix, word in CODINGS.items() if name.lower().endswith(suffix)), "")


def unpacked_name(name: str) -> str:
    """The name of a file without the suffix of its packing."""
    suffix = next((suffix for suffix in CODINGS if name.lower().endswith(suffix)), "")
    return name[: len(name) - len(suffix)]


def packer(word: str) -> Packer:
    """A packer for a coding. The same bytes give the same bytes: a gzip of ours has no time in it."""
    if word == "zstd":
        return zstd.ZstdCompressor(level=ZSTD_LEVEL, options=None)
    return zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, 31)


def opened(path: Path) -> IO[bytes]:
    """The file's bytes, unpacked where its name says that it is packed. Raises OSError; reading may meet all of UNPACKABLE."""
    word = coding(path.name)
    if word == "gzip":
        return gzip.open(path, "rb")  # type: ignore[return-value]  # a GzipFile reads as an IO[bytes]
    if word == "zstd":
        return _Zstd(path)  # type: ignore[return-value]  # as above
    return path.open("rb", buffering=READ_BYTES)


def written(path: Path) -> IO[bytes]:
    """A file to write to, which is packed as its name says. Raises OSError."""
    word = coding(path.name)
    if word == "gzip":
        return gzip.open(path, "wb")  # type: ignore[return-value]  # a GzipFile is an IO[bytes] in what is used
    if word == "zstd":
        return zstd.ZstdFile(path, "wb", level=ZSTD_LEVEL)  # type: ignore[return-value]  # as above
    return path.open("wb")


class _Zstd(zstd.ZstdFile):
    """A file packed by zstd that, as a GzipFile does, shows the file below as `fileobj`."""

    def __init__(self, path: Path) -> None:
        self.fileobj = path.open("rb")
        super().__init__(self.fileobj)

    def close(self) -> None:
        """Closes both."""
        super().close()
        self.fileobj.close()
