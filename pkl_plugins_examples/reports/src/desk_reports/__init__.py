"""Reports of the tickets. Other plugins write ``from pkl.plugins import reports``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Dict, List

from pkl import Resource, get_current_plugin, syscall

from desk.ticket import Ticket

if TYPE_CHECKING:
    import desk_tickets as tickets
else:
    from pkl.plugins import tickets

__all__ = ["Format", "Render", "add_format", "formats", "render"]

Render = Callable[[List[Ticket]], str]

_formats: Dict[str, Format] = {}


class Format(Resource):
    """A way to write tickets down, held by the plugin that knows it."""

    def __init__(self, name: str, function: Render) -> None:
        super().__init__()
        self.name = name
        self.render = function
        _formats[name] = self

    def __repr__(self) -> str:
        return f"<Format {self.name}>"

    def _cleanup(self) -> None:
        _formats.pop(self.name, None)


def add_format(name: str, function: Render) -> None:
    """Lets the calling plugin write tickets down, for as long as it runs."""
    plugin = get_current_plugin()
    if plugin is None:
        raise RuntimeError("only a plugin can have a format")
    plugin.host.resource_manager.register(Format(name, syscall(function)))


@syscall
def formats() -> List[str]:
    """The names of the formats there are."""
    return sorted(_formats)


@syscall
def render(name: str) -> str:
    """All tickets in that format.

    Raises:
        LookupError: There is no such format.
    """
    found = _formats.get(name)
    if found is None:
        raise LookupError(f"no format {name!r}; there are: {', '.join(sorted(_formats))}")
    return found.render(tickets.every_ticket())
