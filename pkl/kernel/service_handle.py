"""What every handle of a service has in common: the choice among providers, and waiting."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any, Callable, Hashable, List, Optional, Sequence, Tuple

from ..errors import HandlerRefused
from ..model.requirement import specifier_contains
from .context import Subject
from .describe import describe
from .interface import ServiceName
from .ownership import registrant
from .provision import Provision, provider_of
from .resource import Resource
from .service_api import Line
from .service_registry import Change
from .service_watch import Telling, Watch
from .service_words import unavailable
from .stop_token import token_of
from .syscall import is_async
from .transition import current_actor
from .waiting import block, suspend

if TYPE_CHECKING:
    from .ports import Undo

__all__ = ["ServiceHandle"]


class ServiceHandle(Resource):
    """A use of a service, held by its user; what ``Service`` and ``Services`` have in common.

    It is true while it has a provider. Safe from any thread or task.

    Attributes:
        specifier: The versions that are asked for; empty for any.
        optional: Whether its user gets along without a provider.
        ended: Whether it was released.
    """

    def __init__(
        self,
        subject: Subject,
        name: ServiceName,
        specifier: str,
        optional: bool,
        words: Hashable,
    ) -> None:
        self._subject = subject
        self._name = name
        self._words = words
        self.specifier = specifier
        self.optional = optional
        self.ended = False
        self._bound: Tuple[Provision, ...] = ()
        self._watches: Tuple[Watch, ...] = ()
        self._telling = Telling()
        self._waiting: List[Callable[[], None]] = []

    def __bool__(self) -> bool:
        return bool(self._bound)

    def __repr__(self) -> str:
        by = ", ".join(provider_of(p._subject) for p in self._bound)
        user = provider_of(self._subject)
        return (
            f"<{type(self).__name__}: {self.asked}, used by {user}: {by or 'nobody provides it'}>"
        )

    @property
    def asked(self) -> str:
        """What is asked for, for people."""
        return self._name.text + (f" {self.specifier}" if self.specifier else "")

    def wait(self, timeout: Optional[float] = None) -> bool:
        """Blocks until somebody provides it; whether somebody does.

        It ends early when the plugin that holds the handle is asked to stop. Inside of a
        transition of a plugin it ends after the host's ``transition_timeout`` at the latest.

        Args:
            timeout: Seconds to wait at most.
        """
        end = self._end(timeout)
        while self._goes_on(end):
            block(self._announce, _left(end))
        return bool(self)

    async def async_wait(self, timeout: Optional[float] = None) -> bool:
        """The async twin of ``wait``, on any event loop."""
        end = self._end(timeout)
        while self._goes_on(end):
            await suspend(self._announce, _left(end))
        return bool(self)

    def on_bound(self, callback: Callable[[Provision], Any]) -> "Undo":
        """Calls ``callback(provision)`` whenever a provider is bound, and once for each that is.

        It runs as who adds it here, not before that plugin is enabled; what it raises is
        contained. The provision says whose it is, its version and rank.

        Returns:
            What takes the callback back.

        Raises:
            HandlerRefused: It cannot be called, or is an async function.
        """
        return self._watch(callback, True)

    def on_unbound(self, callback: Callable[[Provision], Any]) -> "Undo":
        """Calls ``callback(provision)`` whenever a provider is not bound any more.

        The handle has another one by then, or none. For the rest see ``on_bound``.
        """
        return self._watch(callback, False)

    def fits(self, provision: Provision) -> bool:
        """Whether a provision is of a version that is asked for."""
        return specifier_contains(self.specifier, provision.version)

    def _watch(self, callback: Callable[[Provision], Any], bound: bool) -> "Undo":
        if not callable(callback):
            raise HandlerRefused(f"{callback!r} cannot be called, so it cannot watch a service")
        if is_async(callback):
            raise HandlerRefused(
                f"nobody would await the async callback {describe(callback)} of a service",
                hint="make it a plain function that calls pkl.create_task(…)",
            )
        watch = Watch(registrant(3), self, callback, bound)
        watch._subject.kernel.resource_manager.register(watch)
        return watch.release

    def _end(self, timeout: Optional[float]) -> Optional[float]:
        kernel = self._subject.kernel
        if timeout is None and not kernel.transitions.idle(current_actor()):
            timeout = kernel.transition_timeout
        return None if timeout is None else monotonic() + timeout

    def _goes_on(self, end: Optional[float]) -> bool:
        if self._bound or self.ended or token_of(self._subject).is_set():
            return False
        return end is None or monotonic() < end

    def _announce(self, wake: Callable[[], None]) -> "Undo":
        forget = token_of(self._subject).announce(wake)
        with self._subject.kernel.services.changing():
            self._waiting.append(wake)
            late = bool(self._bound) or self.ended
        if late:
            wake()

        def undo() -> None:
            forget()
            with self._subject.kernel.services.changing():
                if wake in self._waiting:
                    self._waiting.remove(wake)

        return undo

    def unavailable(self, provision: Optional[Provision]) -> Exception:
        """The error for a call that nobody can answer."""
        return unavailable(self, provision)

    def reconsider(self) -> None:
        """Leaves providers that have begun to stop."""
        self._subject.kernel.services.reconsider(self._name.key, self)

    def detached(self, line: Line, name: str, value: Any, provision: Provision) -> None:
        """Keeps a method that was looked up, if the line still leads to that provider."""
        with self._subject.kernel.services.changing():
            if line.provision is provision:
                line.kept[name] = value

    def watch(self, watch: Watch) -> None:
        """Tells a watch from now on, and first of what is bound."""
        with self._subject.kernel.services.changing() as change:
            if watch.held and not self.ended:
                self._watches = (*self._watches, watch)
                for provision in self._bound:
                    self._telling.note((watch,), provision, True)
                change.handles[self] = None

    def unwatch(self, watch: Watch) -> None:
        """Tells a watch no more."""
        with self._subject.kernel.services.changing():
            self._watches = tuple(each for each in self._watches if each is not watch)

    def tell(self) -> None:
        """Calls the callbacks that are due."""
        self._telling.tell()

    def settle(self, provisions: Sequence[Provision], change: Change) -> None:
        """Binds what is to be bound of those that there are, under the registry's lock."""
        if self.ended:
            return
        before, after = self._bound, self._choose(self._fitting(provisions))
        if before == after:
            return
        self._bound = after
        change.stale += self._lead(after)
        for gone in before:
            if gone not in after:
                self._telling.note(self._watches, gone, False)
        for come in after:
            if come not in before:
                self._telling.note(self._watches, come, True)
        if after:
            change.wakers += self._waiting
        change.handles[self] = None

    def end(self, change: Change) -> None:
        """Lets go of every provider for good, under the registry's lock."""
        self.ended = True
        change.stale += self._lead(())
        change.stale.append((self._bound, self._watches))
        self._bound, self._watches = (), ()
        change.wakers += self._waiting

    def _fitting(self, provisions: Sequence[Provision]) -> List[Provision]:
        """Those that fit, the best first.

        What the user's manifest is bound to comes first; pre-releases come last (PEP 440).
        """
        plugin = self._subject.plugin
        bindings = {} if plugin is None else plugin.bindings
        fitting = [p for p in provisions if p._subject.live and self.fits(p)]
        if len(fitting) > 1:
            fitting.sort(
                key=lambda p: (
                    p.capability not in bindings or bindings[p.capability] is not p.plugin,
                    not specifier_contains(self.specifier, p.version, False),
                )
            )
        return fitting

    def _choose(self, fitting: List[Provision]) -> Tuple[Provision, ...]:
        raise NotImplementedError

    def _lead(self, provisions: Tuple[Provision, ...]) -> List[Any]:
        """Leads the lines to these; gives what is to be let go of."""
        raise NotImplementedError

    def _cleanup(self) -> None:
        self._subject.kernel.services.detach(self._name.key, self._words, self)


def _left(end: Optional[float]) -> Optional[float]:
    return None if end is None else max(0.0, end - monotonic())
