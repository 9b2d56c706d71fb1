"""Taking values out of the JSON of a registry, with every fault gathered."""

from __future__ import annotations

import re
from typing import Any, Dict, Mapping, Optional, Sequence

from ..errors import Fault, RegistryGarbage
from ..model.checking import Checker, dotted
from ..model.strict_json import decode_json, why_no_json
from ..names import canonical, is_valid
from .moments import parse_moment

__all__ = ["Reader"]

_MAX_NUMBER = 2**53 - 1
_MAX_NAME = 200
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MOMENT_RULE = "must be a moment such as 2027-01-31T12:00:00Z"


class Reader(Checker):
    """Takes values out of tables and gathers what is wrong; ``done`` refuses the whole."""

    __slots__ = ("_registry", "_url", "_what")

    def __init__(self, what: str, url: str, registry: Optional[str]) -> None:
        super().__init__(fold=True)
        self._what = what
        self._url = url
        self._registry = registry

    def whole(self, data: bytes, schema: str) -> Dict[str, Any]:
        """The object that the bytes say.

        Raises:
            RegistryGarbage: They say none, or one of another kind.
        """
        found = self.loaded(data)
        if found.get("schema") != schema:
            stated = found.get("schema")
            rule = f"must be {schema!r}"
            if isinstance(stated, str) and stated.startswith(schema.partition("/")[0] + "/"):
                rule += "; if it was written for a later version, upgrade pkl"
            self.fault("schema", stated, rule)
            raise self._refused()
        return found

    def loaded(self, data: bytes) -> Dict[str, Any]:
        """The object that the bytes say, of whatever kind.

        Raises:
            RegistryGarbage: They say none.
        """
        if data.lstrip()[:1] == b"<":
            raise self._garbage(
                "is a page of HTML, such as a network's login page",
                hint="open the address in a browser; log in to the network, or correct the address",
            )
        try:
            found = decode_json(data)
        except (ValueError, RecursionError) as e:
            head = data[:40].decode("utf-8", "replace")
            self.fault("", head, why_no_json(e))
            raise self._refused() from None
        if not isinstance(found, dict):
            self.fault("", found, "must be a JSON object")
            raise self._refused()
        return dict(found)

    def done(self) -> None:
        """Refuses the whole if anything was wrong.

        Raises:
            RegistryGarbage: With every fault.
        """
        if self.faults:
            raise self._refused()

    def _refused(self) -> RegistryGarbage:
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        lines = [f"is damaged ({count})"]
        lines += [f"  {fault}" for fault in self.faults[:10]]
        if len(self.faults) > 10:
            lines.append(f"  and {len(self.faults) - 10} more")
        return self._garbage(
            "\n".join(lines),
            hint="whoever runs the registry builds it anew with: pkl registry build",
            faults=self.faults,
        )

    def _garbage(self, text: str, hint: str, faults: Sequence[Fault] = ()) -> RegistryGarbage:
        where = f" {self._url}" if self._url else ""
        return RegistryGarbage(
            f"{self._what}{where} {text}",
            faults=faults,
            url=self._url or None,
            registry=self._registry,
            hint=hint,
        )

    def table(self, whole: Mapping[str, Any], path: str, key: str) -> Dict[str, Any]:
        """The object at a key."""
        found = whole.get(key)
        if isinstance(found, dict):
            return found
        self.fault(dotted(path, key), found, "must be an object")
        return {}

    def number(self, whole: Mapping[str, Any], key: str, least: int, path: str = "") -> int:
        """The whole number at a key."""
        found = whole.get(key)
        if isinstance(found, int) and not isinstance(found, bool) and least <= found <= _MAX_NUMBER:
            return found
        self.fault(dotted(path, key), found, f"must be a whole number from {least} on")
        return 0

    def digest(self, whole: Mapping[str, Any], path: str, key: str) -> str:
        """The SHA-256 at a key."""
        found = whole.get(key)
        if isinstance(found, str) and _DIGEST.fullmatch(found):
            return found
        self.fault(dotted(path, key), found, "must be a SHA-256 of 64 small hex digits")
        return ""

    def moment(
        self, whole: Mapping[str, Any], path: str, key: str, *, needed: bool = True
    ) -> Optional[int]:
        """The moment at a key."""
        found = whole.get(key)
        if found is None and not needed:
            return None
        moment = parse_moment(found) if isinstance(found, str) else None
        if moment is None:
            self.fault(dotted(path, key), found, _MOMENT_RULE)
        return moment

    def name(self, whole: Mapping[str, Any], path: str, key: str) -> str:
        """The name of a distribution at a key, as it spells itself."""
        found = whole.get(key)
        if isinstance(found, str) and is_valid(found) and len(found) <= _MAX_NAME:
            return found
        self.fault(dotted(path, key), found, "must be the name of a distribution")
        return ""

    def is_name(self, path: str, name: str) -> bool:
        """Whether a key is the name of a plugin in its canonical form, and so no path."""
        if is_valid(name) and len(name) <= _MAX_NAME and canonical(name) == name:
            return True
        rule = "must be the name of a plugin, in small letters and with single hyphens"
        self.fault(path, name, rule)
        return False

    def line(self, whole: Mapping[str, Any], path: str, key: str) -> str:
        """The text at a key, which may be empty."""
        found = whole.get(key)
        if found == "":
            return ""
        return self.text(dotted(path, key), found, "one line of text") or ""
