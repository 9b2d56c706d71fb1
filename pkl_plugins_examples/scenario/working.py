"""While the desk is open: calls, events, HTTP, timers, async code, children, the context."""

from __future__ import annotations

import asyncio
from typing import List, Tuple

from pkl import PluginHost, PluginState

from desk.account import SwitchCount
from showing import ask, expect, heading, plugin, refused, soon


def work(host: PluginHost, faults: List[str]) -> str:
    """People come in and open tickets; returns ana's token."""
    from pkl.plugins import audit, auth, tickets

    heading("People at work")
    auth.add_user("ana", "blue whale")
    auth.add_user("ben", "red panda")
    token: str = auth.login("ana", "blue whale")
    auth.login("ben", "red panda")
    expect("both are at the desk", sorted(auth.sessions()) == ["ana", "ben"])
    refused("eve is not", PermissionError, lambda: auth.login("eve", "guess"))
    tickets.open_ticket("ana", "The printer is out of ink")
    tickets.open_ticket("ben", "No coffee")
    tickets.close_ticket(2)
    expect("a handler of gremlin failed", "the gremlin does not like #1" in faults)
    written = audit.entries()
    for entry in written:
        print(f"audit.log {entry}")
    expect("audit heard of it all the same", "ana opened #1 The printer is out of ink" in written)
    expect("gremlin still runs", plugin(host, "gremlin").state is PluginState.ENABLED)
    return token


def serve() -> int:
    """The routes of board, answered for real; returns the port."""
    from pkl.plugins import http

    heading("The desk over HTTP")
    port: int = http.port()
    status, listed = ask(port, "GET", "/tickets")
    expect("both tickets are listed", (status, len(listed)) == (200, 2))
    status, made = ask(port, "POST", "/tickets", {"reporter": "ana", "title": "More tea"})
    expect("a ticket can be opened", (status, made["number"]) == (200, 3))
    asked = {"reporter": "eve", "title": "Let me in"}
    expect("but not by a stranger", ask(port, "POST", "/tickets", asked)[0] == 403)
    expect("other paths have no route", ask(port, "GET", "/nothing")[0] == 404)
    return port


def wait_for_timers(faults: List[str]) -> None:
    """Reminders come by themselves; audit has subscribed to their event."""
    from pkl.plugins import audit, reminders

    heading("Timers")
    reminders.remind_of(3, 0.1)
    first, third = "ana was reminded of #1", "ana was reminded of #3"
    expect("the interval reminds again", soon(lambda: audit.entries().count(first) >= 2))
    expect("the timeout reminds", soon(lambda: third in audit.entries()))
    expect("once", audit.entries().count(third) == 1)
    expect("gremlin's failing timer was contained", soon(lambda: "bang" in faults))


def watch(token: str) -> None:
    """A coroutine and an async generator of auth, each step run as auth."""
    from pkl.plugins import auth

    heading("Async")

    async def at_the_door() -> Tuple[str, str]:
        watching = auth.logins()
        first = asyncio.ensure_future(watching.__anext__())
        await asyncio.sleep(0)
        auth.login("ben", "red panda")
        came = await first
        await watching.aclose()
        return came, await auth.user_of(token)

    expect("ben was seen coming in", asyncio.run(at_the_door()) == ("ben", "ana"))


def children(host: PluginHost) -> None:
    """Reports has plugins inside."""
    from pkl.plugins import reports

    heading("A plugin with plugins inside")
    print(reports.render("text"))
    inside = [child.name for child in plugin(host, "reports").children]
    print("children  " + ", ".join(inside))
    expect("each format is a child", inside == ["report-text", "report-csv"])
    expect("both can be asked for", reports.formats() == ["csv", "text"])


def when_needed(host: PluginHost) -> None:
    """Digest is lazy: its first import starts it."""
    heading("A plugin that is started when it is needed")
    digest = plugin(host, "digest")
    reason = digest.reason
    expect("nobody has needed digest so far", reason is not None and reason.code == "waiting")
    shown = ask(host.plugins.http.port(), "GET", "/pages")[1]
    expect("board shows its page", [page["plugin"] for page in shown] == ["digest"])
    expect("without importing it", digest.state is PluginState.UNLOADED)
    print(host.plugins.digest.of_today())
    done = digest.activation
    expect("its first use started it", done is not None and done.trigger == "import")
    print(f"digest    {done.told if done is not None else ''}")


def switches(host: PluginHost) -> None:
    """Which plugins a single call goes through, from the context-switch hook."""
    from pkl.plugins import tickets

    heading("Who runs during one call of tickets.close_ticket()")
    with SwitchCount(host) as count:
        tickets.close_ticket(3)
    for name, times in count.entered.most_common():
        print(f"{name:<15} became current {times} x")
    expect("the ticket's store ran as itself", count.entered["storage"])
    expect("and so did who was told", count.entered["audit"] and count.entered["report-archive"])
