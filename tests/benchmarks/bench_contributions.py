"""What contributions cost a start, their first reading and a stop.

Run it with ``python -m tests.benchmarks.bench_contributions``: 200 plugins with 20 commands each,
in a host without points, with a point for any value, and with one that has a schema.
"""

from __future__ import annotations

import gc
import json
import tempfile
from pathlib import Path
from time import process_time
from typing import Any, Callable, Dict, List

import pkl

COUNT, EACH, ROUNDS = 200, 20, 12
SCHEMA = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["id"],
        "additionalProperties": False,
        "properties": {
            "id": {"type": "string", "pattern": "^[a-z.]+$"},
            "title": {"type": "string"},
        },
    },
}
HARD = {"$ref": "#/$defs/commands", "$defs": {"commands": SCHEMA}}
"""The same for the library alone."""
CASES: Dict[str, Any] = {
    "no points": None,
    "any value": {"commands": None},
    "a schema": {"commands": SCHEMA},
    "a schema with $ref": {"commands": HARD},
}
STEPS = ("made", "started", "read", "closed")


def write(root: Path) -> None:
    """The plugins."""
    commands = [{"id": f"do.it{'x' * number}", "title": "Do it"} for number in range(EACH)]
    for number in range(COUNT):
        directory = root / f"p{number}"
        directory.mkdir()
        manifest = {"name": directory.name, "contributes": {"commands": commands}}
        (directory / "plugin.json").write_text(json.dumps(manifest))
        (directory / "plugin.py").write_text("import pkl\n")


def run(root: Path, points: Any) -> List[float]:
    """The CPU seconds of each of ``STEPS``."""
    took: List[float] = []

    def timed(step: Callable[[], Any]) -> Any:
        began = process_time()
        value = step()
        took.append(process_time() - began)
        return value

    host = timed(lambda: pkl.PluginHost(group="no.such", paths=[root], contributions=points))
    assert len(timed(host.start).enabled) == COUNT
    timed(lambda: host.contributions("commands") if points is not None else ())
    timed(host.close)
    return took


def main() -> None:
    """Prints the least milliseconds of each step of each case."""
    best = {name: [float("inf")] * len(STEPS) for name in CASES}
    with tempfile.TemporaryDirectory() as directory:
        write(Path(directory))
        for _ in range(ROUNDS):
            for name, points in CASES.items():
                gc.collect()
                best[name] = list(map(min, best[name], run(Path(directory), points)))
    print(f"{COUNT} plugins with {EACH} commands each, ms of CPU")
    print(f"{'':20}" + "".join(f"{step:>9}" for step in STEPS))
    for name, row in best.items():
        print(f"{name:20}" + "".join(f"{each * 1000:9.1f}" for each in row))


if __name__ == "__main__":
    main()
