"""Tries every vector, each in a process of its own: ``python -m tests.observe.each_vector``.

Once ``bare``, where the plugin's module is imported, deleted, and garbage collected, with nobody
to account for it; and once with a ``host`` that loads, enables and disables it as a plugin. Prints
a line of JSON for each: the name, the way, and what is left.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import tempfile
import traceback
import types
import weakref
from pathlib import Path
from typing import Any, Callable, Dict

import pkl

from .vectors import APP, VECTORS, Vector

EFFECTS = "import logging, os, signal, sys, warnings\nimport app\n"


class Token:
    """Dies with the dictionary of the module that it is put into."""


def watched(module: Any) -> Callable[[], bool]:
    """What tells whether any of a module's code or classes is still there."""
    module.__dict__["token"] = Token()
    refs = [weakref.ref(module.__dict__["token"])]
    for value in list(vars(module).values()):
        if isinstance(value, type) and value.__module__ == module.__name__:
            refs.append(weakref.ref(value))
    return lambda: any(ref() is not None for ref in refs)


def bare(vector: Vector, directory: Path) -> Dict[str, Any]:
    """Without a host."""
    pkl.set_default_host(pkl.PluginHost())
    sys.path.insert(0, str(directory))
    module: Any = importlib.import_module("plugin")
    sys.path.remove(str(directory))
    if vector.after:
        exec(vector.after, {"p": types.SimpleNamespace(module=module)})
    alive = watched(module)
    del sys.modules["plugin"], module
    for _ in range(3):
        gc.collect()
    return {"alive": alive(), "text": ""}


def hosted(vector: Vector, directory: Path) -> Dict[str, Any]:
    """With one."""
    (directory / "plugin.toml").write_text('name = "vector"\n')
    host = pkl.PluginHost()
    pkl.set_default_host(host)
    plugin = host.load_plugin(path=directory).enable()
    if vector.after:
        exec(vector.after, {"p": plugin})
    alive = watched(plugin.module)
    plugin.disable()
    assert plugin.receipt is not None
    receipt = plugin.receipt.verify()
    found = {"alive": alive(), "text": receipt.as_text(), "clean": receipt.clean}
    found["status"] = receipt.status
    return found


def attempt(name: str, way: str, output: int) -> None:
    """Tries one vector in this very process, and writes what is left to a descriptor."""
    vector = VECTORS[name]
    app: Any = types.ModuleType("app")
    sys.modules["app"] = app
    exec(APP, app.__dict__)
    os.environ["APP"] = "a"
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        (directory / "plugin.py").write_text(vector.plugin + "\n")
        found = (bare if way == "bare" else hosted)(vector, directory)
        namespace: Dict[str, Any] = {}
        exec(f"{EFFECTS}found = bool({vector.effect})", namespace)
        found["effect"] = namespace["found"]
    for thing in app.things:
        if hasattr(thing, "kill"):
            thing.kill()
            thing.stdin.close()
            thing.wait()
    app.stay.set()
    os.write(output, json.dumps(found).encode())


def main() -> None:
    """Tries each in a process of its own, forked from this one before any plugin was loaded."""
    pkl.PluginHost().close()  # so that not each has to import all of pkl
    for name in VECTORS:
        for way in ("bare", "host"):
            come, go = os.pipe()
            child = os.fork()
            if not child:
                status = 1
                try:
                    attempt(name, way, go)
                    status = 0
                except BaseException:
                    traceback.print_exc()
                finally:
                    sys.stderr.flush()
                    os._exit(status)
            os.close(go)
            with open(come, "rb") as file:
                text = file.read().decode()
            os.waitpid(child, 0)
            print(json.dumps([name, way, json.loads(text or "{}")]), flush=True)


if __name__ == "__main__":
    main()
