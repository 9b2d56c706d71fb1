"""Stopping, and starting again: what is taken back, and what comes back."""

from __future__ import annotations

import gc
import os
import sys
import weakref
from pathlib import Path

import pkl
from pkl import PluginHost, PluginState

from desk.app import Desk
from desk.events import ticket_closed
from desk.ticket import Ticket
from showing import (
    CHILDREN,
    GROUP,
    SOUND,
    ask,
    enabled,
    expect,
    heading,
    holdings,
    plugin,
    plugin_modules,
    refused,
    show_state,
    soon,
    threads,
)


def stop_one(desk: Desk, port: int) -> None:
    """One plugin stops: its routes go, the server stays."""
    host = desk.host
    heading("Disabling board")
    before = len(host.resource_manager.get_resources(plugin(host, "board")))
    desk.account.forget()
    plugin(host, "board").disable()
    expect(f"its {before} routes are taken back", len(desk.account.taken_back) == before == 4)
    expect("and no longer answered", ask(port, "GET", "/tickets")[0] == 404)
    expect("http still runs", plugin(host, "http").state is PluginState.ENABLED)


def stop_many(desk: Desk, port: int) -> None:
    """Stopping auth and http stops whoever requires them first, and takes all of it back."""
    from pkl.plugins import auth

    host = desk.host
    heading("Disabling auth and with it all who require it, then http")
    show_state(host)
    in_use = plugin(host, "auth")
    refused("without a cascade, no", pkl.InUse, lambda: in_use.disable(cascade=False))
    old = weakref.ref(sys.modules["desk_auth"])
    desk.account.forget()
    in_use.disable()
    plugin(host, "http").disable()
    show_state(host)
    left = {"gremlin", "report-archive", "storage"}
    expect("who needs neither still runs", set(enabled(host)) == left)
    expect("nobody else holds anything", set(holdings(host)) <= left)
    expect("ana's session went too", "auth: <Session of ana>" in desk.account.taken_back)
    stopped = ("desk_auth", "desk_audit", "desk_board", "desk_http", "desk_tickets")
    loaded = [name for name in plugin_modules() if name.startswith(stopped)]
    expect("their modules have left sys.modules", not loaded)
    gc.collect()
    expect("and memory", old() is None)
    expect("the server's thread has ended", "desk-http" not in threads())
    refused(f"port {port}", ConnectionRefusedError, lambda: ask(port, "GET", "/tickets"))
    refused("a call", pkl.PluginNotRunning, lambda: auth.login("ana", "blue whale"))
    ticket_closed(Ticket(1, "The printer is out of ink", "ana", closed=True))
    kept = Path(os.environ["DESK_HOME"]) / "desk/report-archive/ticket-1.json"
    expect("the detached child of reports still works", kept.exists())


def start_again(host: PluginHost) -> None:
    """What was stopped comes back as a new generation, with what it requires."""
    heading("Enabling again")
    for name in ("board", "reminders", "audit", "reports"):
        plugin(host, name).enable()
    from pkl.plugins import auth, http, tickets

    expect("everything runs again", set(enabled(host)) >= SOUND | CHILDREN)
    expect("auth is a new generation", plugin(host, "auth").generation.number == 2)
    expect("nobody is at its desk", list(auth.sessions()) == [])
    expect("the tickets are still there", len(tickets.every_ticket()) == 3)
    expect("the routes are back", ask(http.port(), "GET", "/people") == (200, []))


def survive(host: PluginHost) -> None:
    """A subscription waits for its event's owner."""
    from pkl.plugins import audit

    heading("Disabling reminders, which audit listens to but can do without")
    plugin(host, "reminders").disable()
    expect("audit runs on", plugin(host, "audit").state is PluginState.ENABLED)
    plugin(host, "reminders").enable()
    before = len(audit.entries())
    expect("and hears the new generation", soon(lambda: len(audit.entries()) > before))


def side_by_side(host: PluginHost) -> None:
    """A second host in the same process, with the same distributions and its own state."""
    heading("A second host beside the first")
    with PluginHost("annex", version="2.1", group=GROUP) as annex:
        annex.load_plugin("audit").enable()
        auth, audit = annex.plugins.auth, annex.plugins.audit
        auth.add_user("zoe", "green gecko")
        auth.login("zoe", "green gecko")
        print(f"annex     runs {', '.join(enabled(annex))}; here: {', '.join(auth.sessions())}")
        expect("it has an audit of its own", "zoe came in" in audit.entries())
        expect("ours has not heard of zoe", "zoe came in" not in host.plugins.audit.entries())
        expect("the code is not shared", auth.login is not host.plugins.auth.login)
    expect("ours runs on", set(enabled(host)) >= SOUND)


def stop_the_gremlin(host: PluginHost) -> None:
    """A plugin whose clean-up fails is stopped all the same, and the failure is not lost."""
    heading("Disabling gremlin, whose clean-up fails")
    gremlin = plugin(host, "gremlin")
    refused("it says so", pkl.CleanupError, gremlin.disable)
    expect("gremlin is stopped", gremlin.state is PluginState.DISABLED)
    expect("and holds nothing", not host.resource_manager.get_resources(gremlin))


def close(desk: Desk) -> None:
    """The host stops everything in reverse order."""
    heading("Closing the desk")
    desk.close()
    show_state(desk.host)
    expect("nothing runs", not enabled(desk.host))
    expect("nothing is held", not holdings(desk.host))
    expect("no module of a plugin is left", not plugin_modules())
    expect("no thread is left", soon(lambda: not threads()))
    written = Path(os.environ["DESK_HOME"]) / "desk/audit/audit.log"
    last = written.read_text(encoding="utf-8").splitlines()[-1]
    expect("the last entry is on disk", last == "audit ends")
