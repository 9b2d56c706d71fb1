"""Hooks: ``@hook`` declares a call whose handlers' answers come back."""

from __future__ import annotations

import sys
from copy import copy
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Coroutine,
    Dict,
    FrozenSet,
    Generic,
    List,
    Optional,
    Tuple,
    TypeVar,
    overload,
)

from ..errors import HandlerRefused, NameRefused
from ..names import canonical
from .base_hook import BaseHook
from .context import Subject, _current, current_subject
from .describe import describe
from .generation import Generation, not_running, runs_plugin_code
from .hook_async import arun_hook
from .hook_call import HookCall, collect_plain, run_hook
from .hook_result import Results
from .hook_route import (
    HookEntries,
    HookRoute,
    parameters_of,
)
from .hook_trace import atraced, traced
from .ownership import owner_of
from .route import shape_of
from .subscribable import check_invoker
from .syscall import flags_of, is_async

if sys.version_info >= (3, 10):
    from typing import Literal, ParamSpec
else:
    from typing import Literal

    from typing_extensions import ParamSpec

if TYPE_CHECKING:
    from .core import Kernel

__all__ = ["Hook", "hook"]

P = ParamSpec("P")
R = TypeVar("R")
H = TypeVar("H", bound=Callable[..., Any])

_get, _set, _reset = _current.get, _current.set, _current.reset


