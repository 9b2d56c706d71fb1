"""Fake installed distributions, written file by file as pip would leave them."""

from __future__ import annotations

import base64
import hashlib
import os
import zipfile
from pathlib import Path
from typing import Dict, Iterable, Mapping, Optional, Union

TRAP = "import os; open(os.environ['PKL_TEST_MARKER'], 'a').write(__name__ + '\\n')\n"
"""Source of a module that leaves a mark when it is imported."""

Content = Union[str, bytes]


def write(path: Path, content: Content) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def install(
    site: Path,
    name: str,
    version: str = "1.0",
    *,
    entry_points: Union[Content, Mapping[str, Mapping[str, str]], None] = None,
    files: Mapping[str, Content] = {},
    metadata: Optional[Content] = None,
    requires: Iterable[str] = (),
    headers: str = "",
    extra: Mapping[str, Content] = {},
    record: bool = True,
) -> Path:
    """Lays out a distribution under ``site`` and returns its ``.dist-info``."""
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    if metadata is None:
        lines = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"]
        lines += [f"Summary: What {name} does\n", headers]
        lines += [f"Requires-Dist: {each}\n" for each in requires]
        metadata = "".join(lines) + "\nA long description\n"
    written: Dict[str, Content] = {f"{info.name}/METADATA": metadata, **files}
    if entry_points is not None:
        if not isinstance(entry_points, (str, bytes)):
            entry_points = "".join(
                f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in points.items())
                for group, points in entry_points.items()
            )
        written[f"{info.name}/entry_points.txt"] = entry_points
    written.update({f"{info.name}/{key}": value for key, value in extra.items()})
    for key, value in written.items():
        write(site / key, value)
    if record:
        lines = [
            f"{key},sha256={digest(site / key)},{len(value)}" for key, value in written.items()
        ]
        write(info / "RECORD", "\n".join([*lines, f"{info.name}/RECORD,,"]) + "\n")
    return info


def digest(path: Path) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).decode().rstrip("=")


def plugin(site: Path, name: str, version: str = "1.0", manifest: str = "", **more: object) -> Path:
    """A distribution with one plugin package of the same name; its modules are traps."""
    package = name.replace("-", "_")
    files: Dict[str, Content] = {f"{package}/__init__.py": TRAP, f"{package}/plugin.py": TRAP}
    if manifest:
        files[f"{package}/plugin.toml"] = manifest
    more.setdefault("entry_points", {"pkl.plugins": {name: package}})
    return install(site, name, version, files=files, **more)  # type: ignore[arg-type]


def zip_up(site: Path, target: Path) -> Path:
    """Packs what lies under ``site`` into a zip archive."""
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(site.rglob("*")):
            if path.is_file():
                archive.write(path, str(path.relative_to(site)).replace(os.sep, "/"))
    return target
