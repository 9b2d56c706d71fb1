"""Wheels on this machine: each is fetched once, kept under its digest, and checked at every use."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from contextlib import suppress
from typing import BinaryIO, Callable, Optional, Tuple

from ...errors import (
    Fault,
    PklError,
    RegistryGarbage,
    RegistryUnreachable,
    StateUnavailable,
    WheelRefused,
)
from ...names import printable
from ...paths import user_cache_dir
from ...registry.address import is_local, objection_to
from ...registry.connection import TooLarge
from ...registry.transport import Transport
from ...registry.wheel_name import parse_wheel_name
from ...store.disk import make_directory
from ..solution import Chosen, WheelRef

__all__ = ["MAX_WHEEL", "Fetcher", "Progress", "wheel_place"]

MAX_WHEEL = 4 * 1024**3
"""The largest wheel that is fetched, in bytes."""

Progress = Callable[[Chosen, int, Optional[int]], None]
"""Is told of a wheel how many bytes have come, and how many there are if that is known."""

_CHUNK = 1 << 20
_STALE = 24 * 3600.0
"""Seconds after which a part of a wheel is nobody's any more."""


class _NotKept(Exception):
    """A piece of a wheel could not be written."""


def wheel_place(wheel: WheelRef, directory: Optional[str] = None) -> str:
    """Where a wheel is kept; it need not be there.

    Args:
        wheel: The wheel.
        directory: Where wheels are kept; ``wheels`` in the user's cache directory if None.
    """
    root = directory or os.path.join(user_cache_dir(), "wheels")
    return os.path.join(root, wheel.sha256[:2], wheel.sha256, wheel.file)


class Fetcher:
    """Has wheels brought to this machine.

    A wheel is kept under its digest, so that one that is there is the one that is meant; it is
    read and checked all the same each time. It appears in one step, under a name that only a
    whole and right one gets. Several processes may fetch the same wheel at once; any thread may
    use one object.

    Args:
        offline: Whether the network may not be used; directories may.
        progress: Is told how far it is.
        transport: What fetches.
        directory: Where wheels are kept; ``wheels`` in the user's cache directory if None.
    """

    def __init__(
        self,
        offline: bool = False,
        progress: Optional[Progress] = None,
        transport: Optional[Transport] = None,
        *,
        directory: Optional[str] = None,
    ) -> None:
        self.offline = offline
        self._progress = progress
        self._transport = transport or Transport()
        self._directory = directory

    def is_here(self, chosen: Chosen) -> bool:
        """Whether a wheel can be had without the network, as far as a look tells."""
        wheel = chosen.wheel
        return wheel is not None and (
            is_local(wheel.url) or os.path.exists(wheel_place(wheel, self._directory))
        )

    def fetch(self, chosen: Chosen) -> str:
        """The absolute path of the wheel, whose size and digest are those that were announced.

        Args:
            chosen: The distribution; not an editable one.

        Raises:
            WheelRefused: What came is not what was announced, and was not kept.
            RegistryUnreachable: It cannot be reached, or is not here and ``offline`` holds.
            RegistryDenied: It may not be read.
            RegistryAbsent: It is not there.
            RegistryGarbage: It was cut off, or something else came.
            StateUnavailable: It cannot be kept: the disk is full, for example.
        """
        wheel = chosen.wheel
        if wheel is None:
            raise ValueError(f"{chosen.name} {chosen.version} has no wheel to fetch")
        _check_announced(chosen, wheel)
        place = os.path.abspath(wheel_place(wheel, self._directory))
        known = _measured(place)
        if known == (wheel.sha256, known[1]) and wheel.size in (None, known[1]):
            self._tell(chosen, known[1], known[1])
            return place
        if self.offline and not is_local(wheel.url):
            raise RegistryUnreachable(
                f"{wheel.file} is not on this machine, and the network may not be used",
                url=wheel.url,
                registry=chosen.registry or None,
                distribution=chosen.name,
                version=chosen.version,
                hint="run the same without --offline once; what it fetches is kept",
            )
        try:
            self._bring(chosen, wheel, place)
        except PklError:
            raise
        except OSError as e:
            raise _unkept(place, e) from e
        return place

    def _bring(self, chosen: Chosen, wheel: WheelRef, place: str) -> None:
        directory = os.path.dirname(place)
        make_directory(directory)
        _sweep(directory)
        part = os.path.join(directory, f".{os.urandom(6).hex()}.part")
        try:
            with open(part, "xb") as file:
                sha256, size = self._receive(chosen, wheel, file)
                file.flush()
                os.fsync(file.fileno())
            if sha256 != wheel.sha256 or wheel.size not in (None, size):
                raise _other(chosen, wheel, sha256, size)
            os.replace(part, place)
        except BaseException:
            with suppress(OSError):
                os.unlink(part)
            raise

    def _receive(self, chosen: Chosen, wheel: WheelRef, file: BinaryIO) -> Tuple[str, int]:
        digest = hashlib.sha256()
        size = 0

        def keep(piece: bytes) -> None:
            nonlocal size
            digest.update(piece)
            size += len(piece)
            try:
                file.write(piece)
            except OSError as e:
                raise _NotKept from e
            self._tell(chosen, size, wheel.size)

        limit = MAX_WHEEL if wheel.size is None else wheel.size
        try:
            self._transport.download(wheel.url, keep, limit=limit, registry=chosen.registry or None)
        except _NotKept as e:
            assert isinstance(e.__cause__, OSError)
            raise e.__cause__ from None
        except RegistryGarbage as e:
            if isinstance(e.__cause__, TooLarge) or size > limit:
                raise _other(chosen, wheel, "", max(size, limit + 1)) from e
            raise
        return digest.hexdigest(), size

    def _tell(self, chosen: Chosen, done: int, total: Optional[int]) -> None:
        if self._progress is not None:
            self._progress(chosen, done, total)


