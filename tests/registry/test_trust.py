"""Which index is taken: signed by a pinned key, never older than the last, not expired."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional, Tuple

import pytest

from pkl.errors import (
    MissingTool,
    PathError,
    RegistryExpired,
    RegistryGarbage,
    RegistryRolledBack,
    SignatureRefused,
)
from pkl.registry.keys import PublicKey, parse_public_key, read_signature
from pkl.registry.model import Index, Rotation
from pkl.registry.signing import SshKeygen
from pkl.registry.trust import Accepted, Known, Seen, accept_index, check_content
from pkl.registry.writing import dump_index
from tests.registry.conftest import Keys
from tests.registry.making import NOW

URL = "https://plugins.example"
INDEX = Index(7, None, "ab" * 32, {})
DATA = dump_index(INDEX)
UNPINNED = Known(URL, "acme")
NO_DATA = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def known(*keys: PublicKey, seen: Optional[Seen] = None) -> Known:
    return Known(URL, "acme", keys, seen)


def accept(
    data: bytes,
    signature: Optional[bytes] = None,
    of: Known = UNPINNED,
    keygen: Any = None,
    now: float = NOW,
    **more: Any,
) -> Accepted:
    return accept_index(data, signature, of, now=now, verifier=keygen or SshKeygen(), **more)


def refused(*arguments: Any, **more: Any) -> SignatureRefused:
    with pytest.raises(SignatureRefused) as caught:
        accept(*arguments, **more)
    assert caught.value.exit_status == 8
    assert "nothing of it was used" in caught.value.message
    return caught.value


def signed(keys: Keys, name: str = "key", data: bytes = DATA) -> Tuple[PublicKey, bytes]:
    """A key, and its signature over an index."""
    file = str(keys.make(name))
    return keys.keygen.public_key(file), keys.keygen.sign(data, file)


def test_an_index_that_a_pinned_key_signed_is_taken(keys: Keys) -> None:
    key, signature = signed(keys)
    found = accept(DATA, signature, known(key), keys.keygen)
    assert (found.index.serial, found.signer, found.keys) == (7, key, (key,))
    assert found.seen == Seen(7, found.index.sha256, int(NOW))


def test_an_index_that_was_changed_after_it_was_signed_is_refused(keys: Keys) -> None:
    key, signature = signed(keys)
    changed = DATA.replace(b'"serial":7', b'"serial":8')
    error = refused(changed, signature, known(key), keys.keygen)
    assert f"is not what the key {key.fingerprint} signed" in error.message
    assert "incorrect signature" in error.message
    assert "pkl registry keys pin acme FILE.pub" in error.hint


def test_another_key_is_refused_and_both_are_named(keys: Keys) -> None:
    key, _ = signed(keys)
    stranger, signature = signed(keys, "stranger")
    error = refused(DATA, signature, known(key), keys.keygen)
    assert stranger.fingerprint in error.message and key.fingerprint in error.message
    assert error.details["why"] == "unknown-key"


def test_a_signature_that_claims_the_pinned_key_is_not_believed(keys: Keys) -> None:
    """The name of the key in a signature proves nothing."""
    key, signature = signed(keys)
    other = dump_index(replace(INDEX, serial=9))
    _, foreign = signed(keys, "stranger", other)
    assert read_signature(signature).key == key
    error = refused(other, signature, known(key), keys.keygen)
    assert error.details["why"] == "wrong"
    assert refused(other, foreign, known(key), keys.keygen).details["why"] == "unknown-key"


def test_an_unsigned_index_is_refused_where_a_key_is_pinned(fake_keys: Keys) -> None:
    key, _ = signed(fake_keys)
    error = refused(DATA, None, known(key), fake_keys.keygen)
    assert "is not signed, and a key is pinned for it" in error.message


@pytest.mark.parametrize(
    "signature",
    [b"", b"-----BEGIN SSH SIGNATURE-----\n!!\n-----END SSH SIGNATURE-----", b"\xff" * 100],
)
def test_what_is_no_signature_is_refused(fake_keys: Keys, signature: bytes) -> None:
    key, _ = signed(fake_keys)
    error = refused(DATA, signature, known(key), fake_keys.keygen)
    assert error.details["why"] == "damaged"


def test_a_signature_cut_short_anywhere_is_refused(fake_keys: Keys) -> None:
    key, signature = signed(fake_keys)
    for end in range(0, len(signature) - 1, 7):
        with pytest.raises(ValueError):
            read_signature(signature[:end])
    assert refused(DATA, signature[:80], known(key), fake_keys.keygen).details["why"] == "damaged"


def test_a_signature_that_was_made_for_something_else_is_refused(
    keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pkl.registry.signing.NAMESPACE", "git")
    key, signature = signed(keys)
    monkeypatch.undo()
    error = refused(DATA, signature, known(key), keys.keygen)
    assert "was made for 'git', not for 'pkl-registry'" in error.message


def test_without_ssh_keygen_a_pinned_registry_is_refused(
    fake_keys: Keys, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    key, signature = signed(fake_keys)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SignatureRefused) as caught:
        accept(DATA, signature, known(key), SshKeygen())
    assert caught.value.exit_status == 8
    assert "ssh-keygen is not on the PATH" in caught.value.message
    assert "install OpenSSH" in caught.value.hint
    with pytest.raises(MissingTool):
        SshKeygen().sign(DATA, str(tmp_path / "key"))


def test_an_ssh_keygen_that_cannot_run_is_no_yes(fake_keys: Keys, tmp_path: Path) -> None:
    key, signature = signed(fake_keys)
    broken = tmp_path / "ssh-keygen"
    broken.write_text("no program")
    broken.chmod(0o755)
    assert refused(DATA, signature, known(key), SshKeygen(str(broken))).details["why"] == "wrong"


def test_where_no_key_is_pinned_a_signature_means_nothing(fake_keys: Keys) -> None:
    found = accept(DATA, b"rubbish", known(), fake_keys.keygen)
    assert (found.signer, found.keys) == (None, ())


def rotation(keys: Keys, old: str, new: str, signer: str = "") -> Rotation:
    """A statement that one key takes the place of another."""
    first, second = (keys.keygen.public_key(str(each)) for each in (old, new))
    bare = Rotation(first, second, "")
    return bare._replace(signature=keys.keygen.sign(bare.text, signer or old).decode())


def test_a_change_of_the_key_that_the_old_one_signed_is_followed(keys: Keys) -> None:
    files = [str(keys.make(name)) for name in ("one", "two", "three")]
    first, _, third = (keys.keygen.public_key(each) for each in files)
    steps = (rotation(keys, files[0], files[1]), rotation(keys, files[1], files[2]))
    data = dump_index(replace(INDEX, rotations=steps))
    found = accept(data, keys.keygen.sign(data, files[2]), known(first), keys.keygen)
    assert (found.signer, found.keys) == (third, (third,))


def test_a_change_of_the_key_that_another_signed_is_refused(keys: Keys) -> None:
    one, mine = str(keys.make("one")), str(keys.make("mine"))
    forged = rotation(keys, one, mine, signer=mine)
    data = dump_index(replace(INDEX, rotations=(forged,)))
    key = keys.keygen.public_key(one)
    error = refused(data, keys.keygen.sign(data, mine), known(key), keys.keygen)
    assert "but the old key did not sign that" in error.message


def test_a_key_that_was_replaced_counts_no_more(fake_keys: Keys) -> None:
    keys = fake_keys
    one, two = str(keys.make("one")), str(keys.make("two"))
    data = dump_index(replace(INDEX, rotations=(rotation(keys, one, two),)))
    key = keys.keygen.public_key(one)
    error = refused(data, keys.keygen.sign(data, one), known(key), keys.keygen)
    assert error.details["why"] == "unknown-key"


def test_a_change_of_somebody_elses_key_is_passed_over(fake_keys: Keys) -> None:
    keys = fake_keys
    one, two, three = (str(keys.make(name)) for name in ("one", "two", "three"))
    data = dump_index(replace(INDEX, rotations=(rotation(keys, one, two, signer=three),)))
    key = keys.keygen.public_key(three)
    found = accept(data, keys.keygen.sign(data, three), known(key), keys.keygen)
    assert found.keys == (key,)


def test_an_index_with_a_lower_serial_is_refused() -> None:
    with pytest.raises(RegistryRolledBack) as caught:
        accept(DATA, of=known(seen=Seen(8, "cd" * 32, int(NOW))))
    assert str(caught.value) == (
        "the index of the registry https://plugins.example went back: it has serial 7, and 8 was"
        " seen on 2026-11-25T03:00:00Z\n"
        "hint: ask whoever runs the registry; if it was made anew, they build it once more with:"
        " pkl registry build DIR --serial 9"
    )


def test_another_index_of_the_same_serial_is_refused_and_the_same_one_is_taken() -> None:
    first = accept(DATA)
    assert accept(DATA, of=known(seen=first.seen)).seen == first.seen
    other = dump_index(replace(INDEX, revoked="cd" * 32))
    with pytest.raises(RegistryRolledBack, match=r"has serial 7 as on .* but another content"):
        accept(other, of=known(seen=first.seen))


def test_an_expired_index_is_refused_unless_it_is_a_copy_of_our_own() -> None:
    data = dump_index(replace(INDEX, expires=int(NOW)))
    assert accept(data, now=NOW - 1).expired == 0
    with pytest.raises(RegistryExpired) as caught:
        accept(data, now=NOW + 60)
    assert "was good until 2026-11-25T03:00:00Z, and it is 2026-11-25T03:01:00Z" in str(
        caught.value
    )
    assert "--offline" in caught.value.hint and "the clock of this machine" in caught.value.hint
    assert accept(data, now=NOW + 60, expired_ok=True).expired == 60


def test_a_clock_that_goes_back_revives_no_expired_index() -> None:
    old = dump_index(replace(INDEX, expires=int(NOW)))
    seen = Seen(6, "cd" * 32, int(NOW) + 3600)
    with pytest.raises(RegistryExpired):
        accept(old, of=known(seen=seen), now=NOW - 86400)


def test_a_clock_that_was_ahead_once_does_not_spoil_what_comes() -> None:
    """What is kept is never later than the index that was taken was good for."""
    ahead = dump_index(replace(INDEX, expires=int(NOW) + 100))
    seen = accept(ahead, now=NOW + 1e9, expired_ok=True).seen
    assert seen.at == int(NOW) + 100
    after = dump_index(replace(INDEX, serial=8, expires=int(NOW) + 1000))
    assert accept(after, of=known(seen=seen), now=NOW + 200).index.serial == 8


def test_a_file_with_another_digest_is_garbage_and_both_are_named() -> None:
    check_content(b"", NO_DATA, "it", known())
    with pytest.raises(RegistryGarbage) as caught:
        check_content(b"x", "ab" * 32, "the page of 'audit'", known(), url=f"{URL}/p/audit.json")
    assert f"the page of 'audit' ({URL}/p/audit.json) is not the one" in caught.value.message
    assert "ab" * 32 in caught.value.message and "2d711642b726b044" in caught.value.message


def test_a_key_is_read_as_ssh_keygen_writes_it(keys: Keys) -> None:
    file = keys.make("key")
    key = keys.keygen.public_key(f"{file}.pub")
    assert key == keys.keygen.public_key(str(file))
    assert parse_public_key(str(key)) == key
    os.unlink(f"{file}.pub")
    assert keys.keygen.public_key(str(file)) == key


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "it is a private key"),
        ("", "not one line such as"),
        ("ssh-ed25519", "not one line such as"),
        ("ssh-dss AAAA", "'ssh-dss' is not a kind of key that is taken"),
        ("ssh-ed25519 AAAA", "the key is damaged"),
        ("ssh-ed25519 AAAAB3NzaC1yc2EAAAADAQABAAABgQ==", "the key is damaged"),
        ("ssh-ed25519 AAAA\nssh-ed25519 BBBB", "not one line such as"),
    ],
)
def test_what_is_no_public_key_is_refused_and_told(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_public_key(text)


def test_a_key_file_that_is_none_is_told(keys: Keys, tmp_path: Path) -> None:
    nothing = tmp_path / "nothing"
    with pytest.raises(PathError, match="there is no key file"):
        keys.keygen.sign(b"", str(nothing))
    nothing.write_text("not a key")
    nothing.chmod(0o600)
    with pytest.raises(SignatureRefused, match="ssh-keygen does not sign with"):
        keys.keygen.sign(b"", str(nothing))
    with pytest.raises(SignatureRefused, match="is not a key"):
        keys.keygen.public_key(str(nothing))
