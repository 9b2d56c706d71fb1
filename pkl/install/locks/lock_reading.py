"""The text of a lock to values; it is taken as a whole or not at all, and nothing in it is trusted.

That it is a lock at all is for ``packaging`` to say (PEP 751); here is what pkl needs beyond that,
and what it does not take from any lock: a path out of its directory, a URL that is no registry's,
a wheel without a SHA-256.
"""

from __future__ import annotations

import os
import re
from hashlib import sha256
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple

from packaging.pylock import (
    Package,
    PackageWheel,
    Pylock,
    PylockUnsupportedVersionError,
    PylockValidationError,
)

from ...errors import Fault, LockInvalid, ManifestError, RequirementError
from ...files import read_text_utf8
from ...model.checking import dotted
from ...model.manifest import PluginMetadata, parse_manifest_text
from ...model.requirement import parse_requirement
from ...registry.address import file_of
from ...registry.wheel_name import parse_wheel_name
from ..solution import Chosen, WheelRef
from ..wanted import Root, RootKind
from .lock import SCHEMA, Consents, Lock, LockedRegistry, file_url, is_consent
from .lock_fields import LockFields

__all__ = ["parse_lock", "read_lock"]

MAX_LOCK = 16 * 1024 * 1024
"""The largest lock that is read, in bytes."""

_RENEW = "make it anew: pkl lock"


def read_lock(path: str) -> Optional[Lock]:
    """The lock in a file; None if there is no such file.

    Args:
        path: The file.

    Raises:
        LockInvalid: It cannot be read, or is no lock of pkl's; with every fault that was found.
    """
    path = os.path.abspath(path)
    try:
        text = read_text_utf8(path, limit=MAX_LOCK)
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise _invalid(path, [Fault("", "", "must be UTF-8")]) from None
    except ValueError:
        rule = f"must not have more than {MAX_LOCK} bytes"
        raise _invalid(path, [Fault("", "", rule)]) from None
    except OSError as e:
        raise LockInvalid(
            f"the lock {path} cannot be read: {e.strerror or e}",
            file=path,
            hint="see to it that you may read it, or name another with --lock FILE",
        ) from None
    return parse_lock(text, path)


def parse_lock(text: str, path: str) -> Lock:
    """What the text of a lock says.

    Args:
        text: The text.
        path: The file that it is of, absolute; paths in it count from there.

    Raises:
        LockInvalid: It is no lock of pkl's; with every fault that was found.
    """
    try:
        document = parse_manifest_text(text, "toml", path, limit=MAX_LOCK)
    except ManifestError as e:
        raise _invalid(path, e.faults) from None
    lock = _checked(document, path)
    fields = LockFields(os.path.dirname(path))
    reading = _Reading(fields, document)
    packages = reading.packages(lock.packages)
    own = reading.own()
    if fields.faults:
        raise _invalid(path, fields.faults)
    digest = sha256(text.encode()).hexdigest()
    return Lock(path, digest, packages=packages, document=document, **own)


def _checked(document: Mapping[str, Any], path: str) -> Pylock:
    """The lock as ``packaging`` understands it."""
    try:
        lock = Pylock.from_dict(document)
    except PylockUnsupportedVersionError:
        version = document.get("lock-version")
        rule = "must be 1.0, the version of PEP 751 that pkl knows; upgrade pkl to read it"
        raise _invalid(path, [Fault("lock-version", version, rule)]) from None
    except PylockValidationError as e:
        where = e.context or ""
        found = _at(document, where)
        raise _invalid(path, [Fault(where, found, f"breaks PEP 751: {e.message}")]) from None
    except RecursionError:
        raise _invalid(path, [Fault("", "", "is nested too deeply")]) from None
    tool = document.get("tool")
    if not isinstance(tool, dict) or not isinstance(tool.get("pkl"), dict):
        raise LockInvalid(
            f"{path} is a lock, but not one of pkl: it has no table [tool.pkl], which says for "
            "which host it is",
            file=path,
            hint=f"install it as it is with: uv pip sync {os.path.basename(path)}; or name another "
            "file with --lock FILE",
        )
    return lock


