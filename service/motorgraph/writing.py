"""Who may write: the bearer of the token in the settings, over HTTP to a store that takes writes."""

from __future__ import annotations

import secrets

from motorgraph.errors import Forbidden, Unauthorized
from motorgraph.protocol import Call
from motorgraph.settings import Settings


def authorise(call: Call, settings: Settings) -> None:
    """Raises Forbidden if nobody may write here, Unauthorized if this request may not."""
    if settings.write_token is None:
        raise Forbidden("This service is read-only: it was started without a write token (setting write_token).")
    scheme, _, token = call.header(b"authorization").partition(" ")
    if scheme.lower() != "bearer" or not secrets.compare_digest(
        token.strip().encode(), settings.write_token.get_secret_value().encode()
    ):
        raise Unauthorized("A write needs the header 'Authorization: Bearer …' with the service's write token.")
