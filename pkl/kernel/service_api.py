"""``service.api``: stands for whatever provides a service, and runs its methods as the provider."""

from __future__ import annotations

from functools import lru_cache, partial
from types import (
    BuiltinFunctionType,
    FunctionType,
    MethodType,
    MethodWrapperType,
    ModuleType,
)
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Protocol, Tuple, Type

from ..errors import PluginNotRunning
from .context import Subject, _current
from .dispatch import call_one
from .syscall import STEPPED, as_owner, flags_of, plugin_call

if TYPE_CHECKING:
    from .provision import Provision

__all__ = ["Line", "ServiceApi", "Switchboard", "connect"]


class Switchboard(Protocol):
    """What a line asks when its provider is gone: the handle it belongs to."""

    def reconsider(self) -> None:
        """Connects its lines anew if a provider of theirs does not run any more."""

    def unavailable(self, provision: Optional["Provision"]) -> Exception:
        """The error for a call that nobody can answer."""

    def detached(self, line: "Line", name: str, value: Any, provision: "Provision") -> None:
        """Keeps what a name leads to, if the line still leads to that provider."""


class Line:
    """Leads from one ``ServiceApi`` to a provider.

    Attributes:
        board: The handle that it belongs to.
        provision: The provider's, or None.
        kept: The dictionary of the ``ServiceApi``: the methods that were looked up.
    """

    __slots__ = ("board", "kept", "provision")

    def __init__(self, board: Switchboard, provision: Optional["Provision"]) -> None:
        self.board = board
        self.provision = provision
        self.kept: Dict[str, Any] = {}

    def lead_to(self, provision: Optional["Provision"]) -> List[Any]:
        """Leads to another provider; gives what was kept, for the caller to let go of."""
        self.provision = provision
        stale = list(self.kept.values())
        self.kept.clear()
        return stale

    def connected(self) -> "Provision":
        """The provider's, which admits a call from here now.

        Raises:
            ServiceUnavailable: There is none.
        """
        while True:
            provision = self.provision
            if provision is None:
                raise self.board.unavailable(None)
            subject = provision._subject
            if not subject.slow:
                return provision
            try:
                subject.admit(_current.get())
            except PluginNotRunning as error:
                self.leave(provision, error)
            else:
                return provision

    def leave(self, provision: "Provision", error: PluginNotRunning) -> None:
        """Gives a provider up that refuses calls, for another one.

        Raises:
            ServiceUnavailable: There is no other.
        """
        self.board.reconsider()
        if self.provision is provision:
            raise self.board.unavailable(provision) from error

    def fetch(self, name: str) -> Any:
        """An attribute of the provider's implementation; a method is one that runs as it.

        Raises:
            ServiceUnavailable: There is no provider.
        """
        provision = self.connected()
        subject, implementation = provision._subject, provision._implementation
        value = call_one(subject, getattr, (implementation, name), {})
        if not isinstance(value, _METHODS):
            return value
        method = self._method(provision, name, value)
        if _belongs_to_type(implementation, name):
            self.board.detached(self, name, method, provision)
        return method

    def _method(self, provision: "Provision", name: str, function: Callable[..., Any]) -> Any:
        subject = provision._subject
        if subject.plugin is None or flags_of(function) & STEPPED:
            return as_owner(function, subject)

        def careful(generation: Subject, called: Callable[..., Any], args: Any, kwargs: Any) -> Any:
            try:
                generation.admit(_current.get())
            except PluginNotRunning as error:
                # It has not begun, so whoever provides the service now can answer it.
                self.leave(provision, error)
                return self.fetch(name)(*args, **kwargs)
            return call_one(generation, called, args, kwargs)

        return plugin_call(function, subject, careful)


_METHODS = (FunctionType, MethodType, BuiltinFunctionType, MethodWrapperType, partial)
"""What is run as the provider; any other attribute is handed over as it is."""


def _belongs_to_type(implementation: Any, name: str) -> bool:
    """Whether a method is found on a class or module, so that it is the same each time."""
    if isinstance(implementation, ModuleType):
        return True
    try:
        own = object.__getattribute__(implementation, "__dict__")
    except AttributeError:  # it has slots
        own = {}
    if name in own:
        return False
    for base in type(implementation).__mro__:
        if name in vars(base):
            return isinstance(vars(base)[name], (FunctionType, staticmethod, classmethod))
    return False


class ServiceApi:
    """What a service's users call; its attributes are those of whoever provides it now.

    Methods run as the provider; other attributes are handed over as they are. It is no instance
    of the interface, though type checkers take it for one.
    """

    __slots__ = ("__dict__", "__weakref__", "_pkl_line")

    def __getattr__(self, name: str) -> Any:
        line: Line = object.__getattribute__(self, "_pkl_line")
        return line.fetch(name)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(
            f"attribute {name!r} of a service cannot be set from outside; call a method of it"
        )

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"attribute {name!r} of a service cannot be deleted from outside")

    def __dir__(self) -> List[str]:
        line: Line = object.__getattribute__(self, "_pkl_line")
        provision = line.connected()
        names: List[str] = call_one(provision._subject, dir, (provision._implementation,), {})
        return names

    def __repr__(self) -> str:
        line: Line = object.__getattribute__(self, "_pkl_line")
        provision = line.provision
        return f"<ServiceApi: {'nobody provides it' if provision is None else provision}>"

    def __reduce__(self) -> Any:
        raise TypeError("a service belongs to this process: it can be neither pickled nor copied")


def connect(line: Line, specials: Tuple[str, ...]) -> Any:
    """The ``ServiceApi`` at the near end of a line, with the special methods of an interface."""
    made = _class_with(specials)()
    object.__setattr__(made, "_pkl_line", line)
    line.kept = made.__dict__
    return made


@lru_cache(maxsize=256)
def _class_with(specials: Tuple[str, ...]) -> Type[ServiceApi]:
    if not specials:
        return ServiceApi
    namespace: Dict[str, Any] = {name: _forwarder(name) for name in specials}
    return type("ServiceApi", (ServiceApi,), {"__slots__": (), **namespace})


def _forwarder(name: str) -> Callable[..., Any]:
    def forward(self: ServiceApi, *args: Any, **kwargs: Any) -> Any:
        line: Line = object.__getattribute__(self, "_pkl_line")
        method = line.kept.get(name) or line.fetch(name)
        return method(*args, **kwargs)

    forward.__name__ = name
    return forward
