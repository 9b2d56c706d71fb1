"""Which generation counts, and what of it goes on ``sys.path``: all that a start has to read.

Two small files are read, and nothing at all where a host has no generation.
"""

from __future__ import annotations

import os
from typing import Any, Dict, NamedTuple, Optional, Tuple

from ...errors import Fault, GenerationDamaged, PklError
from ...model.strict_json import decode_json, why_no_json
from ...store.disk import Unsound, load
from .places import Places, host_directory, places_of

__all__ = ["SCHEMA", "Standing", "damaged", "read_current", "read_object", "standing"]

SCHEMA = "pkl.generation/1"
"""The schema of ``generation.json`` that this version of pkl writes."""

_MOST_DIGITS = 9


class Standing(NamedTuple):
    """What a host finds when it asks for its generation.

    Attributes:
        number: The generation that counts; 0 if there is none, or none that can be used.
        entries: What goes on ``sys.path``, in this order, after what is there.
        problem: Why the generation that counts cannot be used; None if it can.
    """

    number: int = 0
    entries: Tuple[str, ...] = ()
    problem: Optional[PklError] = None


def standing(host: str, directory: Optional[str] = None) -> Standing:
    """The generation that counts for a host; never raises for what is on the disk.

    Args:
        host: The host's name.
        directory: What holds those of all hosts; None for the user's.
    """
    # Most hosts have none, and are not to pay for finding out which Python this is.
    if not os.path.isdir(host_directory(host, directory)):
        return Standing()
    places = places_of(host, directory)
    try:
        number = read_current(host, places)
        if number is None:
            return Standing()
        found = read_object(host, places, number)
        paths = found.get("paths", [])
        if not isinstance(paths, list) or not all(isinstance(each, str) for each in paths):
            raise damaged(host, places.record(number), (Fault("paths", paths, _PATHS),))
        site = places.site(number)
        if not os.path.isdir(site):
            raise damaged(host, site, (Fault("", site, "is not there"),))
        return Standing(number, (site, *paths))
    except PklError as problem:
        return Standing(problem=problem)


_PATHS = "must be a list of directories"


def read_current(host: str, places: Places) -> Optional[int]:
    """The number of the generation that counts; None if there is none.

    Args:
        host: The host's name, for errors.
        places: Where its generations are.

    Raises:
        GenerationDamaged: The file does not name one.
    """
    data = _loaded(host, places.current)
    if data is None:
        return None
    word = data.split(b"\n", 1)[0].split(b" ", 1)[0]
    if not word.isdigit() or len(word) > _MOST_DIGITS or word[:1] == b"0":
        shown = data[:40].decode("utf-8", "replace")
        raise damaged(host, places.current, (Fault("", shown, "must begin with a number"),))
    return int(word)


def read_object(host: str, places: Places, number: int) -> Dict[str, Any]:
    """What ``generation.json`` of a generation says, as the object it is.

    Args:
        host: The host's name, for errors.
        places: Where its generations are.
        number: The generation.

    Raises:
        GenerationDamaged: It is not there, is no JSON object, or is about another generation.
    """
    path = places.record(number)
    data = _loaded(host, path)
    if data is None:
        raise damaged(host, path, (Fault("", path, "is not there"),))
    try:
        found = decode_json(data)
    except (ValueError, RecursionError) as e:
        shown = data[:40].decode("utf-8", "replace")
        raise damaged(host, path, (Fault("", shown, why_no_json(e)),)) from None
    if not isinstance(found, dict):
        raise damaged(host, path, (Fault("", found, "must be a JSON object"),))
    if found.get("schema") != SCHEMA:
        rule = f"must be {SCHEMA!r}; if a later version of pkl wrote it, upgrade pkl"
        raise damaged(host, path, (Fault("schema", found.get("schema"), rule),))
    if found.get("number") != number or found.get("number") is True:
        rule = f"must be {number}, as the directory is called"
        raise damaged(host, path, (Fault("number", found.get("number"), rule),))
    return found


def _loaded(host: str, path: str) -> Optional[bytes]:
    try:
        return load(path, or_of_root=True)
    except Unsound as e:
        raise damaged(host, path, (Fault("", path, str(e)),)) from None
    except OSError as e:
        fault = Fault("", path, e.strerror or str(e))
        hint = _OF_ANOTHER if isinstance(e, PermissionError) else _DAMAGED
        raise damaged(host, path, (fault,), hint) from None


_DAMAGED = "pkl rollback goes back to the generation before; the next pkl install repairs it"
_OF_ANOTHER = "make it readable, or set PKL_HOME to a directory of your own"


def damaged(
    host: str, path: str, faults: Tuple[Fault, ...], hint: str = _DAMAGED
) -> GenerationDamaged:
    """The error for a generation that cannot be used.

    Args:
        host: The host's name.
        path: The file at fault.
        faults: What is wrong with it.
        hint: What to do about it.
    """
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    lines = [f"what is installed for the host {host!r} cannot be used: {path} has {count}"]
    lines += [f"  {each}" for each in faults[:10]]
    if len(faults) > 10:
        lines.append(f"  and {len(faults) - 10} more")
    return GenerationDamaged(
        "\n".join(lines),
        faults,
        file=path,
        hint=hint,
        host=host,
    )
