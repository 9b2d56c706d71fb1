"""Where the files of a wheel go: beside each other in one directory, or nowhere."""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Optional, Tuple

from ...errors import Fault
from ...model.requirement import version_key
from ...names import canonical
from .top_levels import module_of, rule_against_module

__all__ = ["SIGNATURES", "Layout", "layout_of"]

SIGNATURES = ("RECORD.jws", "RECORD.p7s")
"""Files that RECORD need not list, as they sign it."""
_SITE = ("purelib", "platlib")
_ELSEWHERE = ("data", "headers", "scripts")
_RUN_AT_START = (".pth", ".start")


class Layout(NamedTuple):
    """Where the files of a wheel go.

    Attributes:
        info: Its ``.dist-info`` directory.
        placed: Where each file goes, below the directory of the generation, by its path in the
            archive.
        scripts: The names of its scripts, which are not installed.
        elsewhere: The other files that would go elsewhere, and are not installed.
    """

    info: str
    placed: Dict[str, str]
    scripts: Tuple[str, ...]
    elsewhere: Tuple[str, ...]


def layout_of(files: List[str], name: str, version: str, faults: List[Fault]) -> Optional[Layout]:
    """Where each file goes.

    Args:
        files: Their paths in the archive.
        name: The name of the distribution, as the name of the wheel states it.
        version: Its version, likewise.
        faults: Takes every file that must not be there.

    Returns:
        None if the wheel has no ``.dist-info`` directory of its own.
    """
    info = _info_of(files, name, version, faults)
    if info is None:
        return None
    stem = info[: -len(".dist-info")]
    placed: Dict[str, str] = {}
    scripts: List[str] = []
    elsewhere: List[str] = []
    for file in files:
        top, _, rest = file.partition("/")
        if not rest or not top.endswith(".data"):
            placed[file] = file
            continue
        scheme, _, path = rest.partition("/")
        if top != f"{stem}.data":
            faults.append(Fault(file, top, f"must be in {stem}.data, if it is to go elsewhere"))
        elif scheme in _SITE and path:
            placed[file] = path
        elif scheme == "scripts" and path:
            scripts.append(path)
        elif scheme in _ELSEWHERE and path:
            elsewhere.append(file)
            if path.endswith(_RUN_AT_START):
                faults.append(Fault(file, path, _START_RULE))
        else:
            rule = "must be one of purelib, platlib, scripts, data and headers"
            faults.append(Fault(file, scheme, rule))
    for file, path in placed.items():
        rule = _rule_against(path, info)
        if rule:
            faults.append(Fault(file, path, rule))
    return Layout(info, placed, tuple(scripts), tuple(elsewhere))


_START_RULE = "must not be there: Python would run its lines at every start"


def _info_of(files: List[str], name: str, version: str, faults: List[Fault]) -> Optional[str]:
    """Its own information directory; those of others are faults."""
    found = dict.fromkeys(
        top for top, slash, _ in (file.partition("/") for file in files) if _is_info(top, slash)
    )
    own = [each for each in found if _is_of(each, name, version)]
    for each in found:
        if each not in own:
            rule = f"must not be there: it is that of another distribution than {name} {version}"
            faults.append(Fault(f"{each}/", each, rule))
    if len(own) > 1:
        faults.append(Fault(f"{own[1]}/", own[1], f"must not be there beside {own[0]}/"))
    elif not own:
        rule = f"must be there, named for {name} {version}"
        faults.append(Fault("*.dist-info/", None, rule))
    return own[0] if len(own) == 1 else None


def _is_info(top: str, slash: str) -> bool:
    return bool(slash) and top.lower().endswith((".dist-info", ".egg-info"))


def _is_of(info: str, name: str, version: str) -> bool:
    stem, _, kind = info.rpartition(".")
    stated, dash, its = stem.rpartition("-")
    return (
        kind == "dist-info"
        and bool(dash)
        and canonical(stated) == name
        and version_key(its.replace("_", "+", 1)) == version_key(version)
    )


def _rule_against(path: str, info: str) -> str:
    """The rule that a file breaks by where it goes."""
    top, slash, _ = path.partition("/")
    if not slash and top.lower().endswith(_RUN_AT_START):
        return _START_RULE
    if top.lower().endswith((".dist-info", ".egg-info", ".data")) and top != info:
        return "must not be there: it would count as another distribution"
    if path == f"{info}/direct_url.json":
        return "must not be there: it says where an installation is from, and is the installer's"
    if not slash and top.lower().endswith(".egg-link"):
        return "must not be there: it stands for code that lies elsewhere"
    return rule_against_module(module_of(top)) if module_of(top) else ""
