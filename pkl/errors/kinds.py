"""One class for each kind of fault."""

from __future__ import annotations

from typing import Any, Optional, Sequence, Tuple

from .base import Fault, GatheredError, PklError, shown

__all__ = [
    "ApplicationError",
    "CleanupError",
    "ConflictError",
    "DiscoveryError",
    "HostClosed",
    "HostNotFound",
    "InUse",
    "InvalidTransition",
    "LockReentered",
    "LockTimeout",
    "ManifestError",
    "MissingExtra",
    "MissingTool",
    "NameRefused",
    "NoCurrentPlugin",
    "NotPermitted",
    "PathError",
    "PluginBlocked",
    "PluginEnableError",
    "PluginHung",
    "PluginLoadError",
    "PluginNotFound",
    "PluginNotRunning",
    "PluginStageError",
    "PluginStopping",
    "RequirementError",
    "RestartRequired",
    "SettingsError",
    "StateCorrupt",
    "StateNewer",
    "StateUnavailable",
    "StopTimeout",
    "TransitionDeadlock",
    "TransitionTimeout",
    "UndeclaredImport",
    "UsageError",
    "WorkDeadlock",
]


class ManifestError(PklError, ValueError):
    """A manifest breaks the rules; ``faults`` holds every fault, not only the first."""

    code = "E_MANIFEST"
    exit_status = 5

    def __init__(
        self,
        faults: Sequence[Fault],
        *,
        plugin: Optional[str] = None,
        version: Optional[str] = None,
        distribution: Optional[str] = None,
        file: Optional[str] = None,
        critical: bool = False,
    ) -> None:
        self.faults: Tuple[Fault, ...] = tuple(faults)
        self.critical = critical
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        whose = f" of plugin {plugin!r}" if plugin else ""
        where = f" ({file})" if file else ""
        lines = [f"the manifest{whose} has {count}{where}"]
        lines += [f"  {fault}" for fault in self.faults]
        super().__init__(
            "\n".join(lines),
            plugin=plugin,
            version=version,
            distribution=distribution,
            file=file,
            hint=f"correct the manifest, then run: pkl check {file}" if file else "",
            faults=[{"path": f.path, "value": shown(f.value), "rule": f.rule} for f in self.faults],
        )


class RequirementError(PklError, ValueError):
    """A requirement string is not valid PEP 508 over plugin names."""

    code = "E_REQUIREMENT"
    exit_status = 5


class NameRefused(PklError, ValueError):
    """A name is malformed, or already taken by something else."""

    code = "E_NAME"
    exit_status = 5


class DiscoveryError(PklError, ImportError):
    """A source of candidates could not be read as asked."""

    code = "E_DISCOVERY"
    exit_status = 5


class PluginNotFound(PklError, LookupError, ImportError):
    """No plugin of that name is known to the host or in its sources."""

    code = "E_NO_PLUGIN"
    exit_status = 4


class PathError(PklError, FileNotFoundError):
    """The path given holds no plugin."""

    code = "E_PATH"
    exit_status = 4


class PluginBlocked(PklError, ImportError, RuntimeError):
    """Something the plugin needs is missing, unsatisfied, cyclic or not running.

    ``reason_code`` is the code of the plugin's ``reason``, such as ``missing``,
    ``unsatisfied``, ``cycle``, ``collision``, ``masked`` or ``requirement-failed``.
    """

    code = "E_BLOCKED"
    exit_status = 5

    def __init__(self, message: str, *, reason_code: str = "blocked", **fields: Any) -> None:
        super().__init__(message, reason=reason_code, **fields)
        self.reason_code = reason_code


class PluginStageError(PklError):
    """A plugin failed at a stage of its start; ``__cause__`` is what it raised.

    Attributes:
        cleanup: What cleaning up after it raised, if anything.
    """

    code = "E_STAGE"
    exit_status = 9
    cleanup: Tuple[BaseException, ...] = ()


class PluginLoadError(PluginStageError, ImportError):
    """Importing a plugin's code failed; ``__cause__`` is what it raised."""

    code = "E_LOAD"
    exit_status = 9


class PluginEnableError(PluginStageError, RuntimeError):
    """A plugin failed while it was being enabled; ``__cause__`` is what it raised."""

    code = "E_ENABLE"
    exit_status = 9


class PluginCrashed(PluginStageError, RuntimeError):
    """A plugin failed while it was running; ``__cause__`` is what it, or the host, said of it."""

    code = "E_CRASHED"
    exit_status = 9


class RestartRequired(PklError, ImportError):
    """The plugin's code cannot be loaded a second time in this process."""

    code = "E_RESTART"
    exit_status = 9


class PluginNotRunning(PklError, ImportError, RuntimeError):
    """A plugin was called or imported that is not running; the text says why."""

    code = "E_NOT_RUNNING"
    exit_status = 9


class NoCurrentPlugin(PklError, RuntimeError):
    """Something that needs a current plugin was used outside of one."""

    code = "E_NO_CURRENT"
    exit_status = 2


class NotPermitted(PklError, PermissionError, RuntimeError):
    """The caller may not do this to that plugin or event."""

    code = "E_NOT_PERMITTED"
    exit_status = 8


class UndeclaredImport(PklError, ImportError):
    """In a strict host: a plugin imported one that its manifest does not name."""

    code = "E_UNDECLARED"
    exit_status = 5


