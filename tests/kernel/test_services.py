"""Services: who may provide what, who is chosen, and that its methods run as the provider."""

from __future__ import annotations

import asyncio
import copy
import inspect
import types
from abc import ABC, abstractmethod
from functools import partial
from typing import Any, AsyncIterator, Callable, Generic, Iterator, List, Protocol, TypeVar

import pytest

import pkl

from .conftest import Make, enabled
from .synthetic import Synthetic

T = TypeVar("T")


class Store(Protocol):
    """An interface that is not runtime_checkable."""

    label: str

    def save(self, text: str) -> str:
        """Keeps a text."""


class Shape(ABC):
    """An interface by inheritance."""

    @abstractmethod
    def area(self) -> int:
        """How large it is."""


class Square(Shape):
    def area(self) -> int:
        return 4


def me() -> str:
    plugin = pkl.get_current_plugin()
    return "host" if plugin is None else plugin.name


class Files:
    """Provides ``Store``, and some of everything else."""

    label = "files"

    def __init__(self, name: str = "files") -> None:
        self.name = name
        self.by_hand = lambda: me()

    def save(self, text: str) -> str:
        return f"{self.name} {text} {me()}"

    @property
    def owner(self) -> str:
        return me()

    @staticmethod
    def static() -> str:
        return me()

    @classmethod
    def klass(cls) -> str:
        return me()

    def steps(self) -> Iterator[str]:
        yield me()
        yield me()

    async def later(self) -> str:
        await asyncio.sleep(0)
        return me()

    async def many(self) -> AsyncIterator[str]:
        yield me()

    def fail(self) -> None:
        raise ZeroDivisionError(me())

    def stop(self) -> str:
        pkl.this.disable()
        return me()

    bound = staticmethod(partial(me))


@pytest.fixture
def world() -> Iterator[Synthetic]:
    made = Synthetic(version="3.1")
    pkl.set_default_host(made.host)
    yield made
    made.host.close()
    pkl.set_default_host(None)


def providing(
    interface: Any = Store, implementation: Any = None, **options: Any
) -> Callable[[Any], None]:
    """The body of a plugin that provides one service."""

    def body(module: Any) -> None:
        given = Files(module.plugin.name) if implementation is None else implementation
        module.provision = pkl.provide(interface, given, **options)

    return body


def test_a_service_is_staged_until_its_plugin_is_enabled_and_gone_once_it_stops(
    world: Synthetic,
) -> None:
    seen: List[bool] = []

    def body(module: Any) -> None:
        providing()(module)
        seen.append(bool(store))
        module.plugin.on_enable.subscribe(lambda: seen.append(bool(store)))
        module.plugin.on_disable.subscribe(lambda: seen.append(bool(store)))

    store = pkl.use(Store)
    plugin = world.add("a", body)
    plugin.enable()
    assert store and store.provider is plugin.module.provision
    assert plugin.module.provision in world.host.resource_manager.get_resources(plugin)
    plugin.disable()
    assert seen == [False, False, True] and not store


def test_methods_run_as_the_provider_and_attributes_are_handed_over(world: Synthetic) -> None:
    world.add("a", providing()).enable()
    user = world.add("b").enable()
    with pkl.plugin_context(world.host, user):
        api: Any = pkl.use(Store).api
        assert api.save("x") == "a x a"
        assert (api.owner, api.static(), api.klass(), api.by_hand(), api.bound()) == ("a",) * 5
        assert api.label == "files"
        assert pkl.this is user
    assert api.save is api.save, "a method is looked up once for each provider"
    with pytest.raises(AttributeError, match="sav"):
        _ = api.sav
    assert "save" in dir(api) and "'a'" in repr(api)


def test_methods_keep_their_kinds(world: Synthetic) -> None:
    world.add("a", providing()).enable()
    api: Any = pkl.use(Store).api
    assert inspect.isgeneratorfunction(api.steps)
    assert inspect.iscoroutinefunction(api.later)
    assert inspect.isasyncgenfunction(api.many)
    assert list(api.steps()) == ["a", "a"]

    async def run() -> List[str]:
        return [await api.later(), *[each async for each in api.many()]]

    assert asyncio.run(run()) == ["a", "a"]


