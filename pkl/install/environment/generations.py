"""The generations of a host on disk: made as a whole, flipped in one step, and cleaned up."""

from __future__ import annotations

import errno
import os
import time
from contextlib import contextmanager, suppress
from typing import Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ...errors import Fault, GenerationDamaged, GenerationMissing, GenerationUnwritable, PklError
from ...files import FileLock, atomic_write, flush_directory
from ...store.disk import make_directory
from ..solution import Solution
from .generation import GenerationRecord, dump_generation, parse_generation
from .marks import marks, sweep_marks
from .places import Places, places_of
from .staging import delete_tree, flush_tree
from .standing import damaged, read_current, read_object

__all__ = ["KEPT", "Generations", "Leftover"]

KEPT = 5
"""How many generations stay; one that a running host uses stays in any case."""


class Leftover(NamedTuple):
    """Something that an interrupted change left behind, or a mark of a process that has ended."""

    path: str
    what: str


class Generations:
    """The generations of one host, for the Python and the environment that run this.

    A generation is never changed once it is there. One process at a time makes them: changes are
    made inside ``with generations.changing():``. Reading needs no lock, and every method may be
    called from any thread.

    Attributes:
        host: The host's name.
        places: Where everything is.
    """

    def __init__(
        self,
        host: str,
        *,
        directory: Optional[str] = None,
        timeout: Optional[float] = 10.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Opens nothing.

        Args:
            host: The host's name.
            directory: What holds those of all hosts; ``hosts`` in the user's data directory if
                None. It is made when a generation is.
            timeout: How long to wait for another's change, in seconds; None for any time.
            clock: What time it is, in seconds since 1970; only noted, never compared.
        """
        self.host = host
        self.places: Places = places_of(host, directory)
        self._clock = clock
        self._lock = FileLock(self.places.lock, timeout)

    # Reading.

    def current_number(self) -> Optional[int]:
        """The number of the generation that counts; None if there is none.

        Raises:
            GenerationDamaged: The file that names it is damaged.
        """
        return read_current(self.host, self.places)

    def current(self) -> Optional[GenerationRecord]:
        """The generation that counts; None if there is none.

        Raises:
            GenerationDamaged: It cannot be used.
        """
        number = self.current_number()
        return self.record(number) if number is not None else None

    def record(self, number: int) -> GenerationRecord:
        """What a generation is made of.

        Raises:
            GenerationMissing: There is none of that number.
            GenerationDamaged: It cannot be used.
        """
        directory = self.places.generation(number)
        if not os.path.isdir(directory) and number != self._named_by_current():
            there = ", ".join(map(str, self.numbers()))
            raise GenerationMissing(
                f"the host {self.host!r} has no generation {number}",
                hint=f"there are: {there}" if there else "pkl install makes the first",
                host=self.host,
                generation=number,
            )
        record, faults = parse_generation(read_object(self.host, self.places, number))
        if faults:
            raise damaged(self.host, self.places.record(number), faults)
        if not os.path.isdir(self.places.site(number)):
            site = self.places.site(number)
            raise damaged(self.host, site, (Fault("", site, "is not there"),))
        return record

    def _named_by_current(self) -> Optional[int]:
        try:
            return self.current_number()
        except GenerationDamaged:
            return None

    def numbers(self) -> Tuple[int, ...]:
        """The numbers of all generations, sound or not, in their order."""
        try:
            names = os.listdir(self.places.generations)
        except OSError:
            return ()
        found = [int(name) for name in names if name.isdigit() and name[0] != "0"]
        return tuple(sorted(found))

    def all(self) -> Tuple[GenerationRecord, ...]:
        """The generations that can be used, in their order."""
        found = []
        for number in self.numbers():
            with suppress(GenerationDamaged, GenerationMissing):
                found.append(self.record(number))
        return tuple(found)

    def instead(self) -> Optional[GenerationRecord]:
        """What to start from where the one that counts is damaged: what counted before it."""
        sound = {each.number: each for each in self.all()}
        number = self._named_by_current()
        if number is not None:
            with suppress(GenerationDamaged):
                record, faults = parse_generation(read_object(self.host, self.places, number))
                if not faults and record.previous in sound:
                    return sound[record.previous]
        return sound.get(max((n for n in sound if number is None or n < number), default=0))

    def problems(self) -> Tuple[PklError, ...]:
        """Why the generation that counts, and others, cannot be used."""
        found: List[PklError] = []
        numbers = list(self.numbers())
        try:
            number = self.current_number()
            if number is not None and number not in numbers:
                numbers.append(number)
        except GenerationDamaged as problem:
            found.append(problem)
        for each in numbers:
            try:
                self.record(each)
            except (GenerationDamaged, GenerationMissing) as problem:
                found.append(problem)
        return tuple(found)

    def in_use(self) -> Mapping[int, Tuple[int, ...]]:
        """The processes that run with each generation, by its number."""
        found: Dict[int, List[int]] = {}
        for each in marks(self.places.generations):
            if each.alive:
                found.setdefault(each.number, []).append(each.pid)
        return {number: tuple(pids) for number, pids in sorted(found.items())}

    def leftovers(self) -> Tuple[Leftover, ...]:
        """What the next change deletes; while one is ``busy``, what that makes is among it."""
        found = [Leftover(path, "an interrupted change") for path in self._orphans()]
        found += [
            Leftover(each.path, f"process {each.pid}, which has ended")
            for each in marks(self.places.generations)
            if not each.alive
        ]
        return tuple(found)

    def busy(self) -> bool:
        """Whether a process is changing them just now, or may be for all that can be told."""
        if not os.path.exists(self.places.lock):
            return False
        try:
            with FileLock(self.places.lock, 0):
                return False
        except PklError:
            return True
        except OSError as e:
            # On a full disk the lock was taken, and only who holds it could not be noted in it.
            return e.errno != errno.ENOSPC

    def _orphans(self) -> List[str]:
        found = []
        for directory, prefixes in (
            (self.places.generations, (_STAGING, _OUTDATED)),
            (self.places.root, (".current.",)),
        ):
            with suppress(OSError):
                names = sorted(os.listdir(directory))
                found += [os.path.join(directory, n) for n in names if n.startswith(prefixes)]
        return found

    # Changing.

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Keeps every other process from changing these, and cleans up what one left that died.

        Raises:
            LockTimeout: Another is changing them all the while; the text names the process.
            LockReentered: This thread is changing them already.
            GenerationUnwritable: Nothing can be written there.
        """
        try:
            make_directory(self.places.generations)
            self._lock.__enter__()
        except OSError as e:
            if isinstance(e, PklError):
                raise
            raise self._unwritable(e) from e
        try:
            self._clean_up()
            yield
        finally:
            self._lock.__exit__(None, None, None)

    def build(
        self,
        solution: Solution,
        place: Callable[[str], None],
        *,
        by: str,
        python: str = "",
        paths: Sequence[str] = (),
        lock: str = "",
    ) -> GenerationRecord:
        """Makes a generation, and makes it the one that counts; inside ``changing()``.

        Whatever fails, and wherever the process is killed, the generation that counted before
        counts until the new one is whole and on the disk.

        Args:
            solution: What it is made of.
            place: Called once with an empty directory, fills it; what it raises ends all of it.
            by: The command, which is noted.
            python: The version of the Python that it is for.
            paths: The directories that editable projects add to ``sys.path``, absolute.
            lock: The digest of the lock that it is made from.

        Raises:
            GenerationUnwritable: The system refused something; nothing was changed.
        """
        self._check_locked()
        number = max(self.numbers(), default=0) + 1
        record = GenerationRecord(
            number,
            self._named_by_current(),
            self._now(),
            by,
            python,
            solution.roots,
            solution.chosen,
            tuple(paths),
            lock,
        )
        data = dump_generation(record)
        name = f"{_STAGING}{os.getpid()}-{os.urandom(4).hex()}"
        staging = os.path.join(self.places.generations, name)
        final = self.places.generation(number)
        try:
            os.mkdir(staging, 0o700)
            site = os.path.join(staging, "site")
            os.mkdir(site, 0o700)
            place(site)
            atomic_write(os.path.join(staging, "generation.json"), data, fsync=False)
            flush_tree(staging)
            os.rename(staging, final)
            flush_directory(self.places.generations)
            self._point_to(number, by)
        except BaseException as e:
            counts = self._named_by_current() == number
            for each in (staging,) if counts else (staging, final):
                delete_tree(each)
            if isinstance(e, OSError) and not isinstance(e, PklError):
                raise self._unwritable(e) from e
            raise
        self._prune(number)
        return record

    def flip(self, number: int, by: str) -> GenerationRecord:
        """Makes another generation the one that counts; inside ``changing()``.

        Args:
            number: The generation.
            by: The command, which is noted.

        Raises:
            GenerationMissing: There is none of that number.
            GenerationDamaged: It cannot be used; nothing was changed.
            GenerationUnwritable: The system refused it; nothing was changed.
        """
        self._check_locked()
        record = self.record(number)
        try:
            self._point_to(number, by)
        except OSError as e:
            raise self._unwritable(e) from e
        return record

    def before(self) -> GenerationRecord:
        """The generation that a roll-back goes to: the one that counted before this one.

        Where what counts is damaged, that is the latest that can be used.

        Raises:
            GenerationMissing: There is none.
        """
        sound = {each.number: each for each in self.all()}
        try:
            current = self.current()
        except GenerationDamaged:
            found = self.instead() or sound.get(max(sound, default=0))
            if found is not None:
                return found
            current = None
        if current is not None:
            earlier = [n for n in sound if n < current.number]
            number = current.previous if current.previous in sound else max(earlier, default=None)
            if number is not None:
                return sound[number]
        raise GenerationMissing(
            f"the host {self.host!r} has no generation to go back to",
            hint="pkl rollback --list shows those there are, later ones included",
            host=self.host,
        )

    def _point_to(self, number: int, by: str) -> None:
        words = " ".join(by.split())
        atomic_write(self.places.current, f"{number} {self._now()} {words}\n".encode(), mode=0o644)

    def _prune(self, current: int) -> None:
        """Deletes what is neither recent nor in use; what cannot be deleted stays."""
        held = sweep_marks(self.places.generations)
        numbers = self.numbers()
        kept = {current, *numbers[-KEPT:], *held}
        for number in numbers:
            if number in kept:
                continue
            aside = os.path.join(self.places.generations, f"{_OUTDATED}{number}")
            final = self.places.generation(number)
            try:
                os.rename(final, aside)
                if number in sweep_marks(self.places.generations):
                    # A host has just started with it.
                    os.rename(aside, final)
                    continue
            except OSError:
                continue
            delete_tree(aside)

    def _clean_up(self) -> None:
        sweep_marks(self.places.generations)
        for path in self._orphans():
            if os.path.isdir(path) and not os.path.islink(path):
                delete_tree(path)
            else:
                with suppress(OSError):
                    os.unlink(path)

    def _check_locked(self) -> None:
        if not self._lock.is_held:
            raise RuntimeError("generations are changed inside of changing()")

    def _now(self) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._clock()))

    def _unwritable(self, error: OSError) -> GenerationUnwritable:
        where = error.filename if isinstance(error.filename, str) else self.places.generations
        return GenerationUnwritable(
            f"nothing can be installed for the host {self.host!r}: {where}: "
            f"{error.strerror or error}; what was installed before still is",
            file=where,
            hint="make room or make the directory writable, or set PKL_HOME to a directory of "
            "your own",
            errno=error.errno,
        )


_STAGING = ".staging-"
_OUTDATED = ".outdated-"
