"""What a service is asked for by: a class, a Protocol, or the name of a capability."""

from __future__ import annotations

import re
from typing import Any, Dict, Hashable, NamedTuple, Optional, Tuple

from ..errors import ServiceRefused
from ..names import canonical, is_valid

__all__ = ["ServiceName", "capability_name", "check_implementation", "name_of"]


class ServiceName(NamedTuple):
    """Under what a service is filed."""

    key: Hashable
    """Equal for the same interface, of whatever generation."""
    text: str
    """The interface for people."""
    capability: Optional[str]
    """The name of the capability; None for an interface."""
    specials: Tuple[str, ...]
    """The special methods that the interface has."""


_PRIVATE = re.compile(r"__pkl_\d+(?=\.|$)")
"""What the loader adds to the name of a package of which another copy is in use."""


def name_of(interface: Any) -> ServiceName:
    """Under what an interface or capability is filed.

    An interface at the level of a module is known by that module's name and its own, so that
    those of a plugin's earlier and later load are the same; one made in a function is itself.

    Raises:
        ServiceRefused: It is none of these.
    """
    if isinstance(interface, str):
        name = capability_name(interface)
        return ServiceName(("capability", name), f"capability {name}", name, ())
    if not isinstance(interface, type):
        origin = getattr(interface, "__origin__", None)
        hint = f"leave its arguments out: {origin.__name__}" if isinstance(origin, type) else ""
        raise ServiceRefused(
            f"a service has a class, a Protocol or the name of a capability, not {interface!r}",
            hint=hint,
        )
    qualified = interface.__qualname__
    key: Hashable = interface
    if "<locals>" not in qualified:
        key = (_PRIVATE.sub("", interface.__module__), qualified)
    return ServiceName(key, f"service {interface.__name__}", None, _specials(interface))


def capability_name(text: str) -> str:
    """The canonical name of a capability.

    Raises:
        ServiceRefused: It is no name.
    """
    if not is_valid(text):
        raise ServiceRefused(
            f"{text!r} is not the name of a capability",
            hint="letters and digits, with '.', '_' and '-' between them",
        )
    return canonical(text)


def check_implementation(interface: Any, implementation: Any) -> None:
    """Checks that an object is what the interface says: an instance of the class, or, for a
    Protocol, something with all its members, whether it is runtime_checkable or not.

    Raises:
        ServiceRefused: It is not; the text names what is missing.
    """
    if isinstance(interface, str):
        if implementation is None:
            raise ServiceRefused(f"None cannot be the {interface} that others call")
        return
    whose = f"{_kind(implementation)} cannot be the service {interface.__name__}"
    hint = ""
    if isinstance(implementation, type) and interface in implementation.__mro__:
        hint = f"give an instance of it: {implementation.__name__}(…)"
    if not getattr(interface, "_is_protocol", False):
        if not isinstance(implementation, interface):
            raise ServiceRefused(
                f"{whose}: it is not an instance of that class",
                hint=hint or f"derive its class from {interface.__name__}, or make that a Protocol",
            )
        return
    if hint:
        raise ServiceRefused(f"{whose}: it is not an instance", hint=hint)
    members = _members(interface)
    missing = [name for name in sorted(members) if not _has(implementation, name)]
    if missing:
        raise ServiceRefused(
            f"{whose}: it lacks {', '.join(missing)}",
            hint="give it what is missing, with the arguments that the Protocol states",
            missing=missing,
        )
    inert = [
        name
        for name, member in members.items()
        if callable(member) and not callable(getattr(implementation, name, None))
    ]
    if inert:
        raise ServiceRefused(
            f"{whose}: its {', '.join(inert)} cannot be called",
            hint="make them methods",
            missing=inert,
        )


def _kind(implementation: Any) -> str:
    if isinstance(implementation, type):
        return f"the class {implementation.__name__}"
    return f"an object of type {type(implementation).__name__}"


def _has(implementation: Any, name: str) -> bool:
    """Whether an object has a member, found without running its properties if possible."""
    if any(name in vars(c) for c in type(implementation).__mro__):
        return True
    return hasattr(implementation, name)


_NOT_MEMBERS = (
    "__abstractmethods__ __annotate__ __annotate_func__ __annotations__ __annotations_cache__ "
    "__callable_proto_members_only__ __class_getitem__ __conditional_annotations__ __dict__ "
    "__doc__ __firstlineno__ __init__ "
    "__init_subclass__ __match_args__ __module__ __new__ __non_callable_proto_members__ "
    "__orig_bases__ __parameters__ __protocol_attrs__ __qualname__ __slots__ "
    "__static_attributes__ __subclasshook__ __type_params__ __weakref__ _is_protocol "
    "_is_runtime_protocol"
)
"""What stands in the dictionary of a Protocol and is none of its members."""


def _members(protocol: Any) -> Dict[str, Any]:
    """The members of a Protocol and of those it derives from, each with what is declared."""
    found: Dict[str, Any] = {}
    others = frozenset(_NOT_MEMBERS.split())
    for base in reversed(protocol.__mro__):
        if base.__dict__.get("_is_protocol") and base.__module__ != "typing":
            own = dict(vars(base))
            for name in own.get("__annotations__", ()):
                own.setdefault(name, None)
            for name, member in own.items():
                if name not in others and not name.startswith("_abc_"):
                    found[name] = getattr(member, "__func__", member)
    return found


_FORWARDED = (
    "__abs__ __add__ __aenter__ __aexit__ __aiter__ __and__ __anext__ __await__ __bool__ __bytes__ "
    "__call__ __contains__ __delitem__ __divmod__ __enter__ __exit__ __float__ __floordiv__ "
    "__format__ __fspath__ __ge__ __getitem__ __gt__ __index__ __int__ __invert__ __iter__ __le__ "
    "__len__ __length_hint__ __lshift__ __lt__ __matmul__ __mod__ __mul__ __neg__ __next__ __or__ "
    "__pos__ __pow__ __reversed__ __round__ __rshift__ __setitem__ __str__ __sub__ __truediv__ "
    "__xor__"
)
"""Special methods that Python looks for on a type, and that therefore have to be handed on."""


def _specials(interface: type) -> Tuple[str, ...]:
    found = {
        name
        for base in interface.__mro__
        if base is not object and base.__module__ != "typing"
        for name in vars(base)
    }
    return tuple(sorted(found.intersection(_FORWARDED.split())))