def _check_announced(chosen: Chosen, wheel: WheelRef) -> None:
    """Refuses a wheel whose name, digest or URL could not be right; the name becomes a path."""
    faults = []
    said = parse_wheel_name(wheel.file)
    if said is None or not said.is_of(chosen.name, chosen.version):
        rule = f"must be the name of a wheel of {chosen.name} {chosen.version}"
        faults.append(Fault("file", wheel.file, rule))
    if len(wheel.sha256) != 64 or set(wheel.sha256) - set("0123456789abcdef"):
        faults.append(Fault("sha256", wheel.sha256, "must be a SHA-256 in hex, and nothing else"))
    why = objection_to(wheel.url)
    if why:
        faults.append(Fault("url", wheel.url, f"must be where pkl fetches from: {why}"))
    if faults:
        raise WheelRefused(
            "\n  ".join(
                [f"the wheel of {chosen.name} {chosen.version} is refused", *map(str, faults)]
            ),
            faults=faults,
            distribution=chosen.name,
            version=chosen.version,
            hint="nothing was installed; tell whoever runs the registry",
        )


def _measured(path: str) -> Tuple[str, int]:
    """Digest and size of a file of ours; of anything else, nothing."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
    flags |= getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return "", 0
            digest = hashlib.sha256()
            while True:
                piece = file.read(_CHUNK)
                if not piece:
                    return digest.hexdigest(), file.tell()
                digest.update(piece)
    except OSError:
        return "", 0


def _sweep(directory: str) -> None:
    """Removes what a process left that was killed in the middle."""
    with suppress(OSError):
        for name in os.listdir(directory):
            path = os.path.join(directory, name)
            if name.endswith(".part") and os.stat(path).st_mtime < time.time() - _STALE:
                os.unlink(path)


def _other(chosen: Chosen, wheel: WheelRef, sha256: str, size: int) -> WheelRefused:
    faults = []
    if wheel.size is not None and size != wheel.size:
        more = "more" if size > wheel.size else str(size)
        rule = f"must be the {wheel.size} bytes that were announced, and is {more}"
        faults.append(Fault("size", size, rule))
    if sha256 and sha256 != wheel.sha256:
        rule = f"must be the {wheel.sha256} that was announced, and is {sha256}"
        faults.append(Fault("sha256", sha256, rule))
    lines = [f"{printable(wheel.file)} is not what was announced (from {printable(wheel.url)})"]
    lines += [f"  its {each.path} {each.rule}" for each in faults]
    return WheelRefused(
        "\n".join(lines),
        faults=faults,
        distribution=chosen.name,
        version=chosen.version,
        url=wheel.url,
        expected=wheel.sha256,
        found=sha256,
        hint="nothing was installed; tell whoever runs the registry",
    )


def _unkept(place: str, error: OSError) -> StateUnavailable:
    return StateUnavailable(
        f"{os.path.basename(place)} cannot be kept in {os.path.dirname(place)}: "
        f"{error.strerror or error}; nothing was installed",
        file=place,
        hint="make room there, or set PKL_HOME to a directory of your own",
    )
