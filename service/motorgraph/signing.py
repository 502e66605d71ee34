"""Signatures of the checksums of dumps, in the form of OpenSSH (PROTOCOL.sshsig): whoever has `ssh-keygen` can check them."""

from __future__ import annotations

import base64
import hashlib
import struct
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from motorgraph.errors import Failed

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PRINCIPAL = "motorgraph"
NAMESPACE = "motorgraph-dump"
"""What a signature is for: one that was made for something else says nothing here."""
ALLOWED_SIGNERS = "allowed_signers"
_MAGIC, _VERSION, _HASH = b"SSHSIG", 1, b"sha512"
_LINE = 70


class Signer:
    """Signs with an Ed25519 key, of which it gives out the public half alone. The same text has the same signature."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        self._key = key
        self._public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)

    @classmethod
    def of(cls, path: Path) -> Signer:
        """The signer with the private key in a file, as `ssh-keygen -t ed25519` writes it. Raises Failed, naming no secret."""
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_ssh_private_key

        try:
            key = load_ssh_private_key(path.read_bytes(), password=None)
        except OSError as error:
            raise Failed(f"The key {path} cannot be read: {error.strerror} (setting dump_key).") from error
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise _unfit(path) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise _unfit(path)
        return cls(key)

    def allowed_signers(self) -> bytes:
        """The public key as `ssh-keygen -Y verify` takes it."""
        return b'%b namespaces="%b" %b\n' % (PRINCIPAL.encode(), NAMESPACE.encode(), self._public)

    def signature(self, message: bytes) -> bytes:
        """The detached signature of a message, in its armour."""
        about = _strings(NAMESPACE.encode(), b"", _HASH)
        kind, public = self._public.split()[:2]
        made = _strings(kind, self._key.sign(_MAGIC + about + _strings(hashlib.sha512(message).digest())))
        blob = _MAGIC + struct.pack("!I", _VERSION) + _strings(base64.b64decode(public)) + about + _strings(made)
        lines = textwrap.wrap(base64.b64encode(blob).decode(), _LINE)
        return "\n".join(["-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----", ""]).encode()


def _strings(*values: bytes) -> bytes:
    """Values as SSH has them: each after its length."""
    return b"".join(struct.pack("!I", len(value)) + value for value in values)


def _unfit(path: Path) -> Failed:
    return Failed(
        f"{path} is no Ed25519 key without a passphrase (setting dump_key). To make one: ssh-keygen -t ed25519 -N '' -f {path}"
    )
