"""Every way in which a plugin does not run, or runs and is impaired: the codes of reasons."""

from __future__ import annotations

from typing import Mapping, NamedTuple, Tuple

__all__ = ["KINDS", "ReasonKind"]


class ReasonKind(NamedTuple):
    """What a code of ``plugin.reason`` or ``plugin.impairments`` means."""

    code: str
    state: str
    """The state of the plugin; ``enabled`` for an impairment."""
    meaning: str
    """What it says of the plugin."""
    cause: str
    """What ``reason.cause`` names: the root, whatever lies in between."""
    remedy: str
    """What is to be done; commands stand in backquotes, with ``NAME`` for the plugin, ``OTHER``
    for the one that is the cause, and ``DIST`` for a distribution."""


_ENABLE = "`host.get_plugin('NAME').enable()`"
_ROOT = "that of the plugin at the root"
_ROWS: Tuple[Tuple[str, str, str, str, str], ...] = (
    # People's wishes.
    (
        "disabled",
        "unloaded",
        "people want it `disabled`, and nothing that starts requires it",
        "that wish",
        "`pkl enable NAME`",
    ),
    ("masked", "unloaded, blocked", "people want it `masked`", "that wish", "`pkl enable NAME`"),
    (
        "safe-mode",
        "blocked",
        "the host was started in safe mode, and it is not critical",
        "that",
        "repair what is broken, then start the host without safe mode",
    ),
    (
        "held",
        "enabled",
        "a newer version of it asks for what nobody has consented to; the old one stays",
        "what it asks for",
        "`pkl upgrade NAME --consent NAME==VERSION`",
    ),
    # Not yet.
    (
        "waiting",
        "unloaded",
        "it is lazy, and none of its triggers has fired",
        "that nobody has needed it",
        f"use it, or {_ENABLE}, or `pkl run --only NAME`",
    ),
    ("not-loaded", "unloaded", "nobody has started it", "the same", _ENABLE),
    ("not-enabled", "loaded", "it is loaded, and nobody has enabled it", "the same", _ENABLE),
    # Somebody stopped it.
    (
        "stopped",
        "disabled",
        "the application disabled it, or the plugin that loaded it did",
        "who did",
        _ENABLE,
    ),
    ("stopped-itself", "disabled", "it disabled itself", "the same", _ENABLE),
    (
        "stopped-with",
        "disabled",
        "something that it requires, directly or not, was stopped",
        "why that was stopped",
        _ENABLE,
    ),
    (
        "parent-stopped",
        "disabled",
        "its parent was stopped",
        "why that was stopped",
        "`host.get_plugin('OTHER').enable()`, or `host.get_plugin('NAME').enable(detach=True)`",
    ),
    (
        "replaced",
        "disabled",
        "a plugin that conflicts with it was enabled with `replace=True`",
        "that plugin",
        "`host.get_plugin('NAME').enable(replace=True)`",
    ),
    (
        "deadline",
        "disabled",
        "it was stopped, and given up at its deadline: some of what it ran had not ended",
        "what had not ended, where that was, and why the plugin was stopped",
        f"{_ENABLE}; only a new process is rid of what still runs",
    ),
    (
        "refused",
        "disabled, unloaded",
        "a critical plugin does not run, so everything that this start had begun was stopped",
        "why the critical plugin does not run",
        "that of the critical plugin: `pkl why OTHER`",
    ),
    ("host-closed", "unloaded", "its host was closed", "the same", "make and start a new host"),
    # It failed.
    (
        "manifest",
        "error",
        "its manifest is faulty",
        "the first fault; the message has all",
        "correct the file, then run `pkl check`",
    ),
    (
        "config",
        "error",
        "its settings break its schema",
        "that",
        "`pkl config NAME`; `pkl config NAME set KEY VALUE`",
    ),
    (
        "load",
        "error",
        "its code could not be imported",
        "the error, with file and line",
        f"correct its code, or install what it imports, then `host.reset('NAME')` or {_ENABLE}",
    ),
    (
        "enable",
        "error",
        "one of its `on_enable` handlers raised",
        "the error, with file and line",
        f"correct its code, then `host.reset('NAME')` or {_ENABLE}",
    ),
    (
        "crash",
        "error",
        "somebody said that it failed while it ran, with `plugin.crash()`",
        "the error",
        f"correct its code, then `host.reset('NAME')` or {_ENABLE}",
    ),
    (
        "quarantined",
        "blocked",
        "it failed so often, or hung, that nothing starts it any more",
        "what it failed of, or the call that hung",
        "`pkl reset NAME`",
    ),
    # It lacks something.
    (
        "missing",
        "blocked",
        "no plugin or capability has the name that it requires",
        "who requires what",
        "`pkl install OTHER`",
    ),
    (
        "unsatisfied",
        "blocked",
        "what it requires is there in versions that do not fit, alone or together",
        "who requires what, and what there is",
        "`pkl install OTHER`, or `pkl upgrade NAME`",
    ),
    (
        "capability",
        "blocked",
        "a capability that it requires is provided in another version only",
        "who requires what, and what there is",
        "`pkl upgrade OTHER`",
    ),
    (
        "prerelease-only",
        "blocked",
        "only pre-releases would do, and these are not taken unasked",
        "which",
        "`pkl install OTHER==VERSION`",
    ),
    ("requirement-blocked", "blocked", "what it requires cannot be started", _ROOT, _ROOT),
    (
        "requirement-failed",
        "blocked",
        "what it requires is there, and failed or was stopped",
        _ROOT,
        _ROOT,
    ),
    (
        "cycle",
        "blocked",
        "its requirements lead back to it",
        "the circle",
        "make one `requires` of it a `wants` or an `after`",
    ),
    (
        "conflict",
        "blocked",
        "it conflicts with a plugin that runs, or that is preferred",
        "who conflicts with whom",
        "`pkl disable OTHER`, or `pkl upgrade NAME`",
    ),
    # It does not fit here.
    (
        "host-version",
        "blocked",
        "it needs another version of the application",
        "which",
        "`pkl upgrade NAME`",
    ),
    (
        "python-version",
        "blocked",
        "it needs another version of Python",
        "which",
        "`pkl upgrade NAME`, or run it with that Python",
    ),
    (
        "tier",
        "blocked",
        "its manifest asks to be confined, which this host cannot do",
        "the same",
        'set `tier = "in-process"` in its manifest, to run it unconfined all the same',
    ),
    (
        "platform",
        "blocked",
        "a registry has no wheel of it for this Python and platform",
        "the same",
        "take another version",
    ),
    # What is installed is not in order.
    (
        "collision",
        "blocked",
        "several sources offer a plugin of its name",
        "all of them",
        "`pip uninstall DIST` of all but one, or `precedence=` of the host",
    ),
    ("set-aside", "unloaded", "another source of its name is preferred", "which", ""),
    (
        "metadata",
        "blocked",
        "its distribution has no metadata that can be read",
        "which file",
        "`pip install --force-reinstall DIST`",
    ),
    (
        "version",
        "blocked",
        "its version is not one (PEP 440)",
        "the version",
        "release it under another version",
    ),
    (
        "stale",
        "blocked",
        "it is installed in editable mode, and its files are gone",
        "which",
        "`pip install -e` its project where it is now, or `pip uninstall DIST`",
    ),
    (
        "entry-point-target",
        "blocked",
        "its entry point names a module that is not there",
        "which",
        "`pip install --force-reinstall DIST`",
    ),
    ("not-installed", "", "it is in a registry only", "the same", "`pkl install NAME`"),
    (
        "revoked",
        "blocked",
        "its registry revoked this version",
        "what the registry says",
        "install another version, or `pkl disable NAME`",
    ),
    (
        "yanked",
        "blocked",
        "its registry withdrew this version",
        "what the registry says",
        "take another version",
    ),
    (
        "too-young",
        "blocked",
        "a registry has had this version for less than `--min-age`",
        "since when",
        "wait, or ask for a lower `--min-age`",
    ),
    (
        "libraries",
        "blocked",
        "what it needs of other libraries cannot be had together with the rest",
        "who needs what",
        "ask for another version of it",
    ),
    (
        "source",
        "blocked",
        "it is to be installed from elsewhere than it was",
        "both places",
        "`pkl install NAME`",
    ),
    (
        "budget",
        "blocked",
        "the resolver gave up after its number of steps",
        "the same",
        "`pkl lock`",
    ),
    # Its start did not come about.
    (
        "busy",
        "blocked",
        "another thread or task was in a transition of it for too long",
        "the same",
        "see what its `on_enable` or `on_disable` waits for, then call `host.refresh()`",
    ),
    (
        "deadlock",
        "blocked",
        "to start it would have waited for the very call that was to start it",
        "the way round",
        "start it from elsewhere",
    ),
    ("not-started", "blocked", "it could not be started", "the error", "see the message"),
    # It runs, but.
    (
        "want-missing",
        "enabled",
        "it runs without a plugin that it wants",
        "why that does not run",
        "that of the other plugin: `pkl why OTHER`",
    ),
    (
        "breaker-open",
        "enabled",
        "its handlers of an event or a hook are skipped for a while, because they kept failing",
        "which",
        "none needed if the failure passes; else correct its code, then disable and enable it",
    ),
    (
        "slow",
        "enabled",
        "a call of its code takes long",
        "which, in which thread, since when, at which line",
        "`pkl disable NAME`, though the call itself cannot be stopped",
    ),
    (
        "hung",
        "enabled",
        "a call of its code takes so long that it will hardly return",
        "which, in which thread, since when, at which line",
        "`pkl disable NAME`, though the call itself cannot be stopped",
    ),
    (
        "handlers-blocked",
        "enabled",
        "its hook handlers are not called",
        "`host.block_handlers()`",
        "`host.unblock_handlers('NAME')`",
    ),
)

KINDS: Mapping[str, ReasonKind] = {row[0]: ReasonKind(*row) for row in _ROWS}
"""Every code, by itself."""
