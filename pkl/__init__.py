"""pkl is a plugin kernel: plugins start in order, have their own context, and are taken back whole.

The names below are imported when they are first used, so that ``import pkl`` alone costs next to
nothing, starts nothing and creates no host. ``pkl.this`` is the current plugin, found anew at each
access; that is why ``__all__`` leaves it out.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # type checkers know the name; importing typing would be most of the cost

if TYPE_CHECKING:
    from typing import Any

    from .errors import ApplicationError as ApplicationError
    from .errors import BackendFailed as BackendFailed
    from .errors import CapabilityNotProvided as CapabilityNotProvided
    from .errors import CleanupError as CleanupError
    from .errors import ConflictError as ConflictError
    from .errors import DeprecatedHookWarning as DeprecatedHookWarning
    from .errors import DiscoveryError as DiscoveryError
    from .errors import Fault as Fault
    from .errors import GenerationDamaged as GenerationDamaged
    from .errors import GenerationMissing as GenerationMissing
    from .errors import GenerationUnwritable as GenerationUnwritable
    from .errors import HandlerErrors as HandlerErrors
    from .errors import HandlerRefused as HandlerRefused
    from .errors import HostClosed as HostClosed
    from .errors import HostNotFound as HostNotFound
    from .errors import InUse as InUse
    from .errors import InvalidTransition as InvalidTransition
    from .errors import LockInvalid as LockInvalid
    from .errors import LockReentered as LockReentered
    from .errors import LockStale as LockStale
    from .errors import LockTimeout as LockTimeout
    from .errors import ManifestError as ManifestError
    from .errors import MissingExtra as MissingExtra
    from .errors import MissingTool as MissingTool
    from .errors import ModuleReplacedWarning as ModuleReplacedWarning
    from .errors import NameRefused as NameRefused
    from .errors import NoCurrentPlugin as NoCurrentPlugin
    from .errors import NoSolution as NoSolution
    from .errors import NotPermitted as NotPermitted
    from .errors import PathError as PathError
    from .errors import PklError as PklError
    from .errors import PklWarning as PklWarning
    from .errors import PluginBlocked as PluginBlocked
    from .errors import PluginCrashed as PluginCrashed
    from .errors import PluginEnableError as PluginEnableError
    from .errors import PluginHung as PluginHung
    from .errors import PluginLoadError as PluginLoadError
    from .errors import PluginNotFound as PluginNotFound
    from .errors import PluginNotRunning as PluginNotRunning
    from .errors import PluginStageError as PluginStageError
    from .errors import PluginStopping as PluginStopping
    from .errors import PointNotFound as PointNotFound
    from .errors import PointRefused as PointRefused
    from .errors import RegistryAbsent as RegistryAbsent
    from .errors import RegistryDenied as RegistryDenied
    from .errors import RegistryError as RegistryError
    from .errors import RegistryExpired as RegistryExpired
    from .errors import RegistryGarbage as RegistryGarbage
    from .errors import RegistryRolledBack as RegistryRolledBack
    from .errors import RegistryUnreachable as RegistryUnreachable
    from .errors import RequirementError as RequirementError
    from .errors import RestartRequired as RestartRequired
    from .errors import ServiceRefused as ServiceRefused
    from .errors import ServiceUnavailable as ServiceUnavailable
    from .errors import SettingsError as SettingsError
    from .errors import SignatureRefused as SignatureRefused
    from .errors import StateCorrupt as StateCorrupt
    from .errors import StateNewer as StateNewer
    from .errors import StateUnavailable as StateUnavailable
    from .errors import StopTimeout as StopTimeout
    from .errors import TransitionDeadlock as TransitionDeadlock
    from .errors import TransitionTimeout as TransitionTimeout
    from .errors import UndeclaredImport as UndeclaredImport
    from .errors import UndeclaredImportWarning as UndeclaredImportWarning
    from .errors import UpdateHeld as UpdateHeld
    from .errors import UsageError as UsageError
    from .errors import WheelRefused as WheelRefused
    from .errors import WorkDeadlock as WorkDeadlock
    from .errors import WrapperFault as WrapperFault
    from .host import PluginHost as PluginHost
    from .host import StartReport as StartReport
    from .host import get_default_host as get_default_host
    from .host import load_plugin as load_plugin
    from .host import set_default_host as set_default_host
    from .kernel.activity import stop_token as stop_token
    from .kernel.base_hook import HookHandler as HookHandler
    from .kernel.bounded import on_stopping_thread as on_stopping_thread
    from .kernel.callback import bind as bind
    from .kernel.context import get_current_plugin as get_current_plugin
    from .kernel.context import plugin_context as plugin_context
    from .kernel.contributions import ContributionsChange as ContributionsChange
    from .kernel.contributions import contributions as contributions
    from .kernel.contributions import on_contributions as on_contributions
    from .kernel.event import Event as Event
    from .kernel.event import HostEvent as HostEvent
    from .kernel.event import event as event
    from .kernel.executor import Submission as Submission
    from .kernel.executor import submit as submit
    from .kernel.hook import Hook as Hook
    from .kernel.hook import hook as hook
    from .kernel.hook_result import HookResult as HookResult
    from .kernel.hook_result import Results as Results
    from .kernel.hookimpl import hookimpl as hookimpl
    from .kernel.lifecycle_event import LifecycleEvent as LifecycleEvent
    from .kernel.log import PluginLogger as PluginLogger
    from .kernel.log import get_logger as get_logger
    from .kernel.log import log as log
    from .kernel.plugin import Plugin as Plugin
    from .kernel.ports import MetadataLoader as MetadataLoader
    from .kernel.ports import PluginLoader as PluginLoader
    from .kernel.provision import Provision as Provision
    from .kernel.provision import provide as provide
    from .kernel.receipt import Held as Held
    from .kernel.receipt import Receipt as Receipt
    from .kernel.resource import Resource as Resource
    from .kernel.resource import ResourceManager as ResourceManager
    from .kernel.service import Service as Service
    from .kernel.service import Services as Services
    from .kernel.service import use as use
    from .kernel.service import use_all as use_all
    from .kernel.stop_token import StopToken as StopToken
    from .kernel.syscall import syscall as syscall
    from .kernel.task import Task as Task
    from .kernel.task import create_task as create_task
    from .kernel.thread import PluginThread as PluginThread
    from .kernel.thread import start_thread as start_thread
    from .kernel.timer import Timer as Timer
    from .kernel.timer import set_interval as set_interval
    from .kernel.timer import set_timeout as set_timeout
    from .model.activation import Activation as Activation
    from .model.candidate import Candidate as Candidate
    from .model.candidate import Discovery as Discovery
    from .model.contributions import Contribution as Contribution
    from .model.finding import Finding as Finding
    from .model.manifest import PluginMetadata as PluginMetadata
    from .model.plan import Plan as Plan
    from .model.state import Desired as Desired
    from .model.state import PluginState as PluginState
    from .model.state import Reason as Reason
    from .supervision import BreakerPolicy as BreakerPolicy
    from .supervision import RestartPolicy as RestartPolicy
    from .supervision import Stall as Stall
    from .supervision import Supervision as Supervision
    from .supervision import WatchdogPolicy as WatchdogPolicy

    __version__: str
    this: Plugin

__all__ = [
    "Activation",
    "ApplicationError",
    "BackendFailed",
    "BreakerPolicy",
    "Candidate",
    "CapabilityNotProvided",
    "CleanupError",
    "ConflictError",
    "Contribution",
    "ContributionsChange",
    "DeprecatedHookWarning",
    "Desired",
    "Discovery",
    "DiscoveryError",
    "Event",
    "Fault",
    "Finding",
    "GenerationDamaged",
    "GenerationMissing",
    "GenerationUnwritable",
    "HandlerErrors",
    "HandlerRefused",
    "Held",
    "Hook",
    "HookHandler",
    "HookResult",
    "HostClosed",
    "HostEvent",
    "HostNotFound",
    "InUse",
    "InvalidTransition",
    "LifecycleEvent",
    "LockInvalid",
    "LockReentered",
    "LockStale",
    "LockTimeout",
    "ManifestError",
    "MetadataLoader",
    "MissingExtra",
    "MissingTool",
    "ModuleReplacedWarning",
    "NameRefused",
    "NoCurrentPlugin",
    "NoSolution",
    "NotPermitted",
    "PathError",
    "PklError",
    "PklWarning",
    "Plan",
    "Plugin",
    "PluginBlocked",
    "PluginCrashed",
    "PluginEnableError",
    "PluginHost",
    "PluginHung",
    "PluginLoadError",
    "PluginLoader",
    "PluginLogger",
    "PluginMetadata",
    "PluginNotFound",
    "PluginNotRunning",
    "PluginStageError",
    "PluginState",
    "PluginStopping",
    "PluginThread",
    "PointNotFound",
    "PointRefused",
    "Provision",
    "Reason",
    "Receipt",
    "RegistryAbsent",
    "RegistryDenied",
    "RegistryError",
    "RegistryExpired",
    "RegistryGarbage",
    "RegistryRolledBack",
    "RegistryUnreachable",
    "RequirementError",
    "Resource",
    "ResourceManager",
    "RestartPolicy",
    "RestartRequired",
    "Results",
    "Service",
    "ServiceRefused",
    "ServiceUnavailable",
    "Services",
    "SettingsError",
    "SignatureRefused",
    "Stall",
    "StartReport",
    "StateCorrupt",
    "StateNewer",
    "StateUnavailable",
    "StopTimeout",
    "StopToken",
    "Submission",
    "Supervision",
    "Task",
    "Timer",
    "TransitionDeadlock",
    "TransitionTimeout",
    "UndeclaredImport",
    "UndeclaredImportWarning",
    "UpdateHeld",
    "UsageError",
    "WatchdogPolicy",
    "WheelRefused",
    "WorkDeadlock",
    "WrapperFault",
    "__version__",
    "bind",
    "contributions",
    "create_task",
    "event",
    "get_current_plugin",
    "get_default_host",
    "get_logger",
    "hook",
    "hookimpl",
    "load_plugin",
    "log",
    "on_contributions",
    "on_stopping_thread",
    "plugin_context",
    "plugins",
    "provide",
    "set_default_host",
    "set_interval",
    "set_timeout",
    "start_thread",
    "stop_token",
    "submit",
    "syscall",
    "use",
    "use_all",
]

_HOMES = {
    "host": "PluginHost StartReport get_default_host load_plugin set_default_host",
    "kernel.activity": "stop_token",
    "kernel.base_hook": "HookHandler",
    "kernel.bounded": "on_stopping_thread",
    "kernel.callback": "bind",
    "kernel.context": "get_current_plugin plugin_context",
    "kernel.contributions": "ContributionsChange contributions on_contributions",
    "kernel.event": "Event HostEvent event",
    "kernel.executor": "Submission submit",
    "kernel.hook": "Hook hook",
    "kernel.hook_result": "HookResult Results",
    "kernel.hookimpl": "hookimpl",
    "kernel.lifecycle_event": "LifecycleEvent",
    "kernel.log": "PluginLogger get_logger log",
    "kernel.plugin": "Plugin",
    "kernel.ports": "MetadataLoader PluginLoader",
    "kernel.provision": "Provision provide",
    "kernel.receipt": "Held Receipt",
    "kernel.resource": "Resource ResourceManager",
    "kernel.service": "Service Services use use_all",
    "kernel.stop_token": "StopToken",
    "kernel.syscall": "syscall",
    "kernel.task": "Task create_task",
    "kernel.thread": "PluginThread start_thread",
    "kernel.timer": "Timer set_interval set_timeout",
    "model.activation": "Activation",
    "model.candidate": "Candidate Discovery",
    "model.contributions": "Contribution",
    "model.finding": "Finding",
    "model.manifest": "PluginMetadata",
    "model.plan": "Plan",
    "model.state": "Desired PluginState Reason",
    "supervision": "BreakerPolicy RestartPolicy Stall Supervision WatchdogPolicy",
}
"""The module where each name lives; every name that is not listed lives in ``errors``."""

_HOME = dict.fromkeys(__all__, "errors")
_HOME.update((name, home) for home, names in _HOMES.items() for name in names.split())

if not TYPE_CHECKING:  # or every misspelt name would pass a type check

    def __getattr__(name: str) -> Any:
        if name == "__version__":
            value = import_module(".version", __name__).VERSION
        elif name == "plugins":
            import_module(".host", __name__)
            value = import_module(".plugins", __name__)
        elif name == "this":
            import_module(".host", __name__)
            return import_module(".kernel.context", __name__).this()
        elif name in _HOME:
            home = _HOME[name]
            if home.startswith("kernel."):  # the host wires the kernel to the default host
                import_module(".host", __name__)
            value = getattr(import_module(f".{home}", __name__), name)
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return list(__all__)
