"""Ways in which a plugin's code can outlive it, each a few lines of a plugin."""

from __future__ import annotations

import sys
from typing import Dict, NamedTuple, Tuple

__all__ = ["VECTORS", "Vector"]

APP = """
import abc, contextvars, functools, threading
import pkl
things, table, errors = [], {}, []
variable = contextvars.ContextVar("variable", default=None)
local = threading.local()
stay = threading.Event()
class Base(abc.ABC): pass
@functools.lru_cache(maxsize=8)
def remembers(thing): return str(thing)
@functools.lru_cache(maxsize=None)
def never_forgets(thing): return str(thing)
@functools.singledispatch
def show(thing): return "?"
@pkl.event
def opened(): pass
def fails(thing): 1 / 0
"""
"""The module ``app`` of the application, which plugins import."""


class Vector(NamedTuple):
    """One way.

    Attributes:
        plugin: The plugin's module.
        outcome: ``freed`` if dropping the modules is enough, ``undone`` if it takes the host, or
            ``reported`` if nothing in the process can undo it.
        said: What the receipt says of it.
        effect: What is true as long as the process is not as before.
        after: What the application does with the plugin ``p``, once it is enabled.
        since: The first Python that has it.
    """

    plugin: str
    outcome: str
    said: str = ""
    effect: str = "False"
    after: str = ""
    since: Tuple[int, int] = (3, 9)


FREED: Dict[str, str] = {
    "nothing": "",
    "functions": "def f():\n    def g(): return f\n    return g\nkept = f()",
    "classes": "class A:\n    def m(self): return B\nclass B(A): pass\nkept = [A(), B()]",
    "dataclass and enum": (
        "from dataclasses import dataclass\nfrom enum import Enum\n"
        "@dataclass\nclass D:\n    x: int = 1\nclass E(Enum):\n    A = 1\nkept = D(), E.A"
    ),
    "own cache": "import functools\n@functools.lru_cache\ndef f(x): return f\nf(1)",
    "own thread-local": "import threading\nlocal = threading.local()\nlocal.x = lambda: local",
    "virtual subclass": "import app\n@app.Base.register\nclass C: pass\nisinstance(C(), app.Base)",
    "weak reference": "import app, weakref\ndef f(): pass\napp.things.append(weakref.ref(f))",
    "caught error": "def f(): 1 / 0\ntry: f()\nexcept ZeroDivisionError as e: kept = e",
    "ended generator": "import app\ndef g(): yield\napp.table['n'] = len(list(g()))",
    "own logger": "import logging\nlog = logging.getLogger('own')\ndef f(): log.info('x')",
    "ctypes array": "import ctypes\nclass S(ctypes.Structure): pass\nA = S * 3",
    "named tuple": "from collections import namedtuple\nN = namedtuple('N', 'a')\nkept = N(1)",
}

