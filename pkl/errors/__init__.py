"""Every error pkl raises: one class for each kind of fault.

An error carries fields and its text is made of them: what happened, to which
plugin, why, and what to do next. Each class also inherits the built-in that a
Python programmer would expect, so ``except ImportError`` and friends keep
working. ``code`` is stable, ``exit_status`` is what the command line exits
with (see ``docs/errors.md``).
"""

from __future__ import annotations

from .base import Fault, PklError
from .kinds import (
    ApplicationError,
    CleanupError,
    ConflictError,
    DiscoveryError,
    HandlerErrors,
    HandlerRefused,
    HostClosed,
    HostNotFound,
    InUse,
    InvalidTransition,
    LockReentered,
    LockTimeout,
    ManifestError,
    MissingExtra,
    MissingTool,
    NameRefused,
    NoCurrentPlugin,
    NotPermitted,
    PathError,
    PluginBlocked,
    PluginEnableError,
    PluginLoadError,
    PluginNotFound,
    PluginNotRunning,
    PluginStageError,
    RequirementError,
    RestartRequired,
    StateCorrupt,
    StateNewer,
    StateUnavailable,
    StopTimeout,
    TransitionDeadlock,
    TransitionTimeout,
    UndeclaredImport,
    UsageError,
)
from .warnings import ModuleReplacedWarning, PklWarning, UndeclaredImportWarning

__all__ = [
    "ApplicationError",
    "CleanupError",
    "ConflictError",
    "DiscoveryError",
    "Fault",
    "HandlerErrors",
    "HandlerRefused",
    "HostClosed",
    "HostNotFound",
    "InUse",
    "InvalidTransition",
    "LockReentered",
    "LockTimeout",
    "ManifestError",
    "MissingExtra",
    "MissingTool",
    "ModuleReplacedWarning",
    "NameRefused",
    "NoCurrentPlugin",
    "NotPermitted",
    "PathError",
    "PklError",
    "PklWarning",
    "PluginBlocked",
    "PluginEnableError",
    "PluginLoadError",
    "PluginNotFound",
    "PluginNotRunning",
    "PluginStageError",
    "RequirementError",
    "RestartRequired",
    "StateCorrupt",
    "StateNewer",
    "StateUnavailable",
    "StopTimeout",
    "TransitionDeadlock",
    "TransitionTimeout",
    "UndeclaredImport",
    "UndeclaredImportWarning",
    "UsageError",
]
