"""Starts a plan and stops a host, blocking or on an event loop; no plugin's fault stops either."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter
from typing import (
    TYPE_CHECKING,
    Awaitable,
    Callable,
    Collection,
    Dict,
    List,
    Mapping,
    Optional,
    Sequence,
    Set,
    Tuple,
)

from ..errors import PklError
from ..kernel.lifecycle import Lifecycle
from ..kernel.loading import Trail
from ..kernel.plugin import Plugin
from ..kernel.reasons import RESTING, host_closed, refused_with
from ..kernel.runner import Runner
from ..kernel.teardown import StopOrder
from ..model.activation import WAITING
from ..model.candidate import Candidate
from ..model.graph import longest_path
from ..model.plan import Plan, Step
from ..model.reason_kinds import KINDS
from ..model.state import Action, Desired, PluginState, Reason
from ..names import canonical
from .report import StartReport
from .safe_mode import SAFE_MODE
from .start_watch import Progress
from .stop_layers import all_of, stop_layers

if TYPE_CHECKING:
    from ..kernel.core import Kernel

__all__ = ["adopt", "retry", "start", "stop"]

_LEFT_ALONE = (PluginState.ERROR, PluginState.DISABLED)


def adopt(
    kernel: "Kernel",
    candidates: Sequence[Candidate],
    plan: Plan,
    desired: Mapping[str, Desired],
    anew: bool = True,
) -> None:
    """Makes a row of every candidate, in the state that the plan gives it.

    Args:
        kernel: The host's kernel.
        candidates: The candidates.
        plan: The plan.
        desired: What people want of plugins.
        anew: Whether what somebody stopped counts as any other; else it is left as it is.
    """
    chosen = {step.name: step.candidate for step in plan.steps}
    for candidate in candidates:
        if chosen.get(candidate.name, candidate) is candidate:
            plugin = kernel.add(candidate)
            plugin.desired = desired.get(plugin.name, plugin.desired)
    for name, reason in plan.blocked.items():
        known = kernel.plugins.get(name)
        if known is None or known.running or known.state is PluginState.LOADED:
            continue
        if known.state is PluginState.DISABLED and not anew:
            continue
        plugin = known
        if reason.code in ("collision", SAFE_MODE):
            # Loading it by hand must not pick one of the two either, nor what is left out.
            plugin.candidate = replace(plugin.candidate, fault=reason)
        if reason.code in ("disabled", "masked") and plugin.desired is not Desired.ENABLED:
            plugin.reason = reason
        elif reason.code == "manifest" or (
            plugin.candidate.fault is not None and plugin.candidate.fault.code == "manifest"
        ):
            kernel.lifecycle.refuse(plugin, reason)
        else:
            kernel.lifecycle.block(plugin, reason)


def _bind_as_planned(kernel: "Kernel", plugin: Plugin, step: Step) -> None:
    bindings: Dict[str, Plugin] = {}
    for name, provider in step.bindings.items():
        found = kernel.plugins.get(provider)
        if found is not None and found is not plugin:
            bindings[name] = found
    stated = {r.name for r in (*plugin.metadata.requires, *plugin.metadata.wants)}
    plugin.bindings = bindings
    plugin.planned = frozenset(name for name in bindings if name not in stated)


async def start(
    kernel: "Kernel",
    run: Runner,
    plan: Plan,
    together: bool,
    only: Sequence[str] = (),
    progress: Optional[Progress] = None,
) -> StartReport:
    """Loads and enables what the plan says, in its order.

    Args:
        kernel: The host's kernel.
        run: The runner.
        plan: What to start; ``adopt`` has made its rows.
        together: Whether the plugins of a layer are started concurrently.
        only: The plugins that were asked for; empty for all. The report leaves out what is
            neither of these nor needed by them.
        progress: Is told which plugin is being started.
    """
    progress = progress or Progress(None)
    since = perf_counter()
    before = {n for n, p in list(kernel.plugins.items()) if p.state is PluginState.ENABLED}
    timings: Dict[str, float] = {}
    failed: Set[Plugin] = set()

    async def bring_up(step: Step) -> None:
        plugin = kernel.plugins[step.name]
        _bind_as_planned(kernel, plugin, step)
        if step.name in plan.waiting:
            kernel.activations.arm(plugin, plan.waiting[step.name])
            return
        began = perf_counter()
        progress.begin(step.name)
        try:
            await kernel.lifecycle.enable(run, plugin, trail=Trail(failed))
        except PklError as error:
            failed.add(plugin)
            if plugin.reason is not None and plugin.reason.code in RESTING:
                reason = _not_started(plugin, error)
                await kernel.lifecycle.hold_back(run, plugin, Action.BLOCK, reason)
        progress.end(step.name)
        timings[step.name] = perf_counter() - began

    try:
        if together:
            steps = {step.name: step for step in plan.steps}
            for layer in plan.layers:
                await all_of([bring_up(steps[name]) for name in layer])
        else:
            for step in plan.steps:
                await bring_up(step)
    finally:
        kernel.contributions.settle(plan)
    await kernel.lifecycle.retry_blocked(run, failed)
    kernel.activations.watch_for_idleness()
    planned = {step.name for step in plan.steps}
    about = {*planned, *map(canonical, only)} if only else set(kernel.plugins)
    report = await _verdict(kernel, run, plan, timings, about, before)
    return replace(report, seconds=perf_counter() - since)


def _not_started(plugin: Plugin, error: PklError) -> Reason:
    """The reason of a plugin whose start did not come about, through no fault of its own."""
    code, message = error.code[2:].lower().replace("_", "-"), error.message
    if error.plugin is None:
        message = f"plugin {plugin.name!r} {plugin.version} could not be started: {message}"
    remedy = error.hint or "host.refresh() tries again"
    code = code if code in KINDS else "not-started"
    return Reason(code, message, message.splitlines()[0], remedy)


async def _verdict(
    kernel: "Kernel",
    run: Runner,
    plan: Plan,
    timings: Mapping[str, float],
    about: Set[str],
    before: Set[str],
) -> StartReport:
    blocked: Dict[str, Reason] = {}
    failed: Dict[str, Reason] = {}
    waiting: Dict[str, Reason] = {}
    refused: Optional[Plugin] = None
    for name in sorted(about & kernel.plugins.keys()):
        plugin = kernel.plugins[name]
        if plugin.state is PluginState.ENABLED:
            continue
        if plugin.reason is not None and plugin.reason.code == WAITING:
            waiting[name] = plugin.reason
            continue
        wanted = plugin.desired is Desired.ENABLED
        if plugin.reason is not None and plugin.state is PluginState.ERROR:
            failed[name] = plugin.reason
        elif plugin.reason is not None and plugin.state is PluginState.BLOCKED and wanted:
            blocked[name] = plugin.reason
        if plugin.metadata.critical and wanted and refused is None:
            refused = plugin
    stopped: Dict[str, Reason] = {}
    if refused is not None:
        stopped = await _take_back(kernel, run, before, refused)
        waiting = {name: reason for name, reason in waiting.items() if name not in stopped}
        # No restart comes any more that a remedy may have spoken of.
        failed, blocked = _as_of_now(kernel, failed), _as_of_now(kernel, blocked)
    enabled = sorted(
        (
            p
            for n, p in list(kernel.plugins.items())
            if n in about and p.state is PluginState.ENABLED
        ),
        key=lambda p: p.started,
    )
    status = "refused" if refused is not None else "degraded" if blocked or failed else "ok"
    shown = {*blocked, *failed, *waiting, *stopped, *(p.name for p in enabled)}
    return StartReport(
        tuple(p.name for p in enabled),
        blocked,
        failed,
        dict(timings),
        plan.notes,
        status,
        versions={n: kernel.plugins[n].version for n in sorted(shown)},
        waiting=waiting,
        stopped=stopped,
        activations={p.name: p.activation for p in enabled if p.activation is not None},
        critical_path=_critical_path(plan, timings, {p.name for p in enabled}),
    )


def _as_of_now(kernel: "Kernel", reasons: Mapping[str, Reason]) -> Dict[str, Reason]:
    return {name: kernel.plugins[name].reason or reason for name, reason in reasons.items()}


def _critical_path(plan: Plan, timings: Mapping[str, float], enabled: Set[str]) -> Tuple[str, ...]:
    """The chain of plugins, of those that this start enabled, that it could not be shorter than."""
    begun = [step.name for step in plan.steps if step.name in timings and step.name in enabled]
    waited_for: Dict[str, List[str]] = {}
    for edge in plan.graph.edges:
        if edge.satisfied and edge.kind in ("requires", "wants", "after"):
            waited_for.setdefault(edge.from_, []).append(edge.to)
        elif edge.satisfied and edge.kind == "before":
            waited_for.setdefault(edge.to, []).append(edge.from_)
    return longest_path(begun, waited_for, timings)


async def _take_back(
    kernel: "Kernel", run: Runner, before: Set[str], critical: Plugin
) -> Dict[str, Reason]:
    """Stops what a refused start had brought up, last started first; what fails is contained.

    What waits to be needed does so no more, and no restart that is due comes.

    Returns:
        The reasons of all that was stopped, or waits no more.
    """
    order = StopOrder(kernel)
    begun = [p for n, p in list(kernel.plugins.items()) if n not in before]
    for plugin in begun:
        if plugin.waiting is not None:
            plugin.reason = refused_with(plugin, critical)
        if not plugin.running:
            kernel.activations.disarm(plugin)
        if not plugin.running and kernel.supervisor is not None:
            kernel.supervisor.stopped(plugin, False)
    for plugin in sorted((p for p in begun if p.running), key=lambda p: -p.started):
        reason = refused_with(plugin, critical)
        await order.attempt(kernel.lifecycle.disable(run, plugin, order, reason))
    kernel.contributions.tell()
    interrupt = order.interrupt(0)
    order.report("taking a refused start back")
    if interrupt is not None:
        raise interrupt
    return {p.name: p.reason for p in begun if p.reason is not None and p.reason.code == "refused"}


async def retry(
    kernel: "Kernel", run: Runner, plan: Plan, waiting: Set[str], mended: Collection[str] = ()
) -> None:
    """Enables what waited and is in the plan by now; what fails is its own reason.

    Each is tried once, in the order of the plan. What somebody stopped, and what failed and is
    not mended, is not brought up for what requires it.

    Args:
        kernel: The host's kernel.
        run: The runner.
        plan: What may start.
        waiting: The plugins that waited.
        mended: Those that failed, and whose cause is gone.
    """
    due = waiting.union(mended)
    failed: Set[Plugin] = {
        plugin
        for name, plugin in list(kernel.plugins.items())
        if plugin.state in _LEFT_ALONE and name not in due
    }
    for step in plan.steps:
        if step.name not in due:
            continue
        plugin = kernel.plugins[step.name]
        _bind_as_planned(kernel, plugin, step)
        if step.name in plan.waiting and (not plugin.called_for or step.name in mended):
            kernel.activations.arm(plugin, plan.waiting[step.name])
            continue
        try:
            await kernel.lifecycle.enable(run, plugin, trail=Trail(failed))
        except PklError:
            failed.add(plugin)
    await kernel.lifecycle.retry_blocked(run, failed)
    kernel.activations.watch_for_idleness()


async def _each(
    run: Runner,
    layers: Sequence[Sequence[Plugin]],
    order: StopOrder,
    step: Callable[[Plugin, StopOrder], Awaitable[None]],
) -> None:
    """Does a step for the plugins of each layer: together on a loop, else one after another."""

    async def one(plugin: Plugin, own: StopOrder) -> None:
        try:
            await step(plugin, own)
        except PklError as error:
            own.failures.append(error)

    for layer in layers:
        if run.blocking or len(layer) == 1:
            for plugin in layer:
                await one(plugin, order)
            continue
        # Each counts its own failures; those of all are kept in the order of the plugins.
        parts = [order.part() for _ in layer]
        try:
            await all_of([one(p, part) for p, part in zip(layer, parts)])
        finally:
            order.failures += [error for part in parts for error in part.failures]


async def stop_plugins(kernel: "Kernel", run: Runner, order: StopOrder) -> None:
    """Disables every plugin, last started first, then unloads all in that order.

    On an event loop, those that do not depend on each other are stopped together.
    """
    lifecycle: Lifecycle = kernel.lifecycle
    rows = list(kernel.plugins.values())
    rows.reverse()
    rows.sort(key=lambda p: -p.started)

    async def disable(plugin: Plugin, own: StopOrder) -> None:
        await lifecycle.disable(run, plugin, own, host_closed(plugin))

    async def unload(plugin: Plugin, own: StopOrder) -> None:
        await lifecycle.unload(run, plugin, own)
        if plugin.state is PluginState.UNLOADED:
            plugin.reason = host_closed(plugin)

    layers = stop_layers(kernel, rows)
    tried: Set[Plugin] = set()
    left = [p for p in rows if p.running]
    while left:
        tried.update(left)
        await _each(run, stop_layers(kernel, left), order, disable)
        # Somebody else may have been starting these all the while.
        left = [p for p in list(kernel.plugins.values()) if p.running and p not in tried]
    await _each(run, layers, order, unload)


async def stop(kernel: "Kernel", run: Runner, within: float) -> None:
    """Closes a host: every plugin is stopped, then what the host itself holds is released.

    Raises:
        CleanupError: What failed on the way, gathered.
    """
    if kernel.closed:
        return
    kernel.contributions.close()
    kernel.begin_close()
    order = StopOrder(kernel, within=within)
    await stop_plugins(kernel, run, order)
    await kernel.lifecycle.release(run, kernel.subject, order)
    kernel.close()
    if kernel.supervisor is not None:
        kernel.supervisor.close()
    # From now on nothing can be registered; this is what another thread still was.
    await kernel.lifecycle.release(run, kernel.subject, order)
    interrupt = order.interrupt(0)
    if interrupt is not None:
        order.report(f"closing of the host {kernel.name}")
        raise interrupt
    error = order.gathered(f"the host {kernel.name!r} was closed, with failures")
    if error is not None:
        raise error
