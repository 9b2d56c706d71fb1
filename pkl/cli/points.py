"""The points of the host that a verb is about, as far as it is known without running it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Union

from ..errors import Fault, MissingExtra, PointRefused
from ..model.contributions import Points
from ..model.strict_json import decode_json, why_no_json
from .project import Project

if TYPE_CHECKING:
    from ..host import PluginHost
    from ..store import HostFacts
    from .session import Session

__all__ = ["Told", "declared_by", "points_of"]

Told = Union[Project, "HostFacts", "PluginHost"]

LARGEST = 1024 * 1024
"""The largest schema that is read, in bytes."""


def declared_by(told: Told) -> Optional[Mapping[str, Any]]:
    """The points that a host is said to have, each with its schema or None; None if nobody says.

    Raises:
        PointRefused: A schema that a project names cannot be read; every one is named.
    """
    if not isinstance(told, Project):
        return told.points
    if told.contributions is None:
        return None
    base = os.path.dirname(told.file or "")
    faults: List[Fault] = []
    found: Dict[str, Any] = {}
    for name, where in told.contributions.items():
        found[name] = None if where is True else _read(name, os.path.join(base, where), faults)
    if faults:
        raise PointRefused(faults, file=told.file or "")
    return found


def _read(name: str, file: str, faults: List[Fault]) -> Any:
    try:
        with open(file, "rb") as opened:
            data = opened.read(LARGEST + 1)
    except OSError as e:
        faults.append(Fault(name, file, f"cannot be read: {e.strerror or e}"))
        return None
    if len(data) > LARGEST:
        faults.append(Fault(name, file, f"is larger than {LARGEST} bytes"))
        return None
    try:
        schema = decode_json(data)
    except (ValueError, RecursionError) as e:
        faults.append(Fault(name, file, why_no_json(e)))
        return None
    if not isinstance(schema, (dict, bool)):
        faults.append(Fault(name, file, "must hold a JSON Schema: an object, true or false"))
        return None
    return schema


def points_of(session: "Session", told: Told) -> Optional[Points]:
    """The points of a host; None if nothing is known of them.

    What cannot be used stops no verb: it is a warning. Without the extra ``schema`` the names are
    known, and no value is held against a schema; ``pkl doctor`` says so.
    """
    try:
        declared = declared_by(told)
        if declared is None:
            return None
        try:
            return Points(declared, file=getattr(told, "file", None) or "")
        except MissingExtra:
            return Points(declared, checked=False)
    except PointRefused as error:
        session.warn(f"{error.message}\nwhat plugins contribute is not checked", error.hint)
        return None
