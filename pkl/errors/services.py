"""What can be wrong with a service: how it is provided, asked for, and whether it is there."""

from __future__ import annotations

from .base import PklError
from .kinds import PluginNotRunning

__all__ = ["CapabilityNotProvided", "ServiceRefused", "ServiceUnavailable"]


class ServiceRefused(PklError, TypeError, ValueError):
    """A service was provided or asked for in a way that makes no sense; nothing was registered."""

    code = "E_SERVICE_REFUSED"
    exit_status = 5


class ServiceUnavailable(PluginNotRunning, LookupError):
    """Nobody provides the service now; the text says who could and why they do not."""

    code = "E_SERVICE"
    exit_status = 9


class CapabilityNotProvided(PklError, LookupError):
    """A plugin runs and does not provide a capability that its manifest promises."""

    code = "E_CAPABILITY"
    exit_status = 9
