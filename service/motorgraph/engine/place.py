"""Where a remote store is, without what it takes to speak to it: every service has to know, few have one."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from motorgraph.engine.dialects import DIALECTS, Dialect, beside


@dataclass(frozen=True, slots=True)
class Place:
    """Where a remote store is and how it is spoken to: its addresses, `authorization` as the header has it, or name and password
    for where it asks for a Digest; seconds to wait."""

    url: str
    update_url: str = ""
    authorization: str = field(default="", repr=False)
    dialect: str = "sparql"
    user: str = ""
    password: str = field(default="", repr=False)
    seconds: float = 30.0
    connect_seconds: float = 2.0

    @property
    def kind(self) -> Dialect:
        """What kind of engine it is."""
        return DIALECTS[self.dialect]

    @property
    def updates(self) -> str:
        """The address for updates."""
        return self.update_url or beside(self.url, self.kind.updates) or self.url

    @property
    def loads(self) -> str:
        """The address that takes N-Quads at once, "" if none is known."""
        return beside(self.url, self.kind.loads)


def basic(name: str, password: str) -> str:
    """The header of a name and a password (RFC 7617)."""
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"
