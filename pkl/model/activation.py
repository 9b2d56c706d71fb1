"""When a plugin is started that is not to be started with the host: its triggers, in words."""

from __future__ import annotations

from typing import Any, Collection, Dict, List, NamedTuple, Sequence, Tuple

from .plan import Step
from .state import Reason

__all__ = ["WAITING", "Activation", "is_lazy", "waiting_reason", "waiting_steps"]

WAITING = "waiting"
"""Code of the reason of a plugin that is started when somebody needs it."""


class Activation(NamedTuple):
    """How a plugin came to be started by one of its triggers, or was to be; see
    ``plugin.activation``."""

    trigger: str
    """As the manifest states it, such as ``event:auth.user_login`` or ``import``."""
    by: str
    """The plugin whose code set it off; empty for the host."""
    at: float
    """When, in seconds since the epoch."""
    seconds: float
    """How long whoever set it off waited for it."""
    pulled_in: Tuple[str, ...]
    """The other plugins that were started for it, in start order."""
    failed: str = ""
    """Why the start failed; empty if it did not."""

    @property
    def told(self) -> str:
        """In words, such as ``started by event:auth.login of shop in 3.1 ms``."""
        what = "could not be started" if self.failed else "started"
        who = f" of {self.by}" if self.by else ""
        others = f", with {', '.join(self.pulled_in)}" if self.pulled_in else ""
        return f"{what} by {self.trigger}{who} in {self.seconds * 1000:.1f} ms{others}"

    def as_dict(self) -> Dict[str, Any]:
        """The activation as JSON-representable values."""
        return {**self._asdict(), "pulled_in": list(self.pulled_in)}


def is_lazy(activation: Sequence[str]) -> bool:
    """Whether a plugin with these activations waits for one of them when its host starts."""
    return "startup" not in activation


def waiting_steps(
    steps: Sequence[Step], roots: Collection[str], running: Collection[str], asked: bool
) -> Dict[str, Reason]:
    """The steps of a plan that are not taken before a trigger fires, each with the reason.

    Besides the plugins with triggers these are those that only such plugins pull in.

    Args:
        steps: The steps.
        roots: Names of what is to be started.
        running: Names of what runs already.
        asked: Whether the roots were asked for by name: such do not wait.
    """
    by_name = {step.name: step for step in steps}
    lazy = {n for n, step in by_name.items() if is_lazy(step.candidate.metadata.activation)}
    if not lazy:
        return {}
    now: Dict[str, None] = {}
    todo: List[str] = [n for n in roots if n in by_name and (asked or n not in lazy)]
    todo += [name for name in by_name if name in running]
    while todo:
        name = todo.pop()
        if name not in now:
            now[name] = None
            todo += by_name[name].bindings.values() if name in by_name else ()
    return {name: _reason(step) for name, step in by_name.items() if name not in now}


def _reason(step: Step) -> Reason:
    activation = step.candidate.metadata.activation
    return waiting_reason(step.name, step.version, activation if is_lazy(activation) else ())


def waiting_reason(name: str, version: str, activation: Sequence[str]) -> Reason:
    """Why a plugin does not run that nobody has needed yet.

    Args:
        name: Its name.
        version: Its version.
        activation: Its triggers; none for one that is merely pulled in by others.
    """
    what = " or ".join(map(_words, activation)) or "a plugin that requires it to be needed"
    return Reason(
        WAITING,
        f"plugin {name!r} {version} waits for {what}",
        f"{name} {version} has not been needed yet",
        f"to start it at once: host.get_plugin({name!r}).enable(), or pkl run --only {name}",
    )


def _words(activation: str) -> str:
    kind, _, subject = activation.partition(":")
    if subject:
        return f"the {kind} {subject}"
    return "the host to be idle" if kind == "idle" else "somebody to import it"
