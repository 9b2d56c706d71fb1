"""Warns whoever answers a hook that is on its way out, or asks for an argument that is."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Iterator, Optional, Tuple

from ..errors import DeprecatedHookWarning
from .context import Subject
from .describe import describe, place_of
from .parameters import Taking

if TYPE_CHECKING:
    from .base_hook import BaseHook

__all__ = ["deprecations", "warn_of_deprecated"]


def deprecations(hook: "BaseHook", taking: Optional[Taking]) -> Iterator[Tuple[Optional[str], str]]:
    """What of a hook that a handler uses is deprecated.

    Yields:
        The argument, or None for the hook itself, and what the hook's author says of it.
    """
    if hook.deprecated is not None:
        yield None, hook.deprecated
    if hook.deprecated_arguments:
        used = range(len(hook.declared))
        taken = used if taking is None else {*taking.positions, *(i for _, i in taking.keywords)}
        for at in sorted(taken):
            name = hook.declared[at]
            if name in hook.deprecated_arguments:
                yield name, hook.deprecated_arguments[name]


def warn_of_deprecated(
    hook: "BaseHook", subject: Subject, handler: Any, taking: Optional[Taking]
) -> None:
    """Issues a warning, at the handler's own line, for each deprecated thing that it uses.

    Raises:
        DeprecatedHookWarning: Warnings are errors here.
    """
    for argument, advice in deprecations(hook, taking):
        file, line = place_of(handler)
        plugin = "" if subject.plugin is None else f" of plugin {subject.plugin.name!r}"
        what = "is deprecated" if argument is None else f"passes {argument}, which is deprecated"
        warnings.warn_explicit(
            f"the hook {hook.full_name} {what}: {advice} (handler {describe(handler)}{plugin})",
            DeprecatedHookWarning,
            file or "<unknown>",
            line or 1,
        )
