"""The entry point: what auth does by itself while it is enabled."""

from __future__ import annotations

from pkl import get_logger, log, this

from . import locked, login_refused, sessions

door = get_logger("door")


@login_refused.on
def count_refusal(name: str) -> None:
    """Locks an account after three refusals."""
    locked[name] = locked.get(name, 0) + 1
    door.warning("%s was refused, %d of 3 times", name, locked[name])


@this.on_enable.on
def opened() -> None:
    """Says so."""
    log.debug("the door is open")


@this.on_disable.on
def closing() -> None:
    """Tells who has to go: resources are taken back after the ``on_disable`` handlers."""
    log.info("the door closes; still here: %s", ", ".join(sessions()) or "nobody")
