"""``pkl run``: starts a host with its plugins, waits, and stops it in order."""

from __future__ import annotations

import logging
import os
import signal
import sys
from contextlib import contextmanager, suppress
from time import monotonic
from types import FrameType
from typing import (
    TYPE_CHECKING,
    Any,
    Dict,
    Iterator,
    List,
    Mapping,
    Optional,
    Tuple,
)

import click

from ..discovery import DEFAULT_GROUP, discover
from ..errors import UsageError
from ..host import PluginHost, StartReport
from ..host.default import set_default_host
from ..names import printable
from .application import host_of
from .options import Verb
from .points import declared_by
from .project import Project, read_project
from .recorded import host_called
from .session import Session

if TYPE_CHECKING:
    from ..model.state import Reason

__all__ = ["command"]

DEGRADED = 1
REFUSED = 9
SHOWN = 10
"""How many enabled plugins have a row of their own without -v."""


class _Terminated(KeyboardInterrupt):
    """SIGTERM arrived. A KeyboardInterrupt, because that is what no plugin's code may hold up."""


@click.command("run", cls=Verb)
@click.option("--only", metavar="NAME", multiple=True, help="Start only this and what it needs.")
@click.option("--strict", is_flag=True, help="Exit with 1 unless everything wanted runs.")
@click.option("--safe-mode", is_flag=True, help="Start only what is critical, to repair the rest.")
@click.option("--timeout", type=click.FloatRange(min=0), help="Stop after so many seconds.")
@click.pass_obj
def command(
    session: Session,
    only: Tuple[str, ...],
    strict: bool,
    safe_mode: bool,
    timeout: Optional[float],
) -> int:
    """Start a host with its plugins, and stop it in order.

    The host is that of --app, PKL_APP or app in [tool.pkl], or the one that --host names; without
    an application, one is made from [tool.pkl], --group and --path. It stops when a plugin calls
    host.exit(code), whose code becomes the exit status, on SIGTERM (0), after --timeout (0), or
    on Ctrl-C (130). It exits with 9 if a critical plugin does not run. If the last start of the
    host died, that is said first, with the plugin that was starting.
    """
    host = _host(session)
    host.safe_mode = host.safe_mode or safe_mode
    _log_to_stderr(session)
    set_default_host(host)
    status = 0
    with _ended_by_signals(), host, suppress(_Terminated):
        report = host.start(*only)
        _show(session, host, report)
        if report.status == "refused":
            status = REFUSED
        elif strict and not report.ok:
            status = DEGRADED
        else:
            _wait(host, timeout)
    if status:
        return status
    for receipt in host.receipts:
        if receipt.left:
            left = ", ".join(map(str, receipt.left))
            session.note(f"left behind by {receipt.plugin} {receipt.version}: {left}")
    return host.exit_code or 0


def _host(session: Session) -> PluginHost:
    """The host to run.

    Raises:
        UsageError: Nothing says which, or an application and something else do.
        ApplicationError: The application cannot be imported, or has no host.
        HostNotFound: Nobody knows the host that ``--host`` names.
    """
    chosen = session.group is not None or bool(session.paths)
    if session.app and (chosen or session.host is not None):
        raise UsageError(
            "--app brings its own host, group and paths",
            hint="leave --host, --group and --path out",
        )
    told = read_project("") if session.host is None else host_called(session.host)
    app = session.app or told.app
    if session.host is None and not session.app:
        app = os.environ.get("PKL_APP") or app
    if app and not chosen:
        host = host_of(app)
        host.app = app  # for pkl run --host NAME
        return host
    if not chosen and session.host is None and told == Project():
        raise UsageError(
            "nothing says which host to run",
            hint="pkl run --app MODULE:ATTR, or --group GROUP, or --path DIR, or write [tool.pkl]"
            " into pyproject.toml",
        )
    own = told.group or DEFAULT_GROUP
    mine = session.group in (None, own)
    named = discover(named_paths=session.paths, sys_path=[], cache=False).candidates
    return PluginHost(
        told.name if mine else None,
        version=told.version if mine else None,
        group=session.group or own,
        paths=[*(told.paths if mine else ()), *session.paths],
        contributions=declared_by(told) if mine else None,
        # As everywhere, what --path names outranks what is installed.
        precedence=[each.location for each in named if each.location is not None],
    )


def _wait(host: PluginHost, timeout: Optional[float]) -> None:
    """Waits for ``host.exit()`` or the end of the time given."""
    end = None if timeout is None else monotonic() + timeout
    while host.exit_code is None:
        # A bounded wait, because on Windows an unbounded one is deaf to Ctrl-C.
        left = 3600.0 if end is None else end - monotonic()
        if left <= 0:
            return
        host.wait(min(left, 1.0 if sys.platform == "win32" else left))


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Makes SIGTERM end the start and the wait as Ctrl-C does, but as a wish and not a failure."""

    def raise_terminated(number: int, frame: Optional[FrameType]) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # or a second one would cut the stop short
        raise _Terminated

    before: Any = signal.signal(signal.SIGTERM, raise_terminated)
    try:
        yield
    except _Terminated:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)


def _show(session: Session, host: PluginHost, report: StartReport) -> None:
    if session.json:
        session.document("pkl.run/1", _as_dict(host, report))
        sys.stdout.flush()
        return
    limit = len(report.enabled) if session.verbosity > 0 else SHOWN
    session.write(report.as_text(terminal=session.out, limit=limit))
    if report.safe_mode:
        session.note("safe mode: only what is critical was to start, and what that requires")
    for note in report.notes if session.verbosity > 0 else ():
        session.note(f"note: {note}")
    sys.stdout.flush()


def _as_dict(host: PluginHost, report: StartReport) -> Dict[str, Any]:
    def row(name: str) -> Dict[str, Any]:
        plugin = host.get_plugin(name)
        return {"name": name, "version": plugin.version if plugin is not None else None}

    def started(name: str) -> Dict[str, Any]:
        how = report.activations.get(name)
        return {
            **row(name),
            "seconds": report.timings.get(name),
            "activation": how.as_dict() if how is not None else None,
        }

    def held(reasons: "Mapping[str, Reason]") -> List[Dict[str, Any]]:
        return [{**row(name), "reason": reason.as_dict()} for name, reason in reasons.items()]

    return {
        "host": host.name,
        "group": host.group,
        "status": report.status,
        "seconds": report.seconds,
        "enabled": [started(name) for name in report.enabled],
        "blocked": held(report.blocked),
        "failed": held(report.failed),
        "waiting": held(report.waiting),
        "stopped": held(report.stopped),
        "critical_path": list(report.critical_path),
        "notes": list(report.notes),
        "died": [each.as_dict() for each in report.died],
        "safe_mode": report.safe_mode,
    }


class _Printable(logging.Formatter):
    """Log lines in which what plugins wrote can do a terminal no harm."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(map(printable, super().format(record).split("\n")))


def _log_to_stderr(session: Session) -> None:
    """Shows warnings, more with -v, unless the application has set logging up."""
    root = logging.getLogger()
    if root.handlers:
        return
    levels = {-1: logging.ERROR, 0: logging.WARNING, 1: logging.INFO}
    handler = logging.StreamHandler()
    handler.setFormatter(_Printable("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.addHandler(handler)
    quiet = logging.CRITICAL if session.verbosity < -1 else logging.DEBUG
    root.setLevel(levels.get(session.verbosity, quiet))
