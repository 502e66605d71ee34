"""Finds the files that ship with the package: in the wheel's `_assets`, else in the checkout."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

PACKAGE = Path(__file__).parent


def asset(name: str) -> Path:
    """The folder `ontology`, `shapes`, `data` or `docs`, wherever this installation keeps it.

    Raises FileNotFoundError if the installation has lost it.
    """
    for root in (PACKAGE / "_assets", PACKAGE.parents[1]):
        if (root / name).is_dir():
            return root / name
    raise FileNotFoundError(f"This installation of motorgraph has no folder {name!r}; install it again.")


def web(name: str) -> Path:
    """A folder of `web/`: `templates` or `static`."""
    return PACKAGE / "web" / name


def tag_of(content: bytes) -> str:
    """What tells one content of a file from another in an address or ETag."""
    return blake2b(content, digest_size=9).hexdigest()