class ConflictError(PklError, RuntimeError):
    """The plugin conflicts with one that is running."""

    code = "E_CONFLICT"
    exit_status = 5


class InUse(PklError, RuntimeError):
    """Others depend on what was to be stopped; ``details["dependants"]`` lists them."""

    code = "E_IN_USE"
    exit_status = 7


class InvalidTransition(PklError, RuntimeError):
    """The plugin cannot go from its state to the one asked for."""

    code = "E_STATE"
    exit_status = 5


class TransitionDeadlock(PklError, RuntimeError):
    """Waiting for this transition would wait for oneself."""

    code = "E_DEADLOCK"
    exit_status = 70


class TransitionTimeout(PklError, TimeoutError):
    """Another thread or task did not finish its transition of the plugin in time."""

    code = "E_BUSY"
    exit_status = 9


class StopTimeout(PklError, TimeoutError):
    """Calls, threads or tasks of a plugin outlived its deadline; the text names them."""

    code = "E_STOP_TIMEOUT"
    exit_status = 9


class PluginHung(PklError, TimeoutError):
    """A call of a plugin did not return in time, so that the plugin was given up."""

    code = "E_HUNG"
    exit_status = 9


class PluginStopping(PklError, RuntimeError):
    """What runs here is to end, because its plugin stops; raised by ``StopToken``."""

    code = "E_STOPPING"
    exit_status = 9


class WorkDeadlock(PklError, RuntimeError):
    """Waiting for this task, thread or function would wait for oneself."""

    code = "E_WORK_DEADLOCK"
    exit_status = 70


class HostClosed(PklError, RuntimeError):
    """The host is closed."""

    code = "E_HOST_CLOSED"
    exit_status = 70


class MissingExtra(PklError, ImportError):
    """An optional dependency is not installed; the hint names the command to install it."""

    code = "E_EXTRA"
    exit_status = 69

    def __init__(self, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the extra {extra!r}, which is not installed",
            hint=f'pip install "pkl[{extra}]"',
            extra=extra,
        )


class MissingTool(PklError, FileNotFoundError):
    """A program that was asked for is not on the PATH; the hint says what else would do."""

    code = "E_TOOL"
    exit_status = 69


class LockTimeout(PklError, TimeoutError):
    """Another process holds a file lock; the text names it where that is known."""

    code = "E_LOCKED"
    exit_status = 7


class LockReentered(PklError, RuntimeError):
    """A file lock was asked for by who holds it already; waiting would never end."""

    code = "E_LOCK_REENTERED"
    exit_status = 70


class StateCorrupt(PklError, ValueError):
    """A host's state file is damaged; ``faults`` holds every fault, ``details`` where it went.

    ``details["aside"]`` is where the file was set aside, or None if it is still in its place.
    """

    code = "E_STATE_CORRUPT"
    exit_status = 5

    def __init__(
        self, message: str, faults: Sequence[Fault], *, aside: Optional[str] = None, **fields: Any
    ) -> None:
        self.faults: Tuple[Fault, ...] = tuple(faults)
        self.aside = aside
        listed = [{"path": f.path, "value": shown(f.value), "rule": f.rule} for f in self.faults]
        super().__init__(message, aside=aside, faults=listed, **fields)


class StateNewer(PklError, RuntimeError):
    """A host's state was written by a later version of pkl: it is read, but not changed."""

    code = "E_STATE_NEWER"
    exit_status = 5


class StateUnavailable(PklError, OSError):
    """A host's state cannot be read or written; nothing was changed."""

    code = "E_STATE_UNAVAILABLE"
    exit_status = 8


class SettingsError(PklError, ValueError):
    """Settings of a plugin break its schema; ``faults`` holds every fault with its source."""

    code = "E_SETTINGS"
    exit_status = 5

    def __init__(self, plugin: str, faults: Sequence[Fault], **fields: Any) -> None:
        self.faults: Tuple[Fault, ...] = tuple(faults)
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        listed = [{"path": f.path, "value": shown(f.value), "rule": f.rule} for f in self.faults]
        super().__init__(
            "\n  ".join([f"the settings of {plugin} have {count}", *map(_setting, self.faults)]),
            plugin=plugin,
            hint=f"pkl config {plugin} shows them; pkl config {plugin} set KEY VALUE changes one",
            faults=listed,
            **fields,
        )


def _setting(fault: Fault) -> str:
    if fault.value is None and not fault.path:
        return fault.rule
    return f"{fault.path or '(all of them)'} = {shown(fault.value)}: {fault.rule}"


class HostNotFound(PklError, LookupError):
    """No host of that name has ever started here, and nothing else says what it is."""

    code = "E_NO_HOST"
    exit_status = 3


class UsageError(PklError, ValueError):
    """The command line or a configuration file asks for something that makes no sense."""

    code = "E_USAGE"
    exit_status = 2


class ApplicationError(UsageError, ImportError):
    """The application that ``--app`` names cannot be imported, or there is no host in it."""

    code = "E_APP"
    exit_status = 2


class CleanupError(GatheredError, RuntimeError):
    """Failures while stopping plugins, gathered; the plugins are stopped all the same."""

    code = "E_CLEANUP"
    exit_status = 9