def _at(document: Any, where: str) -> Any:
    """What stands at a dotted path, as far as it leads; of a table, its name."""
    for part in re.findall(r"[^.\[\]]+", where):
        try:
            document = document[int(part) if isinstance(document, list) else part]
        except (KeyError, IndexError, TypeError, ValueError):
            return None
    return document.get("name", document) if isinstance(document, dict) else document


def _invalid(path: str, faults: Sequence[Fault]) -> LockInvalid:
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    lines = [f"the lock {path} cannot be used ({count})"]
    lines += [f"  {fault}" for fault in faults[:10]]
    if len(faults) > 10:
        lines.append(f"  and {len(faults) - 10} more")
    return LockInvalid("\n".join(lines), faults=faults, file=path, hint=_RENEW)


class _Reading:
    """One lock that is being read."""

    def __init__(self, fields: LockFields, document: Mapping[str, Any]) -> None:
        self._fields = fields
        self._document = document

    # The packages.

    def packages(self, packages: Sequence[Package]) -> Tuple[Chosen, ...]:
        """Every distribution."""
        found = []
        seen: Dict[str, str] = {}
        for index, package in enumerate(packages):
            path = f"packages[{index}]"
            found.append(self._package(path, self._document["packages"][index], package))
            for plugin in found[-1].plugins:
                if package.marker is None and seen.setdefault(plugin.name, path) != path:
                    rule = f"{seen[plugin.name]} has a plugin of this name, too"
                    self._fields.fault(f"{path}.tool.pkl.plugins", plugin.name, rule)
        return tuple(found)

    def _package(self, path: str, row: Mapping[str, Any], package: Package) -> Chosen:
        own = self._fields.table(dotted(path, "tool"), row.get("tool", {}))
        where = f"{path}.tool.pkl"
        own = self._fields.table(where, own.get("pkl", {}))
        version = row.get("version", "")
        editable = ""
        wheels: Tuple[WheelRef, ...] = ()
        directory = package.directory
        if directory is not None and directory.editable and not directory.subdirectory:
            editable = self._fields.place(f"{path}.directory.path", directory.path) or ""
            version = self._fields.line(where, own, "version") or "0"
        elif not package.wheels:
            rule = "must have wheels: pkl builds nothing, for that would run its code"
            self._fields.fault(path, package.name, rule)
        else:
            wheels = tuple(
                self._wheel(f"{path}.wheels[{i}]", wheel) for i, wheel in enumerate(package.wheels)
            )
            if package.version is None:
                self._fields.fault(path, package.name, "must state its version")
        requires = self._fields.texts(where, own, "requires")
        plugins = self._plugins(f"{where}.plugins", own.get("plugins", []), package.name)
        registry = self._fields.word(where, own, "registry")
        signer = self._fields.word(where, own, "signer")
        return Chosen(
            package.name, version, None, wheels, requires, registry, signer, plugins, editable
        )

    def _wheel(self, path: str, wheel: PackageWheel) -> WheelRef:
        if parse_wheel_name(wheel.filename) is None:
            self._fields.fault(f"{path}.name", wheel.filename, "must be the name of a wheel")
        digest = self._fields.digest(f"{path}.hashes.sha256", wheel.hashes.get("sha256"))
        url = ""
        if wheel.path is not None:
            place = self._fields.place(f"{path}.path", wheel.path)
            url = file_url(place) if place is not None else ""
        elif wheel.url is not None:
            url = self._fields.url(f"{path}.url", wheel.url)
        if wheel.size is not None and wheel.size < 0:
            self._fields.fault(f"{path}.size", wheel.size, "must be a number of bytes, 0 or more")
        uploaded = None
        if wheel.upload_time is not None:
            uploaded = self._fields.moment(f"{path}.upload-time", wheel.upload_time)
        return WheelRef(wheel.filename, url, digest, wheel.size, uploaded)

    def _plugins(self, path: str, rows: Any, distribution: str) -> Tuple[PluginMetadata, ...]:
        found: Dict[str, PluginMetadata] = {}
        for index, row in enumerate(self._fields.list(path, rows)):
            where = f"{path}[{index}]"
            try:
                plugin = PluginMetadata(row, distribution=distribution)
            except ManifestError as e:
                for fault in e.faults:
                    below = f"{where}.{fault.path}" if fault.path else where
                    self._fields.faults.append(fault._replace(path=below))
                continue
            if plugin.name in found:
                self._fields.fault(f"{where}.name", plugin.name, "must be there only once")
            found[plugin.name] = plugin
        return tuple(found.values())

    # [tool.pkl].

    def own(self) -> Dict[str, Any]:
        """What ``[tool.pkl]`` says, as the keywords of ``Lock``."""
        table = self._document["tool"]["pkl"]
        schema = table.get("schema")
        if schema != SCHEMA or isinstance(schema, bool):
            rule = f"must be {SCHEMA}; if it was written for a later version, upgrade pkl"
            self._fields.fault("tool.pkl.schema", schema, rule)
            return {}
        roots = self._fields.list("tool.pkl.roots", table.get("roots", []))
        registries = self._fields.list("tool.pkl.registries", table.get("registries", []))
        own: Dict[str, Any] = {
            "host": self._fields.line("tool.pkl", table, "host") or "",
            "group": self._fields.line("tool.pkl", table, "group") or "",
            "order": self._fields.texts("tool.pkl", table, "order"),
            "roots": tuple(self._root(f"tool.pkl.roots[{i}]", row) for i, row in enumerate(roots)),
            "registries": tuple(
                self._registry(f"tool.pkl.registries[{i}]", row) for i, row in enumerate(registries)
            ),
            "consents": self._consents(table.get("consents", {})),
        }
        self._fields.once("tool.pkl.roots", [root.name for root in own["roots"]])
        self._fields.once("tool.pkl.registries", [each.name for each in own["registries"]])
        return own

    def _root(self, path: str, row: Any) -> Root:
        row = self._fields.table(path, row)
        name = self._fields.name(f"{path}.name", row.get("name"))
        requirement = self._fields.line(path, row, "requirement") or ""
        try:
            if requirement and parse_requirement(requirement).name != name:
                self._fields.fault(f"{path}.requirement", requirement, f"must be one of {name}")
        except RequirementError as e:
            rule = f"must be a requirement (PEP 508): {e.details['reason']}"
            self._fields.fault(f"{path}.requirement", requirement, rule)
        kinds = {str(each): each for each in RootKind}
        word = row.get("kind", str(RootKind.REGISTRY))
        kind = kinds.get(word) if isinstance(word, str) else None
        if kind is None:
            self._fields.fault(f"{path}.kind", word, f"must be {', '.join(kinds)}")
        place = row.get("path", "")
        if kind in (RootKind.WHEEL, RootKind.EDITABLE):
            place = self._file(f"{path}.path", place, kind)
        elif place != "":
            self._fields.fault(f"{path}.path", place, "must not be there: it is from a registry")
        registry = self._fields.word(path, row, "registry")
        return Root(name, requirement, kind or RootKind.REGISTRY, place or "", registry)

    def _file(self, path: str, value: Any, kind: RootKind) -> Optional[str]:
        """The file of a root; a wheel may lie elsewhere on this machine, as its URL says."""
        if kind is RootKind.WHEEL and isinstance(value, str) and value.startswith("file://"):
            url = self._fields.url(path, value)
            return file_of(url) if url else None
        return self._fields.place(path, value)

    def _registry(self, path: str, row: Any) -> LockedRegistry:
        row = self._fields.table(path, row)
        name = self._fields.name(f"{path}.name", row.get("name"))
        url = row.get("url")
        url = self._fields.url(f"{path}.url", url if isinstance(url, str) else "")
        serial = self._fields.number(path, row, "serial")
        digest = self._fields.digest(f"{path}.digest", row["digest"]) if "digest" in row else ""
        return LockedRegistry(name, url, self._fields.texts(path, row, "keys"), serial, digest)

    def _consents(self, value: Any) -> Consents:
        found: Dict[str, Mapping[str, Any]] = {}
        for name, row in self._fields.table("tool.pkl.consents", value).items():
            path = dotted("tool.pkl.consents", name)
            kept: Dict[str, Any] = {}
            for key, each in self._fields.table(path, row).items():
                if is_consent(each):
                    kept[key] = each
                else:
                    rule = "must be true, a number, a text or a list of texts"
                    self._fields.fault(dotted(path, key), each, rule)
            found[self._fields.name(path, name)] = kept
        return found