class Hook(BaseHook, Generic[P, R]):
    """A call that plugins answer; made by ``@hook``.

    Who may invoke it and how subscriptions live on is as for an event: a plugin's hook is invoked
    by its owner or the host, a host's by anyone; subscriptions wait while the owner is stopped.

    Attributes:
        owner: The generation that declared it, or None for the host.
        first: Whether the first answer that is not None wins.
        historic: Whether late subscribers are given the calls they missed.
        errors: ``contain`` or ``raise``, see ``hook``.
    """

    def __init__(
        self,
        function: Callable[P, Any],
        owner: Optional[Generation],
        name: str,
        first: bool,
        historic: bool,
        errors: str,
        concurrent: bool,
    ) -> None:
        declared = parameters_of(function)
        if declared is None:
            raise HandlerRefused(
                f"the hook {describe(function)} takes *args or **kwargs; a hook names its "
                "arguments, so that handlers can take some of them by name"
            )
        if flags_of(function) & 0x220:
            raise HandlerRefused(
                f"the hook {describe(function)} is a generator function; code around the call is "
                "a wrapper: subscribe it with on(wrapper=True)"
            )
        self.name = name
        self.owner = owner
        self.first = first
        self.historic = historic
        self.errors = errors
        self.concurrent = concurrent
        self.function = function
        self.declared = declared
        self.defaults = _defaults(function)
        self.is_async = is_async(function)
        if historic and (first or self.is_async):
            raise HandlerRefused(
                f"the hook {describe(function)} cannot be historic and "
                f"{'async' if self.is_async else 'first=True'} at once"
            )
        self.shape = shape_of(function)
        self.__name__ = name
        self.__doc__ = function.__doc__
        self.__module__ = function.__module__
        self.__wrapped__ = function
        self._without: FrozenSet[str] = frozenset()
        self._careful = first or historic or self.is_async
        self._history: List[Tuple[Any, Any, Optional[Callable[[Any], Any]]]] = []
        self._routes: Dict[int, HookRoute] = {}
        self.full_name = name if owner is None else f"{owner.plugin.name}.{name}"
        self._route: Optional[HookRoute] = None
        if owner is not None:
            self._claim(owner)

    def _claim(self, owner: Generation) -> None:
        if owner.stopping:
            raise not_running(owner.plugin, owner)
        known = owner.events.get(self.name)
        if known is not None:
            raise NameRefused(
                f"plugin {owner.plugin.name!r} declares {self.name!r} twice: "
                f"{describe(known.function)} and {describe(self.function)}",
                plugin=owner.plugin.name,
                version=owner.plugin.version,
                hint="give one of them another name: @hook(name=…)",
            )
        owner.events[self.name] = self
        route = owner.kernel.hook_route(owner.plugin.name, self.name)
        route.event = self
        self._routes[owner.kernel.uid] = self._route = route

    def __repr__(self) -> str:
        return f"<Hook {self.full_name}>"

    def _route_for(self, subject: Subject) -> HookRoute:
        kernel = subject.kernel
        route = self._routes.get(kernel.uid)
        if route is None:
            if self._route is not None:
                return self._route
            route = self._routes.setdefault(kernel.uid, HookRoute(kernel, self.name))
            route.event = self
            kernel.forget_on_close(self._routes)  # type: ignore[arg-type]
        return route

    @runs_plugin_code
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Calls the handlers, each as its subscriber.

        Returns:
            The answers that are not None, as ``Results``; with ``first=True`` the first of them,
            or None. For an async hook, a coroutine of that.

        Raises:
            PluginNotRunning: The owner is not running.
            NotPermitted: Another plugin calls it.
            TypeError: The arguments are not those that the hook declares.
            BaseException: With ``errors="raise"``: what a handler raised.
        """
        generation, route = self.owner, self._route
        caller = _get()
        if (
            route is None
            or generation is None
            or generation.slow
            or (caller is not generation and caller is not None)
            or self._careful
        ):
            return self._call(args, kwargs, None)  # type: ignore[no-any-return]
        entries = route.hook_entries or route.split()
        kernel = generation.kernel
        if entries.wrappers or not entries.plain or kernel.blocked or kernel.tracers:
            return self._call(args, kwargs, None)  # type: ignore[no-any-return]
        token = _set(generation)
        try:
            self.function(*args, **kwargs)
            if kwargs or len(args) != len(self.declared):
                given = HookCall(self, args, kwargs).positional
            else:
                given = args
            return collect_plain(self, given, entries)  # type: ignore[return-value]
        finally:
            _reset(token)

    def recorded(self, on_answer: Callable[[Any], Any], *args: P.args, **kwargs: P.kwargs) -> None:
        """Calls a historic hook, and ``on_answer`` with each answer, also those of late handlers.

        Raises:
            TypeError: The hook is not historic.
        """
        if not self.historic or self.is_async:
            raise TypeError(f"the hook {self.full_name} is not historic")
        for answer in self._call(args, kwargs, on_answer):
            on_answer(answer.value)

    def _call(self, args: Any, kwargs: Any, on_answer: Optional[Callable[[Any], Any]]) -> Any:
        caller = _get()
        generation: Subject
        if self.owner is not None:
            generation = owner = self.owner
            if caller is not owner or owner.slow:
                check_invoker(owner, caller, "hook", self.full_name)
        else:
            generation = (caller or current_subject()).kernel.subject
        kernel = generation.kernel
        route = self._route_for(generation)
        call = HookCall(self, args, kwargs)
        if self.is_async:
            return self._acall(call, route, kernel)
        entries = route.hook_entries or route.split()
        if self._without or kernel.blocked:
            entries = self._reduced(entries, kernel)
        if self.historic:
            self._history.append((args, kwargs, on_answer))
        if kernel.tracers:
            return traced(kernel, call, lambda: self._run(call, generation, entries))
        return self._run(call, generation, entries)

    def _run(self, call: HookCall, generation: Subject, entries: HookEntries) -> Any:
        token = _set(generation)
        try:
            self.function(*call.args, **call.kwargs)
            return run_hook(call, generation, entries)
        finally:
            _reset(token)

    async def _acall(self, call: HookCall, route: HookRoute, kernel: "Kernel") -> Any:
        entries = route.hook_entries or await route.asplit()
        if self._without or kernel.blocked:
            entries = self._reduced(entries, kernel)
        self.function(*call.args, **call.kwargs).close()
        if kernel.tracers:
            return await atraced(kernel, call, arun_hook(call, entries, self.concurrent))
        return await arun_hook(call, entries, self.concurrent)

    def _reduced(self, entries: HookEntries, kernel: "Kernel") -> HookEntries:
        def kept(subject: Subject) -> bool:
            plugin = subject.plugin
            return plugin is None or (
                plugin.name not in self._without and plugin.name not in kernel.blocked
            )

        return HookEntries(
            tuple(e for e in entries.wrappers if kept(e[0])),
            tuple(e for e in entries.handlers if kept(e[0])),
            entries.plain,
        )

    def without(self, *plugins: str) -> "Hook[P, R]":
        """This hook, calling every handler but those of the named plugins."""
        reduced = copy(self)
        reduced._without = self._without | frozenset(canonical(p) for p in plugins)
        reduced._careful = True
        return reduced


def _defaults(function: Callable[..., Any]) -> Dict[str, Any]:
    code = function.__code__
    values = function.__defaults__ or ()
    names = code.co_varnames[code.co_argcount - len(values) : code.co_argcount]
    return {**dict(zip(names, values)), **(function.__kwdefaults__ or {})}


@overload
def hook(function: Callable[P, Coroutine[Any, Any, Any]]) -> Hook[P, Coroutine[Any, Any, Any]]: ...


@overload
def hook(function: Callable[P, Any]) -> Hook[P, Results]: ...


@overload
def hook(
    *,
    first: bool = False,
    historic: bool = False,
    errors: Literal["contain", "raise"] = "contain",
    concurrent: bool = False,
    name: Optional[str] = None,
) -> Callable[[Callable[P, Any]], Hook[P, Any]]: ...


def hook(
    function: Optional[Callable[..., Any]] = None,
    *,
    first: bool = False,
    historic: bool = False,
    errors: str = "contain",
    concurrent: bool = False,
    name: Optional[str] = None,
) -> Any:
    """Declares a hook: ``@hook`` or ``@hook(first=…, historic=…)``.

    It belongs to whoever an event would belong to. The function names the arguments; its body
    runs before the handlers, and what it returns is no answer. An ``async def`` makes an async
    hook, which is awaited and calls async and sync handlers.

    Args:
        function: The function, when used without parentheses.
        first: The first answer that is not None is the result, and later handlers are not called.
        historic: Who subscribes late is given the calls it missed, once, when it goes live.
        errors: ``contain``: what a handler raises is logged, counted against its plugin and
            reported to ``host.on_error``, and the others still run. ``raise``: the first error
            ends the call and is raised, through the wrappers.
        concurrent: An async hook's handlers run as tasks of one group instead of in order; with
            ``errors="raise"`` the first failure cancels the others.
        name: Its name, by default the function's.

    Raises:
        HandlerRefused: The function cannot declare a hook: it takes ``*args`` or ``**kwargs``,
            is a generator function, or is historic and ``first=True`` or async.
        NameRefused: The plugin has declared something of that name already.
        ValueError: ``errors`` is neither word.
    """
    if errors not in ("contain", "raise"):
        raise ValueError(f"errors must be 'contain' or 'raise', not {errors!r}")

    def declare(declared: Callable[..., Any], owner: Optional[Generation]) -> Hook[Any, Any]:
        word = name or declared.__name__
        return Hook(declared, owner, word, first, historic, errors, concurrent)

    if function is not None:
        return declare(function, owner_of(function))

    def decorate(declared: Callable[..., Any]) -> Hook[Any, Any]:
        return declare(declared, owner_of(declared))

    return decorate
