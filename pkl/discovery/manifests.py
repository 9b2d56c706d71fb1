"""Reading the manifest that lies in a package or plugin directory."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, NoReturn, Optional, Sequence

from ..errors import Fault, ManifestError, MissingExtra
from ..model.manifest import parse_manifest_text

__all__ = ["ManifestText", "NeedsExtra", "one_line", "parse_manifest", "refuse_two"]


class ManifestText(NamedTuple):
    """A manifest file as it lies on disk."""

    file: str
    """Its path."""
    data: bytes
    """Its content."""


class NeedsExtra(ManifestError):
    """A manifest is in a format that needs an extra; once that is installed it may be sound."""


def parse_manifest(found: ManifestText) -> Dict[str, Any]:
    """The mapping that the manifest holds, its values not yet checked.

    Raises:
        ManifestError: It is not UTF-8, or not in its format.
        NeedsExtra: Reading it needs an extra that is not installed.
    """
    try:
        text = found.data.decode()
    except UnicodeDecodeError as e:
        line = found.data.count(b"\n", 0, e.start) + 1
        _refuse(found.file, f"0x{found.data[e.start]:02x}", f"must be UTF-8 (line {line} is not)")
    format = found.file.rpartition(".")[2]
    try:
        return parse_manifest_text(text, "yaml" if format == "yml" else format, found.file)
    except MissingExtra as e:
        raise NeedsExtra([Fault("", "", str(e))], file=found.file) from e


def refuse_two(directory: str, names: Sequence[str], plugin: Optional[str] = None) -> NoReturn:
    """Says that a directory holds several manifests.

    Args:
        directory: Its path.
        names: The names of the manifest files.
        plugin: The name of the plugin, where it is known all the same.

    Raises:
        ManifestError: Always.
    """
    listed: List[str] = sorted(names)
    raise ManifestError(
        [Fault("", listed, "must be one file: a plugin has one manifest; delete all but one")],
        plugin=plugin,
        file=directory,
    )


def one_line(message: str) -> str:
    """The text of an error as one line."""
    head, *rest = message.split("\n")
    return f"{head}: {'; '.join(line.strip() for line in rest)}" if rest else head


def _refuse(file: str, value: object, rule: str) -> NoReturn:
    raise ManifestError([Fault("", value, rule)], file=file)
