"""Keeps the accounts of one host: what each generation holds, and what its stop has left."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, Iterator, List, Optional, Tuple
from weakref import WeakKeyDictionary, ref

from ..kernel.activity import Activity
from ..kernel.describe import describe
from ..kernel.receipt import Held, Leftover, Receipt
from ..kernel.route import Subscription
from ..kernel.scheduler import Job, pool_of
from ..kernel.stack import innermost_of_thread, name_of_thread
from ..kernel.timer import Timer
from .belongings import Belongings
from .changes import GONE, Change, take_back, weakly
from .evidence import CodeEvidence
from .interpreter import in_the_interpreter
from .libraries import in_libraries
from .possessions import possessions
from .watch import ProcessWatch

if TYPE_CHECKING:
    from ..kernel.core import Kernel
    from ..kernel.generation import Generation
    from ..kernel.resource import Resource

__all__ = ["HostAccountant"]

SETTLING = 1.0
"""Seconds after a stop at which it is looked for what holds the code."""
EARLIER = 4
"""How many earlier receipts of a plugin are kept, if something of theirs may still be there."""


class _Account:
    """What is known of one generation.

    Attributes:
        changes: What its start has changed, in order.
        unsure: What changed meanwhile, when others ran too.
        resources: What it held when it began to stop.
    """

    def __init__(self) -> None:
        self.changes: List[Change] = []
        self.unsure: List[Change] = []
        self.resources: Tuple["Resource", ...] = ()
        self.done: List[Held] = []
        self.left: List[Leftover] = []

    def undone(self, held: Held) -> None:
        """It was taken back."""
        self.done.append(held)

    def kept(self, held: Held, remains: Callable[[], bool]) -> None:
        """It is still there."""
        self.left.append(Leftover(held, remains))


class HostAccountant:
    """The ``Accountant`` of a host. Safe from any thread.

    Args:
        kernel: The host's kernel.
    """

    def __init__(self, kernel: "Kernel") -> None:
        self._kernel = kernel
        self._lock = threading.Lock()
        self._accounts: "WeakKeyDictionary[Generation, _Account]" = WeakKeyDictionary()
        self._receipts: Dict[str, List[Receipt]] = {}
        self._job: Optional[Job] = None

    @property
    def receipts(self) -> Tuple[Receipt, ...]:
        """The last receipt of each plugin, and earlier ones that are not settled."""
        with self._lock:
            return tuple(each for all_of in self._receipts.values() for each in all_of)

    def watch(self, generation: "Generation") -> ProcessWatch:
        """What notes the changes that a generation's import or ``on_enable`` makes."""

        def note(changes: List[Change], alone: bool) -> None:
            account = self._account(generation)
            (account.changes if alone else account.unsure).extend(changes)

        return ProcessWatch(generation, note)

    def stopping(self, generation: "Generation") -> None:
        """Notes its resources, which are about to be released."""
        self._account(generation).resources = tuple(generation.resources.values())

    def stopped(self, generation: "Generation") -> Callable[[], Receipt]:
        """Takes back what its code has left in the process."""
        account = self._account(generation)
        self._accounts.pop(generation, None)
        code = generation.code
        modules = [] if code is None else list(code.modules())
        namespaces = [vars(module) for module in modules if hasattr(module, "__dict__")]
        mine = Belongings(generation, namespaces)
        for resource in account.resources:
            _released(resource, account)
        for thread in generation.threads_inside():
            _left_running(generation, thread, account)
        for change in reversed(account.changes):
            take_back(change, account)
        found = (
            lambda: in_the_interpreter(mine),
            lambda: in_libraries(mine, generation),
            lambda: possessions(mine, namespaces),
        )
        known = {each.held[:2]: index for index, each in enumerate(account.left)}
        for find in found:
            for change in _each(find, account):
                index = known.get(change.held[:2])
                if index is None:
                    take_back(change, account)
                elif change.held.note and not account.left[index].held.note:
                    # Seen by its start already, and now it is known where it is.
                    account.left[index] = account.left[index]._replace(held=change.held)
        sure = {each.held[:2] for each in account.left}
        unsure = [
            Leftover(each.held, each.remains)
            for each in account.unsure
            if each.held[:2] not in sure and _remains(each)
        ]
        evidence = CodeEvidence(mine, generation, namespaces)
        plugin = generation.plugin
        receipt = Receipt(
            plugin.name,
            plugin.version,
            generation.number,
            account.done,
            account.left,
            unsure,
            evidence,
        )
        return lambda: self._settle(receipt)

    def verify(self) -> None:
        """Verifies every receipt that is pending."""
        for receipt in self.receipts:
            if receipt.status == "pending":
                receipt.verify()

    def _account(self, generation: "Generation") -> _Account:
        with self._lock:
            account = self._accounts.get(generation)
            if account is None:
                account = self._accounts[generation] = _Account()
            return account

    def _settle(self, receipt: Receipt) -> Receipt:
        with self._lock:
            earlier = self._receipts.get(receipt.plugin, [])
            kept = [each for each in earlier if each.status != "released" or each.left]
            self._receipts[receipt.plugin] = [*kept[-EARLIER:], receipt]
        self._verify_later()
        return receipt

    def _verify_later(self) -> None:
        kernel = self._kernel
        with self._lock:
            if kernel.closing or self._job is not None:
                return
            self._job = job = Job(self._verify_now, pool_of(kernel.subject, kernel.scheduler))
        kernel.scheduler.at(kernel.clock.monotonic() + SETTLING, job)

    def _verify_now(self) -> None:
        with self._lock:
            self._job = None
        self.verify()


def _each(find: Callable[[], Iterable[Change]], account: _Account) -> Iterator[Change]:
    """What a search finds, up to where it fails."""
    try:
        yield from find()
    except Exception as error:
        held = Held("search", type(error).__name__, f"for what it left raised {error}")
        account.kept(held, lambda: True)


def _remains(change: Change) -> bool:
    try:
        return change.remains()
    except Exception:
        return False


def _released(resource: Any, account: _Account) -> None:
    if isinstance(resource, Activity):
        held = Held(resource.kind, resource.name)
        if resource.lingers:
            place = resource.where()
            held = held._replace(note=f"in {place}" if place else "")
            account.kept(held, _lingers(resource))
            return
    elif isinstance(resource, Subscription):
        held = Held("handler", describe(resource.handler))
    elif isinstance(resource, Timer):
        held = Held("timer", describe(resource))
    else:
        held = Held("resource", describe(type(resource)))
    account.undone(held)


def _left_running(generation: "Generation", thread: int, account: _Account) -> None:
    """A call of the plugin in somebody else's thread, which nobody can end."""
    get = ref(generation)

    def remains() -> bool:
        known = get()
        return known is not None and known.runs_on(thread)

    place = innermost_of_thread(thread)
    note = f"it runs the plugin's code on, at {place}" if place else "it runs the plugin's code on"
    account.kept(Held("thread", name_of_thread(thread), note), remains)


def _lingers(activity: "Activity[Any]") -> Callable[[], bool]:
    get = weakly(activity)

    def lingers() -> bool:
        found = get()
        return found is not GONE and bool(found.lingers)

    return lingers
