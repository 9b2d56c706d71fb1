"""A call of a service against a bare call, a syscall, and a call between a context set and reset.

Run it with ``python -m tests.benchmarks.bench_service``.
"""

from __future__ import annotations

import tempfile
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pkl

from .bench_dispatch import write
from .pairing import per_call, table

PROVIDER = """
import pkl
class Store:
    def save(self, x): return x
    @property
    def size(self): return 1
bare = Store()
provision = pkl.provide(Store, bare)
@pkl.syscall
def call(x): return bare.save(x)
"""


def main() -> None:
    """Prints the table."""
    with tempfile.TemporaryDirectory() as directory:
        write(Path(directory), "owner", PROVIDER)
        with pkl.PluginHost(paths=[directory]) as host, host.as_current():
            assert host.start().ok
            measure(host)


def measure(host: pkl.PluginHost) -> None:
    """Times each way to call one method of the provider."""
    owner = host.get_plugin("owner")
    assert owner is not None
    module: Any = owner.module
    bare, call = module.bare, module.call
    service = pkl.use(module.Store)
    api, many = service.api, pkl.use_all(module.Store)
    save = api.save
    current: ContextVar[Any] = ContextVar("current", default=None)
    set_, reset = current.set, current.reset
    method = bare.save

    def limit(*args: Any, **kwargs: Any) -> Any:
        token = set_(owner)
        try:
            return method(*args, **kwargs)
        finally:
            reset(token)

    found = per_call(
        {
            "call between a context set and reset": lambda: limit(1),
            "bare call": lambda: bare.save(1),
            "syscall that calls it": lambda: call(1),
            "service: api.save(x)": lambda: api.save(1),
            "service: handle.api.save(x)": lambda: service.api.save(1),
            "service: a method kept by hand": lambda: save(1),
            "service: a property": lambda: api.size,
            "service: every provider, of one": lambda: [each.save(1) for each in many],
            "asking again: use(…).api.save(x)": lambda: pkl.use(module.Store).api.save(1),
        }
    )
    table(
        "service call",
        found,
        "call between a context set and reset",
        {"service: api.save(x)": 1.3},
    )


if __name__ == "__main__":
    main()
