"""What was consented to, and what was held, is kept in the state of the host."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, Iterable, Optional, Tuple

from ...model.permissions import items_of
from ...model.requirement import version_key
from ...store.state import Consent, HeldUpdate, HostState
from ...store.store import Change as StateChange
from ...store.store import StateStore
from .holding import Held, Settled
from .trust import Change

__all__ = ["keep_consents", "with_consents"]


def keep_consents(store: StateStore, host: str, settled: Settled, *, by: str) -> StateChange:
    """Keeps what was consented to and which updates are held, in one step.

    To be called when the solution is in place: what was consented to with an installation that
    failed is asked for again.

    Args:
        store: Where the state is kept.
        host: The host's name.
        settled: What was decided.
        by: The command, such as ``pkl upgrade audit``.

    Raises:
        StateNewer: A later version of pkl wrote the file; nothing was changed.
        StateUnavailable: It cannot be read or written; nothing was changed.
        LockTimeout: Another is changing it all the while.
    """
    since = store.now()
    return store.change(host, lambda state: with_consents(state, settled, since=since, by=by))


def with_consents(state: HostState, settled: Settled, *, since: str, by: str) -> HostState:
    """The state with what was consented to, and with the updates that are held and no others.

    Args:
        state: What is kept of the host.
        settled: What was decided.
        since: When, as it is noted (RFC 3339).
        by: How that was said.
    """
    for chosen, changes in settled.consented:
        versions = {each.name: each.version for each in chosen.plugins}
        for change in changes:
            version = versions.get(change.plugin, chosen.version)
            known = state.record(change.plugin).consents.get(change.key)
            consent = Consent(_value(change, known), version, since, by)
            if known is None or (known.value, known.version) != (consent.value, version):
                state = state.with_consent(change.plugin, change.key, consent)
    updates = dict(_held(settled.held))
    taken = {said.name: each.version for each in settled.solution.chosen for said in each.plugins}
    for name, record in state.plugins.items():
        # One that nobody looked at this time is held all the same, unless it was taken or is gone.
        if record.held is not None and name not in updates:
            own = taken.get(name)
            if own is None or version_key(own) >= version_key(record.held.version):
                state = state.with_held(name, None)
    for name, update in updates.items():
        state = state.with_held(name, replace(update, since=since, by=by))
    return state


def _held(listed: Iterable[Held]) -> Iterable[Tuple[str, HeldUpdate]]:
    for each in listed:
        texts: Dict[str, Tuple[str, ...]] = {}
        for change in each.changes:
            texts[change.plugin] = (*texts.get(change.plugin, ()), change.text)
        for plugin, lines in texts.items():
            yield plugin, HeldUpdate(each.after.version, lines, each.consent)


def _value(change: Change, known: Optional[Consent]) -> Any:
    """What is kept of a consent: what was asked for; of signers, every one that is good."""
    if change.kind == "dependency":
        return True
    if change.kind != "signer":
        return change.after
    good = items_of(known.value) if known is not None else items_of(change.before)
    return [*good, *(each for each in items_of(change.after) if each not in good)]