UNDONE: Dict[str, Vector] = {
    "event handler": Vector(
        "import app\ndef f(): pass\napp.opened.subscribe(f)", "undone", "handler f"
    ),
    "pkl timer": Vector("import pkl\ndef f(): pass\npkl.set_interval(f, 60)", "undone", "timer"),
    "pkl thread": Vector(
        "import pkl\ndef f(): pkl.stop_token().wait(60)\npkl.start_thread(f)", "undone", "thread"
    ),
    "atexit": Vector(
        "import atexit\ndef f(): pass\natexit.register(f)", "undone", "atexit function f"
    ),
    "atexit method": Vector(
        "import atexit\nclass C:\n    def m(self): pass\natexit.register(C().m)", "undone", "C.m"
    ),
    "threading timer": Vector(
        "import threading\ndef f(): pass\nt = threading.Timer(300, f)\nt.daemon = True\nt.start()",
        "undone",
        "timer f",
    ),
    "context variable": Vector("import app\ndef f(): pass\napp.variable.set(f)", "undone"),
    "own context variable": Vector(
        "import contextvars\nv = contextvars.ContextVar('v')\ndef f(): pass\nv.set(f)", "undone"
    ),
    "logging handler": Vector(
        "import logging\nclass H(logging.Handler): pass\nlogging.getLogger('a').addHandler(H())",
        "undone",
        "logging handler H (of logger a)",
    ),
    "logging filter": Vector(
        "import logging\ndef f(record): return True\nlogging.getLogger('a').addFilter(f)",
        "undone",
        "logging filter f",
    ),
    "log record factory": Vector(
        "import logging\ndef f(*a, **k): return logging.LogRecord(*a, **k)\n"
        "logging.setLogRecordFactory(f)",
        "undone",
        "the record factory",
    ),
    "cache of the application": Vector(
        "import app\nclass C: pass\napp.remembers(C())", "undone", "cache remembers"
    ),
    "cache that never forgets": Vector(
        "import app\nclass C: pass\napp.never_forgets(C())", "undone", "cache never_forgets"
    ),
    "single dispatch": Vector(
        "import app\nclass C: pass\n@app.show.register(C)\ndef f(thing): return 'C'",
        "undone",
        "implementation f",
    ),
    "single dispatch of a built-in type": Vector(
        "import app\n@app.show.register(int)\ndef f(thing): return 'int'",
        "undone",
        "implementation f",
    ),
    "typing optional": Vector("import typing\nclass C: pass\ntyping.Optional[C]", "undone"),
    "typing nested": Vector(
        "import typing\nclass C: pass\ntyping.Dict[str, typing.List[C]]", "undone"
    ),
    "copyreg": Vector(
        "import copyreg\nclass C: pass\ncopyreg.pickle(C, lambda c: (C, ()))", "undone", "pickling"
    ),
    "signal": Vector(
        "import signal\ndef f(*a): pass\nsignal.signal(signal.SIGUSR1, f)",
        "undone",
        "signal SIGUSR1",
    ),
    "meta path": Vector(
        "import sys\nclass F:\n    @classmethod\n    def find_spec(cls, *a): return None\n"
        "sys.meta_path.append(F)",
        "undone",
        "import hook F",
    ),
    "path hook": Vector(
        "import sys\ndef f(path): raise ImportError\nsys.path_hooks.append(f)",
        "undone",
        "import hook f",
    ),
    "path importer cache": Vector(
        "import sys\nclass F:\n    def find_spec(self, *a): return None\n"
        "sys.path_importer_cache['/nowhere'] = F()",
        "undone",
        "import hook F",
    ),
    "codec": Vector(
        "import codecs\ndef f(name): return None\ncodecs.register(f)", "undone", "codec f"
    ),
    "codec in use": Vector(
        "import codecs\ndef coder(x, *a): return x, len(x)\n"
        "def f(name): return codecs.CodecInfo(coder, coder) if name == 'mine' else None\n"
        "codecs.register(f)\ncodecs.lookup('mine')",
        "undone",
        "codec f",
    ),
    "codec error handler": Vector(
        "import codecs\ndef f(e): return '', e.end\ncodecs.register_error('mine', f)",
        "undone",
        "codec error handler mine",
    ),
    "finalizer": Vector(
        "import app, weakref\ndef f(): pass\nweakref.finalize(app.Base, f).atexit = False",
        "undone",
        "finalizer f",
    ),
    "sys.excepthook": Vector(
        "import sys\ndef f(*a): pass\nsys.excepthook = f", "undone", "hook sys.excepthook"
    ),
    "threading.excepthook": Vector(
        "import threading\ndef f(a): pass\nthreading.excepthook = f",
        "undone",
        "hook threading.excepthook",
    ),
    "hook that a thread remembers": Vector(
        "import sys\ndef f(*a): pass\nsys.excepthook = f",
        "undone",
        "hook for exceptions (as thread t remembers it)",
        after="import app, threading\n"
        "threading.Thread(target=app.stay.wait, name='t', daemon=True).start()",
    ),
    "sys.unraisablehook": Vector(
        "import sys\ndef f(a): pass\nsys.unraisablehook = f", "undone", "hook sys.unraisablehook"
    ),
    "sys.displayhook": Vector(
        "import sys\ndef f(a): pass\nsys.displayhook = f", "undone", "hook sys.displayhook"
    ),
    "standard output": Vector(
        "import sys\nclass S:\n    def __init__(self, o): self.o = o\n"
        "    def write(self, t): return self.o.write(t)\n    def flush(self): self.o.flush()\n"
        "sys.stdout = S(sys.stdout)",
        "undone",
        "stream sys.stdout",
    ),
    "profile function": Vector(
        "import sys\ndef f(*a): pass\nsys.setprofile(f)", "undone", "hook sys.setprofile"
    ),
    "gc callback": Vector(
        "import gc\ndef f(*a): pass\ngc.callbacks.append(f)", "undone", "gc callback f"
    ),
    "suspended generator": Vector(
        "import app\ndef g(): yield 1\ni = g()\nnext(i)\napp.things.append(i)",
        "undone",
        "generator g",
    ),
    "stored traceback": Vector(
        "import app\ndef f(): 1 / 0\ntry: f()\nexcept Exception as e: app.errors.append(e)",
        "undone",
        "traceback ZeroDivisionError",
    ),
    "sys.last_value": Vector(
        "import sys\ndef f(): 1 / 0\ntry: f()\nexcept Exception as e:\n"
        "    sys.last_value, sys.last_type, sys.last_traceback = e, type(e), e.__traceback__",
        "undone",
        "error sys.last_traceback",
    ),
    "ctypes pointer": Vector(
        "import ctypes\nclass S(ctypes.Structure): pass\nctypes.POINTER(S)", "undone", "type S"
    ),
    "ctypes function type": Vector(
        "import ctypes\nclass S(ctypes.Structure): pass\nctypes.CFUNCTYPE(None, S)",
        "undone",
        "ctypes._c_functype_cache",
    ),
    "sqlite adapter": Vector(
        "import sqlite3\nclass C: pass\nsqlite3.register_adapter(C, str)", "undone", "adapter C"
    ),
    "sqlite converter": Vector(
        "import sqlite3\ndef f(b): return b\nsqlite3.register_converter('mine', f)",
        "undone",
        "converter f",
    ),
    "warnings filter": Vector(
        "import warnings\nclass W(Warning): pass\nwarnings.simplefilter('ignore', W)",
        "undone",
        "warnings filter ignore W",
    ),
    "warning shown by the application": Vector(
        "class W(Warning): pass",
        "undone",
        after="import app, warnings\nwith warnings.catch_warnings(record=True):\n"
        "    warnings.simplefilter('default')\n"
        "    registry = vars(app).setdefault('__warningregistry__', {})\n"
        "    warnings.warn_explicit('text', p.module.W, 'f', 1, registry=registry)",
    ),
    "fork handler": Vector(
        "import os\ndef f(): pass\nos.register_at_fork(after_in_child=f)",
        "undone",
        "fork handler f",
    ),
    "monitoring callback": Vector(
        "import sys\nm = sys.monitoring\ndef f(*a): pass\nm.use_tool_id(4, 'mine')\n"
        "m.register_callback(4, m.events.PY_START, f)",
        "undone",
        "monitoring tool mine",
        since=(3, 12),
    ),
}

