"""Imports the application that ``--app`` names, and gets its host."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, Tuple

from ..discovery.environment import absolute
from ..errors import ApplicationError

if TYPE_CHECKING:
    from ..host import PluginHost

__all__ = ["host_of", "look_at"]


def look_at(app: str) -> "PluginHost":
    """The host of an application that is imported only to be looked at: it may start nothing.

    Raises:
        ApplicationError: It cannot be imported, it tries to start its host, or it has none.
    """
    from ..host.looking import only_looking

    with only_looking():
        return host_of(app)


def host_of(app: str) -> "PluginHost":
    """The host that ``MODULE:ATTR`` names: a ``PluginHost``, or a callable that returns one.

    The current directory comes first on ``sys.path`` during and after the import, as with
    ``python -m``.

    Raises:
        ApplicationError: It cannot be imported, or it is no host.
    """
    from ..host import PluginHost

    module, attribute = _split(app)
    here = absolute(".")
    if here not in sys.path:
        sys.path.insert(0, here)
    found = _guarded(app, f"importing {module}", lambda: import_module(module))
    for part in attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            file = getattr(sys.modules.get(module), "__file__", None)
            raise ApplicationError(
                f"--app {app}: {module} has no {attribute}",
                file=file,
                hint="name the PluginHost, or a function without arguments that returns it",
            ) from None
    if not isinstance(found, PluginHost) and callable(found):
        function = found
        found = _guarded(app, f"calling {attribute}()", lambda: function())
    if not isinstance(found, PluginHost):
        raise ApplicationError(
            f"--app {app} is a {type(found).__name__}, not a PluginHost",
            hint="name the PluginHost, or a function without arguments that returns it",
        )
    return found


def _split(app: str) -> Tuple[str, str]:
    module, colon, attribute = app.partition(":")
    if not colon or not all(part.isidentifier() for part in (*module.split("."), attribute[:1])):
        raise ApplicationError(
            f"--app {app!r} is not MODULE:ATTR", hint="write it as in --app shop.main:host"
        )
    return module, attribute


def _guarded(app: str, doing: str, act: Any) -> Any:
    """Runs the application's code; whatever it raises is its own fault."""
    try:
        return act()
    except KeyboardInterrupt:
        raise
    except BaseException as e:
        hint = getattr(e, "hint", "") or "correct the application, or leave --app out"
        raise ApplicationError(
            f"--app {app}: {doing} raised {type(e).__name__}\n{e}".rstrip(), hint=hint
        ) from e
