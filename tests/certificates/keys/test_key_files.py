"""Private keys as files: modes, exclusive creation, and files that are refused."""

import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from certificates.keys.key_files import create, load, private_key_path, public_bytes
from certificates.keys.public_keys import qr_kid
from lms.core.errors import DomainError


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_key_is_made_and_loaded(tmp_path: Path) -> None:
    public = create(tmp_path / "keys", qr_kid(1))
    path = tmp_path / "keys" / "signing" / "qr-1.pem"
    assert mode(path) == 0o600
    assert mode(path.parent) == 0o700
    assert [child.name for child in path.parent.iterdir()] == ["qr-1.pem"]
    key = load(tmp_path / "keys", "qr-1")
    assert public_bytes(key) == public
    Ed25519PublicKey.from_public_bytes(public).verify(key.sign(b"text"), b"text")


def test_an_existing_key_is_never_overwritten(tmp_path: Path) -> None:
    create(tmp_path, "qr-1")
    before = private_key_path(tmp_path, "qr-1").read_bytes()
    with pytest.raises(DomainError) as caught:
        create(tmp_path, "qr-1")
    assert caught.value.code == "signing_key_exists"
    assert private_key_path(tmp_path, "qr-1").read_bytes() == before
    assert len(list((tmp_path / "signing").iterdir())) == 1


def test_an_open_folder_is_closed(tmp_path: Path) -> None:
    (tmp_path / "signing").mkdir(mode=0o755)
    create(tmp_path, "qr-1")
    assert mode(tmp_path / "signing") == 0o700


@pytest.mark.parametrize("exposed", [0o640, 0o604, 0o644, 0o610, 0o700])
def test_a_key_that_others_could_use_is_refused(tmp_path: Path, exposed: int) -> None:
    create(tmp_path, "qr-1")
    private_key_path(tmp_path, "qr-1").chmod(exposed)
    with pytest.raises(DomainError) as caught:
        load(tmp_path, "qr-1")
    assert caught.value.code == "signing_key_exposed"
    assert "qr-1" in str(caught.value)


def test_a_stricter_mode_is_accepted(tmp_path: Path) -> None:
    public = create(tmp_path, "qr-1")
    private_key_path(tmp_path, "qr-1").chmod(0o400)
    assert public_bytes(load(tmp_path, "qr-1")) == public


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(DomainError) as caught:
        load(tmp_path, "qr-7")
    assert caught.value.code == "signing_key_missing"
    assert "qr-7" in str(caught.value)


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.touch(mode=0o600)
    path.write_bytes(content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a key",
        X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    ],
    ids=["empty", "words", "for agreement"],
)
def test_a_file_that_is_no_signing_key_is_refused(tmp_path: Path, content: bytes) -> None:
    write(private_key_path(tmp_path, "qr-1"), content)
    with pytest.raises(DomainError) as caught:
        load(tmp_path, "qr-1")
    assert caught.value.code == "signing_key_unreadable"


def test_a_link_or_a_folder_is_not_a_key(tmp_path: Path) -> None:
    create(tmp_path, "qr-1")
    private_key_path(tmp_path, "qr-2").symlink_to(private_key_path(tmp_path, "qr-1"))
    private_key_path(tmp_path, "qr-3").mkdir(mode=0o600)
    for kid in ("qr-2", "qr-3"):
        with pytest.raises(DomainError) as caught:
            load(tmp_path, kid)
        assert caught.value.code == "signing_key_unreadable"


@pytest.mark.parametrize("kid", ["../qr-1", "qr-1/..", "", "qr", "qr-1000", "QR-1"])
def test_a_name_cannot_leave_the_folder(tmp_path: Path, kid: str) -> None:
    with pytest.raises(ValueError, match="not the name of a key"):
        create(tmp_path, kid)


def test_a_key_belongs_to_the_owner_of_the_folder(tmp_path: Path) -> None:
    """An administrator makes keys at the terminal, as root; the worker, which is another user, must read them."""
    owner = 61_234 if os.geteuid() == 0 else os.geteuid()
    os.chown(tmp_path, owner, -1)
    create(tmp_path, "qr-1")
    assert {path.stat().st_uid for path in tmp_path.rglob("*")} == {owner}
