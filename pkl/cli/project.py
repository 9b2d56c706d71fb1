"""``[tool.pkl]`` of pyproject.toml or pkl.toml: what a directory says of its host."""

from __future__ import annotations

import os
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from ..errors import RequirementError, UsageError
from ..model.manifest import parse_manifest_text
from ..model.requirement import parse_requirement
from ..names import did_you_mean

__all__ = ["Project", "read_project"]

FILES = ("pkl.toml", "pyproject.toml")
"""Where the table may stand; the first that has it counts."""


class Project(NamedTuple):
    """The host that a directory describes; empty where it says nothing."""

    name: Optional[str] = None
    version: Optional[str] = None
    group: Optional[str] = None
    paths: Tuple[str, ...] = ()
    app: Optional[str] = None
    plugins: Optional[Tuple[str, ...]] = None
    """The requirements of the plugins that a lock is to hold; None if it states none."""
    contributions: Optional[Mapping[str, Any]] = None
    """The points of the host: for each a file with its JSON Schema, from the file of this, or True
    for any value."""
    min_age: Optional[str] = None
    """The age that a version must have to be installed, such as ``3d``, unless the option says
    otherwise; as it was written."""
    file: Optional[str] = None
    """The file that was read; None if there is none."""


def read_project(directory: str) -> Project:
    """What the directory says of its host; imports nothing.

    The empty text is the current directory.

    In ``pkl.toml`` the keys may also stand at the top, without ``[tool.pkl]``. Relative paths
    count from the file.

    Raises:
        UsageError: A file cannot be read, or says what makes no sense; every fault is named.
    """
    for name in FILES:
        file = os.path.join(directory, name)
        data = _read(file)
        # Parsing costs more than all else here, and most projects say nothing to pkl.
        if data is None or (b"pkl" not in data and name != "pkl.toml"):
            continue
        table = _table(file, data)
        if table is not None:
            return _checked(file, table)
    return Project()


def _read(file: str) -> Optional[bytes]:
    try:
        with open(file, "rb") as opened:
            return opened.read()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None
    except OSError as e:
        raise UsageError(f"{file} cannot be read: {e.strerror or e}", file=file) from None


def _table(file: str, data: bytes) -> Optional[Mapping[str, Any]]:
    try:
        whole = parse_manifest_text(data.decode(), "toml", file)
    except UnicodeDecodeError:
        raise UsageError(f"{file} is not UTF-8", file=file, hint="save it as UTF-8") from None
    except ValueError as e:
        message = getattr(e, "message", str(e))
        raise UsageError(f"{file} cannot be read\n{message}", file=file) from None
    tool = whole.get("tool")
    table = tool.get("pkl") if isinstance(tool, dict) else None
    if table is None and os.path.basename(file) == "pkl.toml":
        table = whole
    if table is None or isinstance(table, dict):
        return table
    raise UsageError(f"{file}: tool.pkl must be a table", file=file)


def _checked(file: str, table: Mapping[str, Any]) -> Project:
    faults: List[str] = []
    found: Dict[str, Any] = {}
    known = [name.replace("_", "-") for name in Project._fields if name != "file"]
    for key, value in table.items():
        if key not in known:
            meant = did_you_mean(key, known)
            guess = f"; did you mean {meant!r}?" if meant else ""
            faults.append(f"{key!r} is not known{guess} (known: {', '.join(known)})")
        elif key == "paths":
            if isinstance(value, list) and all(isinstance(each, str) for each in value):
                base = os.path.dirname(file)
                found[key] = tuple(os.path.join(base, each) for each in value)
            else:
                faults.append("'paths' must be a list of directories")
        elif key == "plugins":
            found[key] = tuple(_requirements(value, faults))
        elif key == "contributions":
            found[key] = _points(value, faults)
        elif not isinstance(value, str) or not value.strip():
            faults.append(f"{key!r} must be a text that is not empty")
        else:
            found[key.replace("-", "_")] = value
    if faults:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise UsageError(
            f"[tool.pkl] in {file} has {count}\n" + "\n".join(faults),
            file=file,
            hint=f"correct {file}",
        )
    return Project(file=file, **found)


def _requirements(value: Any, faults: List[str]) -> Iterator[str]:
    """The requirements that ``plugins`` lists, each plugin once; what is wrong is noted."""
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        faults.append("'plugins' must be a list of requirements, such as [\"auth>=1.2,<2\"]")
        return
    seen: Dict[str, str] = {}
    for each in value:
        try:
            name = parse_requirement(each).name
        except RequirementError as error:
            faults.append(f"'plugins': {error.message}")
            continue
        if name in seen:
            faults.append(f"'plugins': {each!r} and {seen[name]!r} are about one plugin")
            continue
        seen[name] = each
        yield each


def _points(value: Any, faults: List[str]) -> Mapping[str, Any]:
    if isinstance(value, dict):
        if all(each is True or (isinstance(each, str) and each.strip()) for each in value.values()):
            return value
        faults.append("each of 'contributions' must be a file with a JSON Schema, or true")
    else:
        faults.append("'contributions' must be a table of points, each a file or true")
    return {}
