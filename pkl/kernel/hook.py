"""Hooks: ``@hook`` declares a call whose handlers' answers come back."""

from __future__ import annotations

import sys
from functools import partial
from types import CodeType
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Coroutine,
    Dict,
    Generic,
    Mapping,
    Optional,
    TypeVar,
    overload,
)

from ..errors import HandlerRefused, NameRefused
from .context import Subject, _current, current_subject, switch, switch_back
from .describe import describe
from .generation import Generation, not_running, runs_plugin_code
from .hook_async import arun
from .hook_call import bound_of, collect_plain, given_of, run_hook
from .hook_choice import ChosenHook
from .hook_history import History, PastCall
from .hook_result import HookResult, Results
from .hook_route import HookRoute
from .hook_trace import traced
from .ownership import owner_of
from .route import Route, shape_of
from .subscribable import check_invoker
from .syscall import flags_of, is_async

if sys.version_info >= (3, 10):
    from typing import Literal, ParamSpec
else:
    from typing import Literal

    from typing_extensions import ParamSpec

if TYPE_CHECKING:
    pass

__all__ = ["Hook", "hook"]

P = ParamSpec("P")
R = TypeVar("R")
H = TypeVar("H", bound=Callable[..., Any])

_get, _set = _current.get, _current.set


def _documented() -> None:
    """Does nothing."""


def _bare() -> None: ...


_IDLE = {(f.__code__.co_code, f.__code__.co_consts[-1]) for f in (_documented, _bare)}
"""What the code of a body that does nothing looks like."""


class Hook(ChosenHook, Generic[P, R]):
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
        deprecated: Optional[str],
        deprecated_arguments: Mapping[str, str],
    ) -> None:
        code = getattr(function, "__code__", None)
        if code is None or code.co_flags & 0x0C:
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
        self.function: Callable[..., Any] = function
        self.declared = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        self.deprecated = deprecated
        self.deprecated_arguments = dict(deprecated_arguments)
        unknown = sorted(set(self.deprecated_arguments) - set(self.declared))
        if unknown:
            raise HandlerRefused(
                f"the hook {describe(function)} deprecates {', '.join(unknown)}, which it does not "
                "take"
            )
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
        self._arity = len(self.declared)
        self._idle = not code.co_kwonlyargcount and _does_nothing(code)
        self._routes: Dict[int, HookRoute] = {}
        self.full_name = name if owner is None else f"{owner.plugin.name}.{name}"
        self._route: Optional[HookRoute] = None
        self._quick_route: Optional[HookRoute] = None
        self._generation: Any = owner
        self._own_history = History()
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
        route = owner.kernel.route(owner.plugin.name, self.name, HookRoute)
        route.event = self
        self._routes[owner.kernel.uid] = self._route = route
        if not (self.first or self.historic or self.is_async):
            self._quick_route = route

    def __repr__(self) -> str:
        return f"<Hook {self.full_name}>"

    def history(self, route: Route) -> History:
        """Its past calls in the host of a route; for the kernel."""
        if self.owner is None and isinstance(route, HookRoute):
            return route.history
        return self._own_history

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
        generation = self._generation
        caller, route = _get(), self._quick_route
        if (
            route is None
            or (handlers := route.quick) is None
            or generation.slow
            or (caller is not generation and caller is not None)
        ):
            return self._call(args, kwargs, None)  # type: ignore[no-any-return]
        try:
            if kwargs or len(args) != self._arity:
                _set(generation)
                self.function(*args, **kwargs)
                args = given_of(self, args, kwargs)  # type: ignore[assignment]
            elif not self._idle:
                _set(generation)
                self.function(*args)
            return collect_plain(self, args, handlers)  # type: ignore[return-value]
        finally:
            _set(caller)

    def recorded(self, on_answer: Callable[[Any], Any], *args: P.args, **kwargs: P.kwargs) -> None:
        """Calls a historic hook, and ``on_answer`` with each answer, also those of late handlers.

        Raises:
            TypeError: The hook is not historic.
        """
        if not self.historic or self.is_async:
            raise TypeError(f"the hook {self.full_name} is not historic")
        for each in self._call(args, kwargs, on_answer):
            on_answer(each.value if isinstance(each, HookResult) else each)

    def _call(self, args: Any, kwargs: Any, on_answer: Optional[Callable[[Any], Any]]) -> Any:
        caller = _get()
        generation: Subject
        owner = self.owner
        if owner is None:
            generation = (caller or current_subject()).kernel.subject
        else:
            generation = owner
            if owner.slow or (caller is not owner and caller is not None):
                check_invoker(owner, caller, "hook", self.full_name)
        route = self._route_for(generation)
        if self.is_async:
            return arun(self, args, kwargs, generation, route)
        if route.triggers:
            route.wake()
        if generation.kernel.hook_control.tracers:
            run = partial(self._run, args, kwargs, generation, route, on_answer)
            arguments = bound_of(self, args, kwargs)
            return traced(generation.kernel, self.full_name, arguments, run)
        return self._run(args, kwargs, generation, route, on_answer)

    @runs_plugin_code
    def _run(
        self,
        args: Any,
        kwargs: Any,
        generation: Subject,
        route: HookRoute,
        on_answer: Optional[Callable[[Any], Any]],
    ) -> Any:
        caller = switch(generation)
        try:
            if kwargs or not self._idle or len(args) != self._arity:
                self.function(*args, **kwargs)
                args = given_of(self, args, kwargs)
            past = None
            if self.historic:
                past = PastCall(args, caller or generation.kernel.subject, on_answer)
            return run_hook(self, args, generation, self.chosen(route, past))
        finally:
            switch_back(caller)


def _does_nothing(code: CodeType) -> bool:
    return (code.co_code, code.co_consts[-1]) in _IDLE and not code.co_cellvars


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
    deprecated: Optional[str] = None,
    deprecated_arguments: Optional[Mapping[str, str]] = None,
) -> Callable[[Callable[P, Any]], Hook[P, Any]]: ...


def hook(
    function: Optional[Callable[..., Any]] = None,
    *,
    first: bool = False,
    historic: bool = False,
    errors: str = "contain",
    concurrent: bool = False,
    name: Optional[str] = None,
    deprecated: Optional[str] = None,
    deprecated_arguments: Optional[Mapping[str, str]] = None,
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
        deprecated: What to answer in its place; whoever subscribes to it is warned.
        deprecated_arguments: The same for single arguments, by name; only handlers that take one
            are warned.

    Raises:
        HandlerRefused: The function cannot declare a hook: it takes ``*args`` or ``**kwargs``,
            is a generator function, is historic and ``first=True`` or async, or does not take
            what it deprecates.
        NameRefused: The plugin has declared something of that name already.
        ValueError: ``errors`` is neither word.
    """
    if errors not in ("contain", "raise"):
        raise ValueError(f"errors must be 'contain' or 'raise', not {errors!r}")

    def declare(declared: Callable[..., Any], owner: Optional[Generation]) -> Hook[Any, Any]:
        word = name or declared.__name__
        return Hook(
            declared,
            owner,
            word,
            first,
            historic,
            errors,
            concurrent,
            deprecated,
            deprecated_arguments or {},
        )

    if function is not None:
        return declare(function, owner_of(function))

    def decorate(declared: Callable[..., Any]) -> Hook[Any, Any]:
        return declare(declared, owner_of(declared))

    return decorate
