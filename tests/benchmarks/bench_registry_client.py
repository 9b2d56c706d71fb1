"""Reading a registry and searching it: ``python -m tests.benchmarks.bench_registry_client``.

Registries of 1,000 and of 10,000 plugins with 10 versions each, as a directory, and served on
loopback. The limit is ``json.loads`` of the same bytes, which nobody who reads them can do without.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
import tempfile
from pathlib import Path
from typing import Callable, Dict, Sequence

from pkl.model.known_registry import KnownRegistry
from pkl.registry.cache import Cache
from pkl.registry.catalog import Catalog
from pkl.registry.client import RegistryClient
from pkl.registry.layout import INDEX, REVOKED, page_path
from tests.benchmarks.pairing import minima, table
from tests.registry.client.server import running

COUNTS = (1_000, 10_000)
VERSIONS = 10
WORDS = ("audit", "auth", "cache", "chart", "export", "graph", "import", "log", "mail", "search")


def files(count: int) -> Dict[str, bytes]:
    """Every file of a registry but the wheels, by path."""
    draw = random.Random(count)
    found: Dict[str, bytes] = {}
    plugins = {}
    for number in range(count):
        name = f"{draw.choice(WORDS)}-{draw.choice(WORDS)}-{number}"
        page = _page(name, draw)
        found[page_path(name)] = page
        plugins[name] = {
            "summary": " ".join(draw.choices(WORDS, k=8)),
            "latest": f"1.{VERSIONS - 1}.0",
            "sha256": hashlib.sha256(page).hexdigest(),
        }
    found[REVOKED] = _text({"schema": "pkl.revoked/1", "revoked": {}})
    found[INDEX] = _text(
        {
            "schema": "pkl.index/1",
            "serial": 1,
            "expires": None,
            "revoked": hashlib.sha256(found[REVOKED]).hexdigest(),
            "plugins": plugins,
        }
    )
    return found


def _page(name: str, draw: random.Random) -> bytes:
    versions = {
        f"1.{minor}.0": {
            "requires": [f"{draw.choice(WORDS)}>=1.{draw.randrange(VERSIONS)}" for _ in range(3)],
            "conflicts": [],
            "provides": [],
            "requires-host": ">=2",
            "requires-python": ">=3.9",
            "permissions": {"fs-read": ["$data"]},
            "file": f"acme_{name.replace('-', '_')}-1.{minor}.0-py3-none-any.whl",
            "size": draw.randrange(1_000, 100_000),
            "sha256": f"{draw.getrandbits(256):064x}",
            "uploaded": "2026-11-20T12:00:00Z",
            "yanked": False,
        }
        for minor in range(VERSIONS)
    }
    whole = {"schema": "pkl.page/1", "name": name, "distribution": f"acme-{name}"}
    return _text({**whole, "versions": versions})


def _text(whole: object) -> bytes:
    return json.dumps(whole, sort_keys=True, separators=(",", ":")).encode("ascii")


def measure(count: int) -> None:
    """Prints what reading and searching a registry of that many plugins costs."""
    held = files(count)
    with tempfile.TemporaryDirectory() as directory, running() as server:
        root = Path(directory) / "registry"
        for path, data in held.items():
            place = root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        server.files.update((f"/{path}", data) for path, data in held.items())
        caches = str(Path(directory) / "cache")

        def client(url: str) -> RegistryClient:
            return RegistryClient(KnownRegistry("main", url), cache=Cache(url, caches))

        read = client(root.as_uri())
        name = next(iter(read.index().plugins))
        page = page_path(name)
        catalog = Catalog([KnownRegistry("main", root.as_uri())], client=lambda _: read)
        client(server.url).index()

        def fresh_page() -> None:
            each = client(root.as_uri())
            each.index()
            each.page(name)

        cases: Dict[str, Callable[[], object]] = {
            "json.loads of the index": lambda: json.loads(held[INDEX]),
            "index of a directory": lambda: client(root.as_uri()).index(),
            "index over http, not changed": lambda: client(server.url).index(),
            "the same and one page": fresh_page,
            "search for a word": lambda: catalog.search(["audit"]),
        }
        assert catalog.search(["audit"]).hits
        title = f"{count:,} plugins x {VERSIONS}: index {len(held[INDEX]):,} bytes"
        print(f"\n{len(held[page]):,} bytes a page")
        table(title, minima(cases, rounds=7), "json.loads of the index")


def main(arguments: Sequence[str]) -> None:
    """Measures the counts that are given, or all."""
    for count in map(int, arguments or COUNTS):
        measure(count)


if __name__ == "__main__":
    main(sys.argv[1:])
