"""A backup opens with its identity or its passphrase, and with nothing else; what was changed is never taken for it."""

import io
from pathlib import Path

import pytest

from lms.backup import BackupError, encryption
from lms.backup.encryption import BINARY_BEGIN, Opener
from lms.backup.passphrases import ARMOUR_BEGIN

CONTENT = [b"a" * 100_000, b"", b"b" * 70_000]
PASSPHRASE = "正确的 horse battery staple"


def locked(recipients: list[str], passphrase: str | None = None) -> tuple[bytes, Opener]:
    file = io.BytesIO()
    own = encryption.encrypt(iter(CONTENT), file, recipients, passphrase)
    return file.getvalue(), own


def opened(content: bytes, opener: Opener) -> bytes:
    sink = io.BytesIO()
    encryption.decrypt(io.BytesIO(content), sink, opener)
    return sink.getvalue()


@pytest.fixture(scope="module")
def pair() -> tuple[str, str]:
    return encryption.new_identity()


@pytest.fixture(scope="module")
def sealed(pair: tuple[str, str]) -> bytes:
    return locked([pair[1]])[0]


@pytest.fixture(scope="module")
def with_both(pair: tuple[str, str]) -> bytes:
    return locked([pair[1]], PASSPHRASE)[0]


def test_the_identity_and_the_key_of_this_process_open_it(pair: tuple[str, str]) -> None:
    content, own = locked([pair[1]])
    assert content.startswith(BINARY_BEGIN)
    assert opened(content, Opener([pair[0]])) == opened(content, own) == b"".join(CONTENT)
    assert b"aaaa" not in content


def test_each_of_identity_and_passphrase_opens_it(pair: tuple[str, str], with_both: bytes) -> None:
    assert with_both.startswith(ARMOUR_BEGIN)
    assert opened(with_both, Opener([pair[0]])) == b"".join(CONTENT)
    assert opened(with_both, Opener(passphrase=PASSPHRASE)) == b"".join(CONTENT)


def test_a_wrong_passphrase_opens_nothing(with_both: bytes) -> None:
    with pytest.raises(BackupError, match="passphrase does not open"):
        opened(with_both, Opener(passphrase="another"))
    with pytest.raises(BackupError, match="give the passphrase"):
        opened(with_both, Opener())
    cut = with_both[:200]
    with pytest.raises(BackupError, match="has no end"):
        opened(cut, Opener(passphrase=PASSPHRASE))


def test_another_identity_opens_nothing(sealed: bytes) -> None:
    with pytest.raises(BackupError, match="none of the given keys"):
        opened(sealed, Opener([encryption.new_identity()[0]]))
    with pytest.raises(BackupError, match="has no passphrase"):
        opened(sealed, Opener(passphrase=PASSPHRASE))


def test_each_altered_or_missing_byte_is_found(pair: tuple[str, str], sealed: bytes) -> None:
    opener = Opener([pair[0]])
    places = [*range(0, len(sealed), 9_973), len(sealed) - 1]
    for place in places:
        altered = bytearray(sealed)
        altered[place] ^= 0x10
        with pytest.raises(BackupError):
            opened(bytes(altered), opener)
        with pytest.raises(BackupError):
            opened(sealed[:place], opener)
    with pytest.raises(BackupError):
        opened(sealed + b"x", opener)


def test_errors_of_source_and_sink_are_raised_as_they_are(pair: tuple[str, str], sealed: bytes) -> None:
    def failing() -> "object":
        yield b"x"
        raise BackupError("pg_dump failed")

    class Full(io.BytesIO):
        def write(self, _content: object) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(BackupError, match="pg_dump failed"):
        encryption.encrypt(failing(), io.BytesIO(), [pair[1]], None)  # type: ignore[arg-type]
    with pytest.raises(OSError, match="No space left") as raised:
        encryption.encrypt(iter(CONTENT), Full(), [pair[1]], None)
    assert raised.value.errno == 28
    with pytest.raises(OSError, match="No space left"):
        encryption.decrypt(io.BytesIO(sealed), Full(), Opener([pair[0]]))


def test_an_identity_file_is_read_as_age_writes_it(tmp_path: Path, pair: tuple[str, str], with_both: bytes) -> None:
    plain = tmp_path / "identity"
    plain.write_text(f"# created: 2026\n# public key: {pair[1]}\n{pair[0]}\n")
    assert encryption.read_identities(plain, None) == [pair[0]]
    protected = tmp_path / "protected"
    protected.write_bytes(with_both.partition(BINARY_BEGIN)[0])  # a key of that file alone, under the passphrase
    (identity,) = encryption.read_identities(protected, PASSPHRASE)
    assert opened(with_both, Opener([identity])) == b"".join(CONTENT)
    with pytest.raises(BackupError, match="give it, too"):
        encryption.read_identities(protected, None)


@pytest.mark.parametrize(("text", "told"), [("# nothing\n", "no private key"), ("age1abc\n", "not a private key")])
def test_a_file_without_identity_is_named(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "identity"
    path.write_text(text)
    with pytest.raises(BackupError, match=told):
        encryption.read_identities(path, None)
    with pytest.raises(BackupError, match="cannot be read"):
        encryption.read_identities(tmp_path / "none", None)


def test_a_recipient_that_is_none_is_named() -> None:
    with pytest.raises(BackupError, match="not a public key"):
        encryption.check_recipients(["age1typo"])
