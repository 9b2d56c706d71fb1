"""``use``: a typed handle of a service that follows whoever provides it."""

from __future__ import annotations

from typing import (
    Any,
    Callable,
    Dict,
    Generic,
    Hashable,
    Iterator,
    List,
    Optional,
    Tuple,
    TypeVar,
    overload,
)

from ..errors import ServiceRefused
from ..model.requirement import check_specifier, parse_requirement
from .context import Subject
from .interface import ServiceName, name_of
from .ownership import registrant
from .provision import Provision
from .service_api import Line, connect
from .service_handle import ServiceHandle
from .service_words import unavailable

__all__ = ["Service", "Services", "use", "use_all"]

T = TypeVar("T")


class Service(ServiceHandle, Generic[T]):
    """One provider of a service at a time, made by ``use``.

    Attributes:
        api: What the provider provides: its methods run as the provider, whoever that is by now.
        greedy: Whether it takes a better provider as soon as there is one.
    """

    def __init__(
        self,
        subject: Subject,
        name: ServiceName,
        specifier: str,
        optional: bool,
        words: Hashable,
        greedy: bool,
    ) -> None:
        super().__init__(subject, name, specifier, optional, words)
        self.greedy = greedy
        self._line = Line(self, None)
        self.api: T = connect(self._line, name.specials)

    @property
    def provider(self) -> Optional[Provision]:
        """What it is bound to: whose it is, its version and rank; None without a provider."""
        return self._line.provision

    def _choose(self, fitting: List[Provision]) -> Tuple[Provision, ...]:
        if not self.greedy and self._bound and self._bound[0] in fitting:
            return self._bound
        return tuple(fitting[:1])

    def _lead(self, provisions: Tuple[Provision, ...]) -> List[Any]:
        return self._line.lead_to(provisions[0] if provisions else None)


class Services(ServiceHandle, Generic[T]):
    """Every provider of a service, best first, made by ``use_all``; iterates over their APIs."""

    def __init__(
        self, subject: Subject, name: ServiceName, specifier: str, optional: bool, words: Hashable
    ) -> None:
        super().__init__(subject, name, specifier, optional, words)
        self._apis: Dict[Provision, T] = {}

    def __iter__(self) -> Iterator[T]:
        """Those that there are when it begins; one that stops meanwhile refuses its calls."""
        return iter(tuple(self._apis.values()))

    def __len__(self) -> int:
        return len(self._bound)

    @property
    def providers(self) -> Tuple[Provision, ...]:
        """What it is bound to, in the order of iteration."""
        return self._bound

    def _choose(self, fitting: List[Provision]) -> Tuple[Provision, ...]:
        return tuple(fitting)

    def _lead(self, provisions: Tuple[Provision, ...]) -> List[Any]:
        before = self._apis
        self._apis = {
            p: before[p] if p in before else connect(Line(self, p), self._name.specials)
            for p in provisions
        }
        return [before]


# An interface is typed as a callable: Type[T] would refuse abstract classes and Protocols.
@overload
def use(
    interface: str,
    specifier: str = "",
    *,
    optional: bool = False,
    greedy: bool = False,
    timeout: Optional[float] = None,
) -> Service[Any]: ...


@overload
def use(
    interface: Callable[..., T],
    specifier: str = "",
    *,
    optional: bool = False,
    greedy: bool = False,
    timeout: Optional[float] = None,
) -> Service[T]: ...


def use(
    interface: Any,
    specifier: str = "",
    *,
    optional: bool = False,
    greedy: bool = False,
    timeout: Optional[float] = None,
) -> Any:
    """A handle of a service that some plugin, or the host, provides now or later.

    ``use(Store, ">=2").api.save(…)`` calls the provider of the moment, as that provider. The
    handle follows it when it stops, returns, is replaced or loaded anew. It is a resource of
    who asks; asked again in the same words, the same handle is given. Safe from any thread.

    Args:
        interface: A class, a Protocol, or a capability, with or without versions:
            ``"audit-log>=1.1"``.
        specifier: The versions that will do (PEP 440), such as ``>=2,<3``; empty for any.
        optional: Whether it is no fault if nobody provides it; ``host.check()`` finds others.
        greedy: Take a better provider as soon as there is one. Otherwise a provider is kept
            while it provides.
        timeout: Seconds to wait right here until somebody provides it.

    Raises:
        ServiceRefused: ``interface`` is none of these.
        RequirementError: The versions cannot be read.
        ServiceUnavailable: Nobody has provided it within ``timeout``, and it is not optional.
        PluginNotRunning: The current plugin has been stopped.
    """
    name, specifier = _asked(interface, specifier)
    subject = registrant(2)
    words = (Service, subject, specifier, optional, greedy)
    handle, made = _attach(
        name, words, lambda: Service(subject, name, specifier, optional, words, greedy)
    )
    if timeout is not None and not handle.wait(timeout) and not optional:
        error = unavailable(handle, waited=timeout)
        if made:
            handle.release()
        raise error
    return handle


@overload
def use_all(interface: str, specifier: str = "", *, optional: bool = True) -> Services[Any]: ...


@overload
def use_all(
    interface: Callable[..., T], specifier: str = "", *, optional: bool = True
) -> Services[T]: ...


def use_all(interface: Any, specifier: str = "", *, optional: bool = True) -> Any:
    """A handle of every provider of a service: ``for store in use_all(Store): store.save(…)``.

    Best first: by rank, then version, then the name of the plugin. Safe from any thread.

    Args:
        interface: As for ``use``.
        specifier: As for ``use``.
        optional: Whether it is no fault if nobody provides it.

    Raises:
        ServiceRefused: ``interface`` is neither a class, a Protocol nor a capability.
        RequirementError: The versions cannot be read.
        PluginNotRunning: The current plugin has been stopped.
    """
    name, specifier = _asked(interface, specifier)
    subject = registrant(2)
    words = (Services, subject, specifier, optional)
    handle, _ = _attach(name, words, lambda: Services(subject, name, specifier, optional, words))
    return handle


def _asked(interface: Any, specifier: str) -> Tuple[ServiceName, str]:
    if isinstance(interface, str):
        requirement = parse_requirement(interface)
        if requirement.marker is not None or requirement.extras:
            raise ServiceRefused(
                f"{interface!r} asks for more than a capability and its versions",
                hint="leave out what follows the versions",
            )
        if requirement.specifier and specifier:
            raise ServiceRefused(
                f"{interface!r} states versions already, and so does {specifier!r}"
            )
        return name_of(requirement.name), check_specifier(specifier or requirement.specifier)
    return name_of(interface), check_specifier(specifier) if specifier else ""


def _attach(name: ServiceName, words: Tuple[Any, ...], make: Any) -> Tuple[Any, bool]:
    kernel = words[1].kernel
    if name.capability is not None:
        kernel.activations.for_capability(name.capability)
    handle, made = kernel.services.attach(name.key, words, make)
    if made:
        try:
            kernel.resource_manager.register(handle)
        except BaseException:
            kernel.services.detach(name.key, words, handle)
            raise
    return handle, made
