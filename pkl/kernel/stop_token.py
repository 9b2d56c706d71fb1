"""Stop tokens: how what a plugin still runs hears that it is to end."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, Callable, List, Optional, Tuple

from ..errors import PluginStopping
from .context import Subject, current_subject
from .describe import describe
from .dispatch import call_one
from .waiting import block, suspend

if TYPE_CHECKING:
    from .ports import Undo

__all__ = ["StopToken", "ask_to_stop", "token_of"]


class StopToken:
    """Says whether a plugin, or one thread or function of it, is to end; it is never unset.

    Its truth is ``is_set()``: ``while not stop: …``. Safe from any thread or task.
    """

    __slots__ = ("_callbacks", "_lock", "_parent", "_set", "_subject")

    def __init__(self, subject: Subject, parent: Optional["StopToken"] = None) -> None:
        self._subject = subject
        self._parent = parent
        self._set = False
        self._lock = Lock()
        self._callbacks: List[_Callback] = []

    def __repr__(self) -> str:
        return f"<StopToken of {_owner(self._subject)}: {'stop' if self else 'go on'}>"

    def __bool__(self) -> bool:
        return self.is_set()

    def is_set(self) -> bool:
        """Whether what holds this token is to end."""
        return self._set or (self._parent is not None and self._parent._set)

    def raise_if_stopped(self) -> None:
        """Raises once what holds this token is to end.

        Raises:
            PluginStopping: It is to end.
        """
        if self.is_set():
            plugin = self._subject.plugin
            raise PluginStopping(
                f"{_owner(self._subject)} is stopping, so this is to end",
                plugin=plugin.name if plugin is not None else None,
                version=plugin.version if plugin is not None else None,
                hint="let it pass; whoever stops the plugin waits for that",
            )

    def wait(self, timeout: Optional[float] = None) -> bool:
        """Blocks until it is set, at most ``timeout`` seconds; whether it is set."""
        block(self.announce, timeout)
        return self.is_set()

    async def async_wait(self, timeout: Optional[float] = None) -> bool:
        """The async twin of ``wait``, on any event loop."""
        await suspend(self.announce, timeout)
        return self.is_set()

    def announce(self, wake: Callable[[], None]) -> "Undo":
        """Calls ``wake`` once it is set, as nobody; returns what takes that back."""
        return self._add(_Callback(wake, None))

    def on_stop(self, callback: Callable[[], Any]) -> "Undo":
        """Calls ``callback()`` once it is set, at once if it is; returns what takes that back.

        It is called in the thread that stops the plugin, before ``on_disable``, as who adds it
        here; what it raises is contained. It is the way to wake a thread that waits for
        something else than this token, such as a socket.
        """
        if not callable(callback):
            raise TypeError(f"a callback must be callable, not {callback!r}")
        return self._add(_Callback(callback, current_subject()))

    def _add(self, callback: "_Callback") -> "Undo":
        tokens = [self] if self._parent is None else [self, self._parent]
        for token in tokens:
            with token._lock:
                if not token._set:
                    token._callbacks.append(callback)
                    continue
            callback.run()

        def undo() -> None:
            callback.spent = True
            for token in tokens:
                with token._lock:
                    if callback in token._callbacks:
                        token._callbacks.remove(callback)

        return undo

    def _stop(self) -> None:
        with self._lock:
            self._set = True
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback.run()


class _Callback:
    """Something to call once, whichever of two tokens is set first."""

    __slots__ = ("_call", "_subject", "spent")

    def __init__(self, call: Callable[[], Any], subject: Optional[Subject]) -> None:
        self._call = call
        self._subject = subject
        self.spent = False

    def run(self) -> None:
        if self.spent:
            return
        self.spent = True
        subject = self._subject
        if subject is None:
            self._call()
            return
        try:
            call_one(subject, self._call, (), {})
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            subject.kernel.contain(subject, error, f"stop callback {describe(self._call)}")


def _owner(subject: Subject) -> str:
    plugin = subject.plugin
    if plugin is None:
        return f"the host {subject.kernel.name!r}"
    return f"plugin {plugin.name!r} {plugin.version}"


def token_of(subject: Subject) -> StopToken:
    """The token of a plugin's generation or of a host, made on first use."""
    token: Optional[StopToken] = subject.stop
    if token is None:
        with subject.kernel.mutex:
            token = subject.stop
            if token is None:
                token = StopToken(subject)
                token._set = subject.stop_asked
                subject.stop = token
    return token


def ask_to_stop(subject: Subject) -> None:
    """Sets the token of a generation or of a host, for now and for whoever asks later.

    Raises:
        KeyboardInterrupt: One of its callbacks was interrupted; the token is set all the same.
    """
    with subject.kernel.mutex:
        subject.stop_asked = True
        token: Optional[StopToken] = subject.stop
    if token is not None:
        token._stop()


def takes_stop(function: Any, args: Tuple[Any, ...], kwargs: Any) -> bool:
    """Whether a function has a parameter ``stop`` that these arguments leave open."""
    if "stop" in kwargs:
        return False
    given = len(args)
    while True:
        if hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        elif hasattr(function, "__func__"):  # a method: the first argument is its object
            function, given = function.__func__, given + 1
        elif hasattr(function, "func") and hasattr(function, "keywords"):  # a partial
            if "stop" in function.keywords:
                return False
            function, given = function.func, given + len(function.args)
        else:
            break
    code = getattr(function, "__code__", None)
    if code is None:
        code = getattr(vars(type(function)).get("__call__"), "__code__", None)
        given += 1
        if code is None:
            return False
    names = code.co_varnames
    if "stop" in names[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]:
        return True
    positional = names[code.co_posonlyargcount : code.co_argcount]
    return "stop" in positional and given <= code.co_posonlyargcount + positional.index("stop")
