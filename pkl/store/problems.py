"""What is wrong with a state file, in words: which file, what, and what to do."""

from __future__ import annotations

from typing import Optional, Tuple

from ..errors import Fault, StateCorrupt, StateNewer, StateUnavailable
from .schema import SCHEMA

__all__ = ["corrupt", "foreign", "newer", "unflushed", "unreadable", "unwritable"]


def foreign(path: str, objection: str) -> StateUnavailable:
    """The directory of the file is another's."""
    return StateUnavailable(
        f"the state file {path} is not used: its directory {objection}",
        file=path,
        hint="run this as that user, or set PKL_HOME to a directory of your own",
    )


def unwritable(host: str, path: str, error: OSError) -> StateUnavailable:
    """The system refused to write the file of a host."""
    why = error.strerror or str(error)
    where = error.filename if isinstance(error.filename, str) else path
    return StateUnavailable(
        f"the state of the host {host!r} could not be written: {where}: {why}; nothing was changed",
        file=path,
        hint="make room or make the directory writable, or set PKL_HOME to a directory of your own",
        errno=error.errno,
    )


def unflushed(host: str, path: str, error: OSError) -> StateUnavailable:
    """The file was replaced, but the system would not flush its directory."""
    return StateUnavailable(
        f"the state of the host {host!r} was changed, but may not survive a power failure: "
        f"{path}: {error.strerror or error}",
        file=path,
        hint="look at the health of the disk",
        errno=error.errno,
    )


def corrupt(path: str, faults: Tuple[Fault, ...], aside: Optional[str] = None) -> StateCorrupt:
    """The file is damaged; ``aside`` is where it went, if it did."""
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    lines = [f"the state file {path} is damaged ({count})"]
    faults = tuple(map(_discreet, faults))
    lines += [f"  {fault}" for fault in faults[:10]]
    if len(faults) > 10:
        lines.append(f"  and {len(faults) - 10} more")
    if aside is not None:
        lines[0] += f" and was set aside as {aside}; what could be understood of it counts"
        hint = "look at what was set aside, say again what is missing, then delete it"
    else:
        hint = "pkl doctor --fix sets it aside; what can be understood of it counts"
    return StateCorrupt("\n".join(lines), faults, aside=aside, file=path, hint=hint)


def _discreet(fault: Fault) -> Fault:
    """The fault without what may be, or hold, a secret setting."""
    open_to_all = fault.path and ".settings" not in fault.path
    if open_to_all and not isinstance(fault.value, (dict, list)):
        return fault
    return fault._replace(value=f"<{type(fault.value).__name__}>")


def newer(path: str, schema: int) -> StateNewer:
    """The file is of a later schema."""
    return StateNewer(
        f"the state file {path} was written by a later version of pkl (schema {schema}, this one "
        f"knows {SCHEMA}): what is understood of it counts, and it is not changed",
        file=path,
        hint="upgrade pkl",
        schema=schema,
    )


def unreadable(host: str, path: str, error: OSError) -> StateUnavailable:
    """The system refused to read the file; ``host`` is empty where it is not known."""
    whose = f"the state of the host {host!r}" if host else "a state file"
    return StateUnavailable(
        f"{whose} cannot be read: {path}: {error.strerror or error}",
        file=path,
        hint="make it readable, or set PKL_HOME to a directory of your own",
        errno=error.errno,
    )
