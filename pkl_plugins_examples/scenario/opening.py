"""Before and at the start: what there is, what is planned, what runs."""

from __future__ import annotations

from pkl import PluginHost

from desk.app import Desk
from desk.lines import shorten
from showing import CHILDREN, GROUP, SOUND, command, expect, heading, plugin, plugin_modules


def install() -> None:
    """One plugin comes from a registry, into an environment that pip has made."""
    heading("Installing a plugin from a registry")
    expect("reminders is not there yet", "reminders " not in command("list"))
    command("registry", "build", "shelf", "--out", "registry", "--group", GROUP)
    command("registry", "add", "shelf", "registry")
    shown = command("install", "reminders", "--dry-run")
    expect("the plan is shown first", "+ reminders 0.3.0" in shown)
    command("install", "reminders", "-y")
    expect("there is nothing more to do", "already" in command("install", "reminders"))
    command("rollback", "--list")


def look() -> None:
    """What is installed and how it hangs together, without importing any of it."""
    heading("What is installed")
    listed = command("list")
    expect("every plugin is listed", all(name in listed for name in [*SOUND, "crm-sync", "sso"]))
    heading("Who requires whom")
    drawn = command("graph")
    expect("every plugin is drawn", all(name in drawn for name in [*SOUND, "gremlin"]))
    heading("Why one of them will not run")
    expect("pkl why says it", "auth>=3" in command("why", "sso"))
    expect("so does pkl check", "auth>=3" in command("check", status=1))


def plan(host: PluginHost) -> None:
    """What the host would start, in which order, and what not."""
    heading("The plan")
    planned = host.resolve()
    for number, layer in enumerate(planned.layers, 1):
        print(f"layer {number}   {', '.join(layer)}")
    for name, reason in planned.blocked.items():
        print(f"left out  {name}: {reason.message}")
    expect("only sso is left out, before anything starts", set(planned.blocked) == {"sso"})
    order = [step.name for step in planned.steps]
    expect("auth comes before audit", order.index("auth") < order.index("audit"))
    expect("storage comes before tickets", order.index("storage") < order.index("tickets"))
    expect("no code of a plugin was imported for this", not plugin_modules())


def start(desk: Desk) -> None:
    """The host starts whatever can be started, and says why the rest cannot."""
    heading("Starting")
    report = desk.open()
    print(f"\n{shorten(str(report))}\n")
    expect("all sound plugins run", set(report.enabled) == SOUND | CHILDREN | {"gremlin"})
    expect("digest waits until somebody wants it", set(report.waiting) == {"digest"})
    expect("crm-sync failed by itself", set(report.failed) == {"crm-sync"})
    expect("its reason names the library", "acme_crm_client" in report.failed["crm-sync"].message)
    expect("crm-notes and sso are blocked", set(report.blocked) == {"crm-notes", "sso"})
    cause = report.blocked["crm-notes"].cause
    expect("crm-notes is blocked for the same root cause", "acme_crm_client" in cause)
    store = plugin(desk.host, "tickets").bindings["ticket-store"]
    expect("the tickets are kept by storage", store.name == "storage")
