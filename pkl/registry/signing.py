"""Signing and verifying with ``ssh-keygen -Y`` (SSHSIG): no cryptography of our own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from typing import List, Optional

from ..errors import MissingTool, PathError, SignatureRefused
from .keys import NAMESPACE, PublicKey, parse_public_key

__all__ = ["SshKeygen", "read_public_key"]

_PRINCIPAL = "pkl-registry"
_PATIENCE = 60.0
"""How long a verification may take, in seconds; it takes milliseconds."""


class SshKeygen:
    """``ssh-keygen`` of OpenSSH 8.1 or later, as a ``Verifier`` and to sign with.

    Args:
        program: Its path; without one it is looked up on the PATH each time.
    """

    def __init__(self, program: Optional[str] = None) -> None:
        self._program = program

    def verify(self, data: bytes, signature: bytes, key: PublicKey) -> str:
        program = self._find()
        if program is None:
            raise SignatureRefused(
                "ssh-keygen is not on the PATH, so the signature of the registry's index cannot be"
                " verified, and a key is pinned for it",
                hint="install OpenSSH (apt install openssh-client, or what your system calls it)",
                why="no-tool",
            )
        with tempfile.TemporaryDirectory(prefix="pkl-verify-") as folder:
            signers, sealed = os.path.join(folder, "signers"), os.path.join(folder, "signature")
            with open(signers, "w", encoding="ascii") as file:
                file.write(f'{_PRINCIPAL} namespaces="{NAMESPACE}" {key}\n')
            with open(sealed, "wb") as binary:
                binary.write(signature)
            command = [program, "-Y", "verify", "-f", signers, "-I", _PRINCIPAL]
            command += ["-n", NAMESPACE, "-s", sealed]
            ran = _run(command, data, _PATIENCE)
        return "" if ran.returncode == 0 else _said(ran) or f"it exits with {ran.returncode}"

    def sign(self, data: bytes, key_file: str) -> bytes:
        """The signature of a private key over the data, armoured.

        ``ssh-keygen`` may ask for the key's passphrase on the terminal, or for a touch.

        Args:
            data: What to sign.
            key_file: The private key, or a public one whose private key the SSH agent has.

        Raises:
            MissingTool: There is no ``ssh-keygen``.
            PathError: There is no such key file.
            SignatureRefused: ``ssh-keygen`` will not sign with it.
        """
        program = self._find()
        if program is None:
            raise MissingTool(
                "signing needs ssh-keygen, which is not on the PATH",
                hint="install OpenSSH (apt install openssh-client, or what your system calls it)",
            )
        if not os.path.isfile(key_file):
            raise _no_key(key_file)
        ran = _run([program, "-Y", "sign", "-f", key_file, "-n", NAMESPACE], data, None)
        if ran.returncode != 0 or not ran.stdout:
            said = _said(ran) or f"it exits with {ran.returncode}"
            raise SignatureRefused(
                f"ssh-keygen does not sign with {key_file}: {said}",
                file=key_file,
                hint="give a private key of yours that others cannot read (chmod 600)",
                why="not-signed",
            )
        return ran.stdout

    def public_key(self, key_file: str) -> PublicKey:
        """The public key of a key file, whichever of the two it is.

        Args:
            key_file: The private key or the public one.

        Raises:
            MissingTool: It takes ``ssh-keygen`` to tell, and there is none.
            PathError: There is no such key file.
            SignatureRefused: It is no key.
        """
        if not os.path.isfile(key_file):
            raise _no_key(key_file)
        for path in (key_file, f"{key_file}.pub"):
            try:
                return read_public_key(path)
            except (SignatureRefused, PathError):
                continue
        program = self._find()
        if program is None:
            raise MissingTool(
                f"finding the public key of {key_file} needs ssh-keygen, which is not on the PATH",
                hint=f"put the public key beside it, as {key_file}.pub, or install OpenSSH",
            )
        ran = _run([program, "-y", "-f", key_file], b"", None)
        try:
            return parse_public_key(ran.stdout.decode("ascii", "replace"))
        except ValueError:
            raise SignatureRefused(
                f"{key_file} is not a key: {_said(ran) or 'ssh-keygen finds none in it'}",
                file=key_file,
                hint="make one with: ssh-keygen -t ed25519 -f registry_key",
                why="no-key",
            ) from None

    def _find(self) -> Optional[str]:
        return self._program or shutil.which("ssh-keygen")


def read_public_key(path: str) -> PublicKey:
    """The key in a ``.pub`` file.

    Raises:
        PathError: There is no such file.
        SignatureRefused: It holds no public key.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(65536)
    except OSError:
        raise _no_key(path) from None
    try:
        return parse_public_key(data.decode("utf-8", "replace").strip())
    except ValueError as e:
        raise SignatureRefused(
            f"{path} holds no public key: {e}",
            file=path,
            hint="give a file such as registry_key.pub, as ssh-keygen writes it",
            why="no-key",
        ) from None


def _no_key(path: str) -> PathError:
    return PathError(
        f"there is no key file {path}",
        file=path,
        hint="make one with: ssh-keygen -t ed25519 -f registry_key",
    )


def _run(
    command: List[str], data: bytes, patience: Optional[float]
) -> "subprocess.CompletedProcess[bytes]":
    """Runs ``ssh-keygen``; one that never ends counts as one that failed."""
    try:
        return subprocess.run(
            command,
            input=data,
            capture_output=True,
            timeout=patience,
            env={**os.environ, "LC_ALL": "C"},
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, b"", b"it does not end")
    except OSError as e:
        return subprocess.CompletedProcess(command, 1, b"", str(e).encode("utf-8", "replace"))


def _said(ran: "subprocess.CompletedProcess[bytes]") -> str:
    """The last line of what ``ssh-keygen`` says."""
    lines = ran.stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1].strip() if lines else ""