EFFECTS: Dict[str, Vector] = {
    "environment": Vector(
        "import os\nos.environ['MINE'] = '1'", "undone", "environment MINE", "'MINE' in os.environ"
    ),
    "environment changed": Vector(
        "import os\nos.environ['APP'] = 'b'",
        "undone",
        "environment APP",
        "os.environ['APP'] != 'a'",
    ),
    "environment removed": Vector(
        "import os\ndel os.environ['APP']", "undone", "environment APP", "'APP' not in os.environ"
    ),
    "sys.path": Vector(
        "import sys\nsys.path.insert(0, '/mine')", "undone", "sys.path /mine", "'/mine' in sys.path"
    ),
    "ignored warnings": Vector(
        "import warnings\nwarnings.simplefilter('ignore')",
        "undone",
        "warnings filter ignore Warning",
        "warnings.filters[0][0] == 'ignore' and warnings.filters[0][2] is Warning",
    ),
    "logging handler of logging": Vector(
        "import logging\nlogging.getLogger('a').addHandler(logging.StreamHandler())",
        "undone",
        "logging handler StreamHandler (of logger a)",
        "logging.getLogger('a').handlers",
    ),
    "root level": Vector(
        "import logging\nlogging.getLogger().setLevel(5)",
        "undone",
        "the root logger's level",
        "logging.getLogger().level == 5",
    ),
    "ignored signal": Vector(
        "import signal\nsignal.signal(signal.SIGUSR2, signal.SIG_IGN)",
        "undone",
        "signal SIGUSR2",
        "signal.getsignal(signal.SIGUSR2) is signal.SIG_IGN",
    ),
    "redirected output": Vector(
        "import io, sys\nsys.stderr = io.StringIO()",
        "undone",
        "stream sys.stderr",
        "sys.stderr is not sys.__stderr__",
    ),
    "working directory": Vector(
        "import os\nos.chdir('/')", "undone", "the working directory", "os.getcwd() == '/'"
    ),
    "recursion limit": Vector(
        "import sys\nsys.setrecursionlimit(2345)",
        "undone",
        "the recursion limit",
        "sys.getrecursionlimit() == 2345",
    ),
}

REPORTED: Dict[str, Vector] = {
    "held class": Vector(
        "import app\nclass C: pass\napp.things.append(C)", "reported", "module app: things"
    ),
    "held instance": Vector(
        "import app\nclass C: pass\napp.table['c'] = C()", "reported", "module app: table"
    ),
    "value of a thread-local": Vector(
        "import app\nclass C: pass\napp.local.c = C()", "reported", "held by:"
    ),
    "variable of a frame in a kept traceback": Vector(
        "import app\nclass C: pass\ntry: app.fails(C())\nexcept Exception as e:\n"
        "    app.errors.append(e.with_traceback(e.__traceback__.tb_next))",
        "reported",
        "held by: an error that somebody keeps: ZeroDivisionError: division by zero",
    ),
    "running thread": Vector(
        "import app, threading\ndef f(): app.stay.wait(60)\n"
        "threading.Thread(target=f, name='worker', daemon=True).start()",
        "reported",
        "left: thread worker",
    ),
    "context variable at run time": Vector(
        "import app\nclass C: pass\ndef run(): app.variable.set(C())",
        "reported",
        "held by: a context",
        after="p.module.run()",
    ),
    "audit hook": Vector(
        "import sys\ndef hook(*a): pass\nsys.addaudithook(hook)", "reported", "suspects: hook"
    ),
    "child process": Vector(
        "import app, subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE)\n"
        "app.things.append(child)",
        "reported",
        "left: child process",
        "app.things[0].poll() is None",
    ),
}

VECTORS: Dict[str, Vector] = {
    **{name: Vector(code, "freed") for name, code in FREED.items()},
    "open file": Vector("file = open(__file__)", "freed", "taken back: open file"),
    **UNDONE,
    **EFFECTS,
    **REPORTED,
}
VECTORS = {name: each for name, each in VECTORS.items() if sys.version_info >= each.since}
