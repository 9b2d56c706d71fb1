"""What pkl warns of."""

from __future__ import annotations

__all__ = [
    "DeprecatedHookWarning",
    "ModuleReplacedWarning",
    "PklWarning",
    "UndeclaredImportWarning",
]


class PklWarning(UserWarning):
    """The base of every warning pkl issues."""


class UndeclaredImportWarning(PklWarning):
    """A plugin imports another that its manifest does not name."""


class ModuleReplacedWarning(PklWarning):
    """A module that the application had imported is replaced by a plugin's generation.

    Not an ``ImportWarning``: Python hides those unless asked, and this one nobody expects.
    """


class DeprecatedHookWarning(PklWarning, DeprecationWarning):
    """A handler answers a hook that is deprecated, or takes such an argument of one."""
