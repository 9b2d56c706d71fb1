"""Public keys as OpenSSH writes them, and what a signature says of itself (SSHSIG).

The format of a signature is that of ``PROTOCOL.sshsig`` in the sources of OpenSSH. Nothing is
verified here; that is for ``signing``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import NamedTuple, Tuple

__all__ = ["NAMESPACE", "PublicKey", "SignatureFacts", "parse_public_key", "read_signature"]

NAMESPACE = "pkl-registry"
"""What signatures of a registry are for; one that was made for anything else does not count."""

_ALGORITHMS = frozenset(
    (
        "ssh-ed25519",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
        "ssh-rsa",
    )
)
_MAX_KEY = 8192
_MAGIC = b"SSHSIG"
_ARMOUR = re.compile(
    rb"\s*-----BEGIN SSH SIGNATURE-----\s+([A-Za-z0-9+/=\s]+)-----END SSH SIGNATURE-----\s*"
)


@dataclass(frozen=True)
class PublicKey:
    """A public key; as text it is one line, ``ssh-ed25519 AAAA…``, without a comment."""

    algorithm: str
    body: str
    """The key itself, in base64."""

    def __str__(self) -> str:
        return f"{self.algorithm} {self.body}"

    @property
    def fingerprint(self) -> str:
        """What ``ssh-keygen -l`` shows of it, such as ``SHA256:…``."""
        digest = hashlib.sha256(base64.b64decode(self.body)).digest()
        return "SHA256:" + base64.b64encode(digest).decode("ascii").rstrip("=")


class SignatureFacts(NamedTuple):
    """What a signature says of itself."""

    key: PublicKey
    """The key it claims to be made with."""
    namespace: str
    """What it was made for."""


def parse_public_key(text: str) -> PublicKey:
    """Reads a key as it stands in a ``.pub`` file; a comment behind it is left out.

    Raises:
        ValueError: It is none; the text says why.
    """
    if "PRIVATE KEY" in text:
        raise ValueError("it is a private key: give the file beside it that ends in .pub")
    words = text.split(None, 2)
    if len(text) > _MAX_KEY or "\n" in text.strip() or len(words) < 2:
        raise ValueError("it is not one line such as: ssh-ed25519 AAAA… comment")
    algorithm, body = words[:2]
    if algorithm not in _ALGORITHMS:
        known = ", ".join(sorted(_ALGORITHMS))
        raise ValueError(f"{algorithm[:40]!a} is not a kind of key that is taken ({known})")
    try:
        blob = base64.b64decode(body.encode("ascii"), validate=True)
        stated, _ = _string(blob)
    except (ValueError, binascii.Error):
        raise ValueError("the key is damaged") from None
    if stated != algorithm.encode("ascii"):
        raise ValueError(f"the key is damaged: it is not a key of the kind {algorithm}")
    return PublicKey(algorithm, base64.b64encode(blob).decode("ascii"))


def read_signature(data: bytes) -> SignatureFacts:
    """What a signature says of itself; whether it holds is another question.

    Raises:
        ValueError: It is not a signature.
    """
    match = _ARMOUR.fullmatch(data)
    if match is None:
        raise ValueError("it is not an SSH signature")
    try:
        blob = base64.b64decode(b"".join(match[1].split()), validate=True)
        if not blob.startswith(_MAGIC) or blob[6:10] != b"\0\0\0\1":
            raise ValueError("it is of another version")
        key, rest = _string(blob[10:])
        namespace, _ = _string(rest)
        algorithm = _string(key)[0].decode("ascii")
        found = parse_public_key(f"{algorithm} {base64.b64encode(key).decode('ascii')}")
        return SignatureFacts(found, namespace.decode("utf-8"))
    except (ValueError, binascii.Error) as e:
        raise ValueError(f"it is a damaged SSH signature: {e}") from None


def _string(blob: bytes) -> Tuple[bytes, bytes]:
    """The first string of the wire format (RFC 4251, section 5), and what follows."""
    if len(blob) < 4:
        raise ValueError("it ends too early")
    end = 4 + int.from_bytes(blob[:4], "big")
    if len(blob) < end:
        raise ValueError("it ends too early")
    return blob[4:end], blob[end:]
