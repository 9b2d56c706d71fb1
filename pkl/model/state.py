"""The two axes of a plugin's life, the reason it is not running, and the one transition table."""

from __future__ import annotations

from enum import Enum
from typing import Dict, Mapping, NamedTuple, Optional, Tuple

__all__ = ["TRANSITIONS", "Action", "Desired", "PluginState", "Reason", "step"]


class PluginState(str, Enum):
    """What a plugin actually is; only the kernel moves it."""

    UNLOADED = "unloaded"
    """Known, its code not imported."""
    LOADED = "loaded"
    """Imported; what it registered is staged."""
    ENABLING = "enabling"
    """Its ``on_enable`` handlers run."""
    ENABLED = "enabled"
    """Running; everything it registered is live."""
    DISABLING = "disabling"
    """What it holds is being taken back."""
    DISABLED = "disabled"
    """Stopped on request."""
    ERROR = "error"
    """It failed; ``reason`` says at which stage."""
    BLOCKED = "blocked"
    """Something it needs is missing; ``reason`` says what."""

    def __str__(self) -> str:
        return self.value


class Desired(str, Enum):
    """What people want of a plugin, persisted."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    """Not started by itself nor by ``wants``; ``requires`` still pulls it in."""
    MASKED = "masked"
    """Never started."""

    def __str__(self) -> str:
        return self.value


class Reason(NamedTuple):
    """Why a plugin is not running."""

    code: str
    """A stable word such as ``missing``, ``unsatisfied``, ``cycle``, ``load``, ``enable``."""
    message: str
    """What happened, to this plugin."""
    cause: str
    """The root cause, in one line; the same for every plugin that one fault holds up."""
    remedy: str
    """What to type or change next; may be empty."""

    def as_dict(self) -> Dict[str, str]:
        """The reason as the JSON object of ``pkl.resolve/1`` and ``pkl.list/1``."""
        return dict(self._asdict())


class Action(str, Enum):
    """What the kernel may do to a plugin's state."""

    LOADED = "loaded"
    BEGIN_ENABLE = "begin-enable"
    COMMIT = "commit"
    BEGIN_DISABLE = "begin-disable"
    STOPPED = "stopped"
    UNLOAD = "unload"
    FAIL = "fail"
    BLOCK = "block"

    def __str__(self) -> str:
        return self.value


_S, _A = PluginState, Action
_REST = {_A.LOADED: _S.LOADED, _A.UNLOAD: _S.UNLOADED, _A.FAIL: _S.ERROR, _A.BLOCK: _S.BLOCKED}

TRANSITIONS: Mapping[PluginState, Mapping[Action, PluginState]] = {
    _S.UNLOADED: _REST,
    _S.LOADED: {
        _A.BEGIN_ENABLE: _S.ENABLING,
        _A.BEGIN_DISABLE: _S.DISABLING,
        _A.UNLOAD: _S.UNLOADED,
        _A.FAIL: _S.ERROR,
        _A.BLOCK: _S.BLOCKED,
    },
    _S.ENABLING: {
        _A.COMMIT: _S.ENABLED,
        _A.BEGIN_DISABLE: _S.DISABLING,
        _A.FAIL: _S.ERROR,
    },
    _S.ENABLED: {_A.BEGIN_DISABLE: _S.DISABLING},
    _S.DISABLING: {
        _A.STOPPED: _S.DISABLED,
        _A.UNLOAD: _S.UNLOADED,
        _A.FAIL: _S.ERROR,
        _A.BLOCK: _S.BLOCKED,
    },
    _S.DISABLED: _REST,
    _S.ERROR: _REST,
    _S.BLOCKED: {**_REST, _A.STOPPED: _S.DISABLED},
}
"""Every legal move; an absent pair is refused."""


def step(state: PluginState, action: Action) -> Optional[PluginState]:
    """The state that ``action`` leads to from ``state``, or None where it is not legal."""
    return TRANSITIONS[state].get(action)


def legal(state: PluginState) -> Tuple[Action, ...]:
    """The actions that are legal in ``state``, in the table's order."""
    return tuple(TRANSITIONS[state])
