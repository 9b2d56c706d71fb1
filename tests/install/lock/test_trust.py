"""What the registries of a lock say by now: keys, serials, and what they revoked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pkl.errors import RegistryGarbage, RegistryRolledBack, SignatureRefused, WheelRefused
from pkl.install.locks.lock import Lock, LockedRegistry
from pkl.install.locks.lock_trust import Checked, check_registries, refuse_revoked
from pkl.install.locks.locking import locked_registries
from pkl.model.known_registry import KnownRegistry
from pkl.registry.client import RegistryClient
from tests.install.lock.making import a_lock, a_plugin
from tests.registry.client.site import NOW, FakeVerifier, Site, fake_key

AUDIT = a_plugin("audit", "1.0")


class Here:
    """A registry in a folder, and what is known of it here."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "registry"
        self.site = Site()
        self.site.serial = 5
        self.site.add("audit", "1.0")
        self.known = KnownRegistry("main", self.folder.as_uri())

    def client(self, **more: Any) -> RegistryClient:
        """A client of it as it is now."""
        self.site.write(self.folder)
        return RegistryClient(self.known, verifier=FakeVerifier(), clock=lambda: float(NOW), **more)

    def locked(self, **more: Any) -> LockedRegistry:
        """What a lock that is made now notes of it."""
        client = self.client()
        client.index()
        (found,) = locked_registries([client.known])
        return found._replace(**more)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Here:
    """A registry with the serial 5 that nobody signs."""
    monkeypatch.setenv("PKL_HOME", str(tmp_path / "home"))
    return Here(tmp_path)


def lock_with(registry: LockedRegistry) -> Lock:
    """A lock of a plugin of this registry."""
    return a_lock(AUDIT, registries=[registry])


def test_a_registry_as_it_was_has_nothing_to_say(here: Here) -> None:
    checked = check_registries(lock_with(here.locked()), [here.client()])
    assert checked.remarks == ()
    refuse_revoked([AUDIT], checked)


def test_a_registry_that_went_on_is_no_fault(here: Here) -> None:
    lock = lock_with(here.locked())
    here.site.serial = 6
    here.site.add("auth", "2.0")
    assert check_registries(lock, [here.client()]).remarks == ()


def test_a_registry_that_is_older_than_the_lock_was_rolled_back(here: Here) -> None:
    lock = lock_with(here.locked(serial=9))
    with pytest.raises(RegistryRolledBack) as caught:
        check_registries(lock, [here.client()])
    assert caught.value.message == (
        f"the registry main ({here.known.url}) was rolled back: it has the serial 5, and the lock "
        f"was made with 9 ({lock.path})"
    )
    assert caught.value.details["seen"] == 9 and caught.value.exit_status == 6


def test_two_indexes_of_one_serial_are_as_bad(here: Here) -> None:
    lock = lock_with(here.locked())
    here.site.add("auth", "2.0")
    with pytest.raises(RegistryRolledBack, match="another index with the serial 5"):
        check_registries(lock, [here.client()])


def test_a_registry_with_another_key_is_refused(here: Here) -> None:
    here.site.key = fake_key("b")
    here.known = here.known._replace(keys=(str(fake_key("b")),))
    lock = lock_with(here.locked(keys=(fake_key("a").fingerprint,)))
    with pytest.raises(SignatureRefused) as caught:
        check_registries(lock, [here.client()])
    assert caught.value.message == (
        f"the lock {lock.path} was made with the registry main ({here.known.url}) as "
        f"{fake_key('a').fingerprint} signs it, and here {fake_key('b').fingerprint} is pinned "
        "for it"
    )
    assert caught.value.exit_status == 8
    here.known = here.known._replace(keys=())
    with pytest.raises(SignatureRefused, match="here no key is pinned for it"):
        check_registries(lock, [here.client()])


def test_a_key_that_is_pinned_here_alone_is_no_fault(here: Here) -> None:
    here.site.key = fake_key("a")
    here.known = here.known._replace(keys=(str(fake_key("a")),))
    assert check_registries(lock_with(here.locked(keys=())), [here.client()]).remarks == ()


def test_a_registry_that_is_not_known_here_is_a_remark(here: Here) -> None:
    checked = check_registries(lock_with(here.locked()), [])
    assert checked.remarks == (
        f"the registry main ({here.known.url}) is not known here, so what it has revoked is not "
        f"known: pkl registry add main {here.known.url}",
    )


def test_a_registry_that_cannot_be_reached_is_a_remark(here: Here) -> None:
    lock = lock_with(here.locked())
    gone = RegistryClient(here.known._replace(url="https://127.0.0.1:9/r"), offline=True)
    lock = replace(lock, registries=(lock.registries[0]._replace(url="https://127.0.0.1:9/r"),))
    (remark,) = check_registries(lock, [gone]).remarks
    assert remark.startswith("what main has revoked is not known: ")
    assert "--offline" in remark


def test_garbage_is_no_remark(here: Here) -> None:
    lock = lock_with(here.locked())
    client = here.client()
    (here.folder / "pkl/v1/index.json").write_bytes(b"<html>")
    with pytest.raises(RegistryGarbage):
        check_registries(lock, [client])


def test_a_version_that_was_revoked_since_is_refused_by_name(here: Here) -> None:
    lock = lock_with(here.locked())
    here.site.serial = 6
    here.site.revoke("audit", "1.0", "writes passwords into the log")
    checked = check_registries(lock, [here.client()])
    with pytest.raises(WheelRefused) as caught:
        refuse_revoked([AUDIT, a_plugin("auth")], checked)
    assert caught.value.message == (
        "the lock has what must not run any more; nothing was changed\n"
        "audit 1.0 was revoked by main: writes passwords into the log"
    )
    assert (caught.value.plugin, caught.value.hint) == ("audit", "take other versions: pkl lock")
    assert caught.value.exit_status == 8


def test_what_another_registry_revoked_is_another_plugin(here: Here) -> None:
    here.site.revoke("audit", "1.0")
    checked = check_registries(lock_with(here.locked()), [here.client()])
    refuse_revoked([replace(AUDIT, registry="other")], checked)
    refuse_revoked([AUDIT], Checked((), ()))
    with pytest.raises(WheelRefused):
        refuse_revoked([replace(AUDIT, registry="")], checked)