def test_a_generator_of_a_stopped_provider_refuses_its_next_step(world: Synthetic) -> None:
    plugin = world.add("a", providing())
    plugin.enable()
    api: Any = pkl.use(Store).api
    steps = api.steps()
    assert next(steps) == "a"
    plugin.disable()
    with pytest.raises(pkl.PluginNotRunning):
        next(steps)


def test_what_a_provider_raises_reaches_the_caller_and_the_context_is_restored(
    world: Synthetic,
) -> None:
    world.add("a", providing()).enable()
    user = world.add("b").enable()
    with pkl.plugin_context(world.host, user):
        api: Any = pkl.use(Store).api
        with pytest.raises(ZeroDivisionError, match="a"):
            api.fail()
        assert pkl.this is user


def test_a_provider_may_stop_itself_in_a_call_which_ends(world: Synthetic) -> None:
    world.add("a", providing()).enable()
    store = pkl.use(Store)
    api: Any = store.api
    assert api.stop() == "a"
    assert not store
    with pytest.raises(pkl.ServiceUnavailable):
        api.stop()


def test_a_provider_may_call_itself_through_a_handle(world: Synthetic) -> None:
    class Nested:
        def depth(self, n: int) -> int:
            return n if n == 0 else 1 + pkl.use("nested").api.depth(n - 1)

    world.add("a", providing("nested", Nested())).enable()
    assert pkl.use("nested").api.depth(5) == 5


def test_special_methods_of_the_interface_are_handed_on(world: Synthetic) -> None:
    class Sequence:
        def __len__(self) -> int:
            return 2

        def __getitem__(self, index: int) -> str:
            return f"{index} {me()}"

        def __iter__(self) -> Iterator[str]:
            yield me()

        def __call__(self) -> str:
            return me()

    plugin = world.add("a", providing(Sequence, Sequence()))
    plugin.enable()
    api = pkl.use(Sequence).api
    assert (len(api), api[7], list(api), api()) == (2, "7 a", ["a"], "a")
    assert len(api) == 2, "from what was kept"
    plugin.disable()
    with pytest.raises(pkl.ServiceUnavailable):
        len(api)


def test_a_module_may_be_the_implementation(world: Synthetic) -> None:
    module = types.ModuleType("store")
    vars(module).update(save=lambda text: f"{text} {me()}", label="module")
    world.add("a", providing(Store, module)).enable()
    assert pkl.use(Store).api.save("x") == "x a"


def test_an_api_can_be_neither_changed_nor_copied(world: Synthetic) -> None:
    world.add("a", providing()).enable()
    api = pkl.use(Store).api
    with pytest.raises(AttributeError, match="'label' of a service cannot be set"):
        api.label = "other"
    with pytest.raises(AttributeError, match="cannot be deleted"):
        del api.label
    with pytest.raises(TypeError, match="neither pickled nor copied"):
        copy.copy(api)


def test_the_order_is_rank_then_version_then_name_whatever_came_first(world: Synthetic) -> None:
    for name, version, rank in (
        *(("d", "1.2", 0), ("b", "1.10", 0), ("a", "1.10", 0)),
        *(("c", "0.1", 1), ("e", "9.0a1", 0)),
    ):
        world.add(name, providing(version=version, rank=rank)).enable()
    found = [p.plugin.name for p in pkl.use_all(Store).providers if p.plugin is not None]
    assert found == ["c", "a", "b", "d", "e"], "pre-releases come last"
    assert [api.save("x") for api in pkl.use_all(Store, "<2,>=1")] == ["a x a", "b x b", "d x d"]
    assert len(pkl.use_all(Store, ">=1.10")) == 3


def test_versions_are_held_against_what_is_asked_for(world: Synthetic) -> None:
    world.add("a", providing(version="1.4")).enable()
    assert not pkl.use(Store, ">=2")
    world.add("b", providing(version="2.0")).enable()
    assert pkl.use(Store, ">=2").api.save("x") == "b x b"
    with pytest.raises(pkl.RequirementError, match="not a version specifier"):
        pkl.use(Store, "2")


