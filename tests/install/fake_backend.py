"""An installer that starts no process: exact for the wheels it is given, and quick."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from packaging.requirements import Requirement
from packaging.version import Version

from pkl.discovery.headers import read_headers
from pkl.errors import NoSolution
from pkl.install.backends.backend import Query, Resolved
from pkl.install.solution import WheelRef
from pkl.names import canonical
from pkl.registry.address import file_of
from pkl.registry.wheel_name import parse_wheel_name

__all__ = ["FakeBackend"]


class FakeBackend:
    """Knows the wheels of some folders, whatever indexes it is told to look into.

    It tries versions from the highest down and gives up nowhere, so that it finds an answer if
    there is one. Extras are not known to it.

    Attributes:
        folders: Where its wheels are, such as ``shop.wheels``.
        asked: The queries that came.
        placed: The wheels that were placed, call by call.
    """

    name = "fake"
    version = "1.0"

    def __init__(self, *folders: Path) -> None:
        self.folders = folders
        self.asked: List[Query] = []
        self.placed: List[Tuple[str, ...]] = []

    def resolve(self, query: Query) -> Tuple[Resolved, ...]:
        """The highest versions that fit together, of the wheels that there are."""
        self.asked.append(query)
        offers = self._offers(query)
        wanted = [Requirement(each) for each in query.requirements]
        limits = [Requirement(each) for each in query.constraints]
        pins = tuple(f"{each.name}=={each.version}" for each in query.installed)
        chosen = self._search(wanted, limits, offers, {}, query.prereleases)
        if chosen is None:
            proof = (*query.requirements, *(f"with {each}" for each in query.constraints + pins))
            raise NoSolution("no versions fit together", proof=proof)
        return tuple(each for _, each in sorted(chosen.items()))

    def place(self, wheels: Sequence[str], target: str) -> None:
        """Unpacks."""
        self.placed.append(tuple(wheels))
        for each in wheels:
            with zipfile.ZipFile(each) as archive:
                archive.extractall(target)

    def _offers(self, query: Query) -> Dict[str, List[Tuple[Resolved, Tuple[str, ...]]]]:
        found: Dict[str, List[Tuple[Resolved, Tuple[str, ...]]]] = {}
        for pin in query.installed:
            found[pin.name] = [(Resolved(pin.name, pin.version), ())]
        paths = [path for folder in self.folders for path in sorted(folder.glob("*.whl"))]
        local = [Path(each) for each in query.wheels]
        pinned = set(found)
        for path in (*local, *paths):
            said = parse_wheel_name(path.name)
            assert said is not None
            if said.distribution not in pinned:
                found.setdefault(said.distribution, []).append(_offer(path))
        preferred = {canonical(n): v for n, _, v in (p.partition("==") for p in query.preferred)}
        for name, offers in found.items():
            offers.sort(
                key=lambda each: (
                    each[0].version == preferred.get(name),
                    not Version(each[0].version).is_prerelease,
                    Version(each[0].version),
                ),
                reverse=True,
            )
        return found

    def _search(
        self,
        wanted: List[Requirement],
        limits: List[Requirement],
        offers: Mapping[str, List[Tuple[Resolved, Tuple[str, ...]]]],
        chosen: Dict[str, Resolved],
        prereleases: bool,
    ) -> Optional[Dict[str, Resolved]]:
        wanted = [w for w in wanted if w.marker is None or w.marker.evaluate({"extra": ""})]
        for each in (*wanted, *limits):
            held = chosen.get(canonical(each.name))
            if held is not None and not each.specifier.contains(held.version, prereleases=True):
                return None
        missing = next((w for w in wanted if canonical(w.name) not in chosen), None)
        if missing is None:
            return chosen
        for offer, needs in self._fitting(missing, offers, prereleases):
            found = self._search(
                [*wanted, *map(Requirement, needs)],
                limits,
                offers,
                {**chosen, offer.name: offer},
                prereleases,
            )
            if found is not None:
                return found
        return None

    def _fitting(
        self,
        wanted: Requirement,
        offers: Mapping[str, List[Tuple[Resolved, Tuple[str, ...]]]],
        prereleases: bool,
    ) -> Iterator[Tuple[Resolved, Tuple[str, ...]]]:
        all_offers = [
            each
            for each in offers.get(canonical(wanted.name), ())
            if wanted.specifier.contains(each[0].version, prereleases=True)
        ]
        if not prereleases:
            finals = [each for each in all_offers if not Version(each[0].version).is_prerelease]
            all_offers = finals or all_offers
        yield from all_offers


def _offer(path: Path) -> Tuple[Resolved, Tuple[str, ...]]:
    said = parse_wheel_name(path.name)
    assert said is not None
    with zipfile.ZipFile(path) as archive:
        info = next(each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
        needs = read_headers(archive.read(info)).requires_dist
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    url = path.as_uri()
    assert file_of(url) == str(path)
    size = path.stat().st_size
    wheel = WheelRef(path.name, url, sha256, size, int(path.stat().st_mtime))
    return Resolved(said.distribution, said.version, url, sha256, "", (wheel,), needs), needs
