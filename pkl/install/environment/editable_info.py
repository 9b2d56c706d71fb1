"""What lies in a site for a project that is used in place: what it states, and where it is.

There is no ``.pth`` file and no finder: the generation says which directories go on
``sys.path``, and ``direct_url.json`` (PEP 610) tells whoever looks at the distribution.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, Dict, Mapping, Tuple

from ...errors import UsageError
from ...files import atomic_write
from ...model.manifest import parse_manifest_text
from ..solution import Chosen
from ..wheels.audit import PlacedFile

__all__ = ["write_info"]


def write_info(site: str, chosen: Chosen) -> Tuple[PlacedFile, ...]:
    """Writes the information directory of a project that is used in place, without its RECORD.

    Args:
        site: Where to.
        chosen: The project.

    Returns:
        What was written.

    Raises:
        UsageError: Its ``pyproject.toml`` is not there or cannot be read any more.
        OSError: The system refused something.
    """
    project = _project(chosen.editable)
    name = str(project.get("name") or chosen.name)
    info = f"{chosen.name.replace('-', '_')}-{chosen.version}.dist-info"
    os.mkdir(os.path.join(site, info), 0o755)
    headers = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {chosen.version}\n"]
    summary = project.get("description")
    if isinstance(summary, str) and summary.strip():
        headers.append(f"Summary: {' '.join(summary.split())}\n")
    python = project.get("requires-python")
    if isinstance(python, str):
        headers.append(f"Requires-Python: {' '.join(python.split())}\n")
    headers += [f"Requires-Dist: {each}\n" for each in chosen.requires]
    url = {"url": Path(chosen.editable).as_uri(), "dir_info": {"editable": True}}
    files = {
        "METADATA": "".join(headers),
        "direct_url.json": json.dumps(url, sort_keys=True) + "\n",
        "entry_points.txt": _entry_points(project.get("entry-points")),
    }
    written = []
    for file, text in files.items():
        data = text.encode("utf-8")
        atomic_write(os.path.join(site, info, file), data, mode=0o644, fsync=False)
        digest = hashlib.sha256(data).hexdigest()
        written.append(PlacedFile(f"{info}/{file}", len(data), digest))
    return tuple(written)


def _project(directory: str) -> Mapping[str, Any]:
    file = os.path.join(directory, "pyproject.toml")
    try:
        text = Path(file).read_text("utf-8")
    except (OSError, ValueError) as e:
        raise UsageError(
            f"{file} cannot be read ({getattr(e, 'strerror', None) or e})",
            file=file,
            hint="bring the project back to where it was, or uninstall its plugins",
        ) from None
    found: Dict[str, Any] = parse_manifest_text(text, "toml", file)
    project = found.get("project")
    return project if isinstance(project, dict) else {}


def _entry_points(groups: Any) -> str:
    lines = []
    for group, points in groups.items() if isinstance(groups, dict) else ():
        lines.append(f"[{group}]\n")
        for name, value in points.items() if isinstance(points, dict) else ():
            lines.append(f"{name} = {value}\n")
    return "".join(lines)