def test_the_version_is_the_plugins_or_the_hosts_unless_stated(world: Synthetic) -> None:
    plugin = world.add("a", providing(), version="4.2")
    plugin.enable()
    assert plugin.module.provision.version == "4.2"
    assert pkl.provide(Shape, Square()).version == "3.1"
    assert pkl.provide(Shape, Square(), version="7").version == "7"


def test_the_host_provides_and_uses(world: Synthetic) -> None:
    provision = pkl.provide(Store, Files("own"))
    got: List[str] = []

    def body(module: Any) -> None:
        got.append(pkl.use(Store).api.save("x"))
        module.late = pkl.use(Store)

    plugin = world.add("a", body)
    plugin.enable()
    assert got == ["own x host"]
    provision.release()
    with pytest.raises(pkl.ServiceUnavailable):
        plugin.module.late.api.save("x")


def test_hosts_do_not_see_each_others_services(world: Synthetic) -> None:
    world.add("a", providing()).enable()
    other = Synthetic()
    with other.host.as_current():
        assert not pkl.use(Store)
        other.add("a", providing()).enable()
        assert pkl.use(Store).provider is not None
    other.host.close()
    assert pkl.use(Store)


def test_asked_in_the_same_words_the_same_handle_is_given(world: Synthetic) -> None:
    plugin = world.add("a").enable()
    with pkl.plugin_context(world.host, plugin):
        first = pkl.use(Store, ">=1")
        assert pkl.use(Store, ">= 1") is first
        assert pkl.use(Store, ">=1", greedy=True) is not first
        assert len(world.host.resource_manager.get_resources(plugin)) == 2
    assert pkl.use(Store, ">=1") is not first, "the host has its own"


def test_a_handle_ends_with_its_plugin(world: Synthetic) -> None:
    world.add("a", providing()).enable()
    user = world.add("b", lambda module: setattr(module, "store", pkl.use(Store)))
    user.enable()
    store = user.module.store
    user.disable()
    assert not store and store.ended
    with pytest.raises(pkl.ServiceUnavailable) as caught:
        store.api.save("x")
    assert str(caught.value) == (
        "plugin 'b' 1.0 uses the service Store through a handle that was released\n"
        "hint: ask for the service again: use(…)"
    )
    assert not [h for h in world.host.kernel.services.handles() if h.plugin is user]


def test_nothing_is_left_of_an_interface_that_nobody_uses(world: Synthetic) -> None:
    class Local:
        pass

    plugin = world.add("a", providing(Local, Local()))
    plugin.enable()
    store = pkl.use(Local)
    plugin.disable()
    store.release()
    registry = world.host.kernel.services
    assert not registry._slots and not registry._published and not registry._past


