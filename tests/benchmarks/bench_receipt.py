"""What accounting for a stopped plugin costs: at its load, at its stop, and to verify it.

Run it with ``python -m tests.benchmarks.bench_receipt``.
"""

from __future__ import annotations

import gc
import logging
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Callable, Dict, List

import pkl
from pkl.kernel.accounting import watching

from .pairing import per_call, table

CODE = "\n".join(f"def f{n}(x):\n    return x\nclass C{n}:\n    pass" for n in range(20))


def hosts(root: Path) -> Dict[str, pkl.Plugin]:
    """The same plugin in a host with receipts and in one without."""
    (root / "p").mkdir()
    (root / "p" / "plugin.toml").write_text('name = "p"\n')
    (root / "p" / "plugin.py").write_text(CODE)
    found = {}
    for name in ("without receipts", "with receipts"):
        host = pkl.PluginHost()
        if name == "without receipts":
            host.kernel.accountant = None
        found[name] = host.load_plugin(path=root / "p")
    return found


def cycle(plugin: pkl.Plugin) -> Callable[[], None]:
    """Loads, enables and stops it."""

    def run() -> None:
        plugin.enable()
        plugin.disable()

    return run


def stops(plugins: Dict[str, pkl.Plugin], rounds: int = 60) -> None:
    """Prints what the stop alone takes."""
    best: Dict[str, float] = dict.fromkeys(plugins, float("inf"))
    gc.disable()
    try:
        for _ in range(rounds):
            for name, plugin in plugins.items():
                plugin.enable()
                began = perf_counter()
                plugin.disable()
                best[name] = min(best[name], perf_counter() - began)
            gc.collect()
    finally:
        gc.enable()
    print()
    for name, seconds in best.items():
        print(f"  {'disable(), ' + name:<44} {seconds * 1e6:>12,.1f} us")


def verification(plugin: pkl.Plugin, objects: int) -> None:
    """Prints what proving the release takes, in a process with so many objects."""
    ballast: List[List[int]] = [[n] for n in range(objects)]
    plugin.enable()
    kept = [plugin.module.C0]
    plugin.disable()
    assert plugin.receipt is not None
    began = perf_counter()
    plugin.receipt.verify()
    held = perf_counter() - began
    kept.clear()
    plugin.enable()
    plugin.disable()
    began = perf_counter()
    plugin.receipt.verify()
    freed = perf_counter() - began
    print(
        f"  verify(), {len(ballast):>9,} objects: released in {freed * 1e3:,.0f} ms, "
        f"holder named in {held * 1e3:,.0f} ms"
    )


def main() -> None:
    """Prints the costs."""
    logging.getLogger("pkl").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as directory:
        plugins = hosts(Path(directory))
        generation = plugins["with receipts"].generation

        def start() -> None:
            with watching(generation):
                pass

        found = per_call({"nothing": lambda: None, "noting what a start changes": start}, 2000)
        table("At the load", found, "nothing")
        cases = {name: cycle(plugin) for name, plugin in plugins.items()}
        found = per_call(cases, 20, 10)
        table("Load, enable and stop of 20 functions and 20 classes", found, "without receipts")
        stops(plugins)
        print(f"\nIn the background (Python {sys.version.split()[0]})")
        for objects in (0, 200_000, 2_000_000):
            verification(plugins["with receipts"], objects)


if __name__ == "__main__":
    main()
