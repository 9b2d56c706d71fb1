"""Which of a hook's arguments a handler is passed, whatever kind of callable it is."""

from __future__ import annotations

from functools import partial, wraps
from pathlib import Path
from typing import Any, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pkl
from pkl.kernel.parameters import Misfit, parameters_of, take

from .conftest import Make, enabled

DECLARED = ("a", "b", "c")
GIVEN = ("A", "B", "C")


def called(function: Any) -> Any:
    """What a callable returns, passed its share of the three arguments."""
    taking = take(parameters_of(function), DECLARED)
    return function(*GIVEN) if taking is None else taking.call(function, GIVEN)


def positional(a: str, /, c: str) -> Any:
    return a, c


def gap(b: str, other: int = 7, c: str = "-") -> Any:
    return b, other, c


def keyword_only(b: str, *, a: str) -> Any:
    return b, a


def rest(b: str, **others: str) -> Any:
    return b, others


def star(*every: str) -> Any:
    return every


def prefix(a: str, *every: str) -> Any:
    return a, every


def everything(*args: str, **kwargs: str) -> Any:
    return args, kwargs


class Various:
    """Has a method, a class method, a static one, and can be called itself."""

    def __call__(self, c: str) -> Any:
        return c

    def method(self, b: str, a: str) -> Any:
        return b, a

    @classmethod
    def of_class(cls, c: str, a: str) -> Any:
        return cls, c, a

    @staticmethod
    def static(b: str) -> Any:
        return b


class Made:
    """A class as a handler."""

    def __init__(self, c: str) -> None:
        self.c = c


def through(function: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator such as plugins write."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return call


def by_keyword(function: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator that passes keywords alone."""

    @wraps(function)
    def call(**kwargs: Any) -> Any:
        return function(**kwargs)

    return call


def three(x: Any, b: str, c: str) -> Any:
    return x, b, c


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda: "none", "none"),
        (lambda a, b, c: (a, b, c), GIVEN),
        (lambda c, a: (c, a), ("C", "A")),
        (positional, ("A", "C")),
        (gap, ("B", 7, "C")),
        (keyword_only, ("B", "A")),
        (rest, ("B", {"a": "A", "c": "C"})),
        (star, GIVEN),
        (prefix, ("A", ("B", "C"))),
        (everything, (GIVEN, {})),
        (Various(), "C"),
        (Various().method, ("B", "A")),
        (Various.of_class, (Various, "C", "A")),
        (Various.static, "B"),
        (partial(three, 1), (1, "B", "C")),
        (partial(three, b="bound", x=0), (0, "bound", "C")),
        (partial(partial(three, 1), c=2), (1, "B", 2)),
        (through(lambda c, b: (c, b)), ("C", "B")),
        (through(Various().method), ("B", "A")),
        (by_keyword(gap), ("B", 7, "C")),
        (max, "C"),
    ],
)
def test_a_handler_is_passed_what_it_takes(function: Any, expected: Any) -> None:
    assert called(function) == expected


def test_a_class_may_be_a_handler() -> None:
    assert called(Made).c == "C" and isinstance(called(Various), Various)


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (lambda a, d: 0, ["d"]),
        (lambda *, e: 0, ["e"]),
        (lambda d, **rest: 0, ["d"]),
        (lambda d, e, *every: 0, ["d", "e"]),
        (partial(lambda d, b: 0, b=1), ["d"]),
        (through(lambda d: 0), ["d"]),
    ],
)
def test_what_a_handler_needs_in_vain_is_named(function: Any, names: Any) -> None:
    with pytest.raises(Misfit) as caught:
        take(parameters_of(function), DECLARED)
    assert caught.value.names == names


def test_nothing_is_known_of_what_is_not_written_in_python() -> None:
    assert parameters_of(print) is None and parameters_of([].append) is None
    endless: Any = print
    for _ in range(99):
        endless = partial(endless)
    assert parameters_of(endless) is None


NAMES = st.sampled_from(["a", "b", "c", "d"])


@given(
    st.lists(NAMES, unique=True),
    st.integers(0, 4),
    st.integers(0, 4),
    st.integers(0, 4),
    st.booleans(),
)
def test_every_signature_is_called_as_python_would_or_refused(
    names: Any, only: int, keywords: int, defaults: int, more: bool
) -> None:
    """Against Python itself: each name it takes gets its own argument, or its default."""
    split = max(0, len(names) - keywords)
    front, back = names[:split], names[split:]
    only = min(only, len(front))
    texts = [
        name + ("='default'" if at >= len(front) - defaults else "")
        for at, name in enumerate(front)
    ]
    if only:
        texts.insert(only, "/")
    if back:
        texts += ["*", *back]
    if more:
        texts.append("**more")
    space: Any = {}
    exec(f"def f({', '.join(texts)}): return dict(locals())", space)
    optional = set(front[max(0, len(front) - defaults) :])
    needed = [n for n in names if n not in DECLARED and n not in optional]
    if needed:
        with pytest.raises(Misfit) as caught:
            called(space["f"])
        assert caught.value.names == needed
        return
    values = called(space["f"])
    rest = values.pop("more", {})
    for name, value in {**values, **rest}.items():
        assert value == name.upper() or (value == "default" and name in optional)
    for name in DECLARED:
        if name in names and name not in optional:
            assert values[name] == name.upper()
    if more:
        assert set(rest) == set(DECLARED) - set(names)


def test_a_syscall_may_answer_a_hook_with_some_of_its_arguments(
    host: pkl.PluginHost, make: Make
) -> None:
    owner = enabled(host, make("owner", "import pkl\n@pkl.hook\ndef ask(a, b, c): pass")).module
    code = """
        import pkl
        from pkl.plugins import owner
        @owner.ask.on
        @pkl.syscall
        def answer(c, a): return c, a, pkl.this.name
        """
    enabled(host, make("other", code, requires=["owner"]))
    assert owner.ask(1, 2, 3).values == [(3, 1, "other")]


def test_a_refusal_says_whose_handler_takes_what_and_where(
    host: pkl.PluginHost, make: Make, tmp_path: Path
) -> None:
    enabled(host, make("owner", "import pkl\n@pkl.hook\ndef ask(a, b): pass"))
    code = "from pkl.plugins import owner\n@owner.ask.on\ndef answer(a, x, y): pass"
    path = make("other", code, requires=["owner"], version="2.0")
    with pytest.raises(pkl.PluginLoadError) as caught:
        host.load_plugin(path=path)
    error = caught.value.__cause__
    assert isinstance(error, pkl.HandlerRefused)
    assert (error.plugin, error.version) == ("other", "2.0")
    assert error.file == str(path / "plugin.py")
    assert error.details == {"hook": "owner.ask", "line": 2, "arguments": ["x", "y"]}
    assert str(error) == (
        f"the handler answer ({error.file}:2) takes x, y, which the hook owner.ask does not pass; "
        "it passes a, b\nhint: take some of these by name, or give the others a default"
    )
