"""Whether ``pkl install`` would take a wheel, before it is published."""

from __future__ import annotations

import os
from typing import List

from ...errors import Fault, WheelRefused
from ...install.solution import Chosen, WheelRef
from ...install.wheels.audit import audit_wheel
from ...registry.folder import digest
from ...registry.wheel_name import parse_wheel_name
from .finding import ERROR, Finding, split_place

__all__ = ["check_wheel"]


def check_wheel(path: str) -> List[Finding]:
    """What an installation would refuse the wheel for, wherever it was announced as it is.

    Args:
        path: The wheel, which can be opened as an archive.
    """
    file = os.path.basename(path)
    name = parse_wheel_name(file)
    if name is None:
        message = f"{file} is not the name of a wheel (NAME-VERSION-PYTHON-ABI-PLATFORM.whl)"
        hint = "build it again, and leave its name as it is"
        return [Finding(ERROR, "wheel", message, path, hint=hint)]
    sha256, size = digest(path)
    announced = WheelRef(file, "", sha256, size)
    try:
        audit_wheel(path, Chosen(name.distribution, name.version, announced), {})
    except WheelRefused as refused:
        return [_finding(path, fault) for fault in refused.faults if not _told(fault)]
    return []


def _finding(path: str, fault: Fault) -> Finding:
    file, line = split_place(fault.path)
    where = f"{path}/{file}" if file else path
    hint = "pkl install refuses such a wheel: build it again without that"
    message = f"{fault.path or os.path.basename(path)} {fault.rule}"
    return Finding(ERROR, "wheel", message, where, line, hint=hint)


def _told(fault: Fault) -> bool:
    """Whether another rule says the same: entry points that cannot be read."""
    return ".dist-info/entry_points.txt:" in fault.path and fault.rule.startswith(
        "must be readable"
    )