@pytest.mark.parametrize(
    ("interface", "implementation", "options", "text"),
    [
        (Shape, 3, {}, "an object of type int cannot be the service Shape: it is not an instance"),
        (Shape, Square, {}, r"the class Square cannot be the service Shape.*\n.*Square\(…\)"),
        (Store, 3, {}, "an object of type int cannot be the service Store: it lacks label, save"),
        (
            Store,
            types.SimpleNamespace(save=1, label=""),
            {},
            "cannot be the service Store: its save cannot be called",
        ),
        (3, 3, {}, "a class, a Protocol or the name of a capability, not 3"),
        (List[int], [], {}, "not typing.List"),
        ("no name!", 3, {}, "'no name!' is not the name of a capability"),
        ("name", None, {}, "None cannot be the name"),
        ("name", 3, {"capability": "other"}, "capability name is a capability already"),
        (Shape, Square(), {"capability": "?"}, "'\\?' is not the name of a capability"),
        (Shape, Square(), {"version": "one"}, "'one' is not the version of a service"),
        (Shape, Square(), {"rank": "high"}, "rank of a service is an integer, not 'high'"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_registered(
    world: Synthetic, interface: Any, implementation: Any, options: Any, text: str
) -> None:
    with pytest.raises(pkl.ServiceRefused, match=text) as caught:
        pkl.provide(interface, implementation, **options)
    assert isinstance(caught.value, TypeError)
    assert not world.host.resource_manager.get_resources(None)
    assert not world.host.kernel.services._slots


class Base(Protocol):
    def one(self) -> None: ...


class Derived(Base, Protocol):
    def two(self) -> None: ...


class Repository(Generic[T]):
    pass


def test_the_members_of_a_protocol_are_those_of_its_bases_too(world: Synthetic) -> None:
    with pytest.raises(pkl.ServiceRefused, match="it lacks one, two"):
        pkl.provide(Derived, object())
    with pytest.raises(pkl.ServiceRefused, match="it lacks two"):
        pkl.provide(Derived, types.SimpleNamespace(one=print))
    pkl.provide(Derived, types.SimpleNamespace(one=print, two=print))
    with pytest.raises(pkl.ServiceRefused, match="leave its arguments out: Repository"):
        pkl.use(Repository[int])


@pytest.mark.parametrize(
    ("asked", "specifier", "text"),
    [
        ("audit; python_version>'3'", "", "more than a capability and its versions"),
        ("audit[fast]", "", "more than a capability and its versions"),
        ("audit>=1", ">=2", "states versions already"),
    ],
)
def test_a_capability_is_asked_for_by_name_and_versions(
    world: Synthetic, asked: str, specifier: str, text: str
) -> None:
    with pytest.raises(pkl.ServiceRefused, match=text):
        pkl.use(asked, specifier)


def test_a_stopping_plugin_provides_nothing_more(world: Synthetic) -> None:
    """In its ``on_disable`` it still may, and it is taken back; from then on it is refused."""
    seen: List[Any] = []

    class Late(pkl.Resource):
        def _cleanup(self) -> None:
            try:
                pkl.provide(Store, Files())
            except pkl.PluginNotRunning as error:
                seen.append(error)

    def body(module: Any) -> None:
        world.host.resource_manager.register(Late())

        def farewell() -> None:
            pkl.provide(Store, Files())
            seen.append(bool(store))

        module.plugin.on_disable.subscribe(farewell)

    store = pkl.use(Store)
    plugin = world.add("a", body)
    plugin.enable()
    plugin.disable()
    assert seen[0] is True and isinstance(seen[1], pkl.PluginNotRunning) and len(seen) == 2
    assert not store and not world.host.kernel.services._published


def test_a_plugin_that_fails_to_start_has_provided_nothing(world: Synthetic) -> None:
    def body(module: Any) -> None:
        providing()(module)
        module.plugin.on_enable.subscribe(lambda: 1 / 0)

    store = pkl.use(Store)
    told: List[Any] = []
    store.on_bound(told.append)
    with pytest.raises(pkl.PluginEnableError):
        world.add("a", body).enable()
    assert not store and not told


def test_a_new_load_of_a_plugin_serves_handles_of_its_own_interface(
    host: pkl.PluginHost, make: Make
) -> None:
    """The class is another one after each load; it is known by its name."""
    code = """
    import pkl
    class Api:
        def number(self): return {0}
    pkl.provide(Api, Api())
    """
    path = make("a", code.format(1))
    plugin = enabled(host, path)
    handle = pkl.use(plugin.module.Api)
    first = plugin.module.Api
    assert handle.api.number() == 1
    plugin.disable()
    assert not handle
    make("a", code.format(2))
    plugin.enable()
    assert plugin.module.Api is not first
    assert handle.api.number() == 2


def test_services_outlive_the_import_of_a_closed_host(world: Synthetic) -> None:
    other = Synthetic()
    with other.host.as_current():
        store = pkl.use(Store)
        pkl.provide(Store, Files())
    other.host.close()
    assert not store and store.ended
    with other.host.as_current(), pytest.raises(pkl.HostClosed):
        pkl.provide(Store, Files())
