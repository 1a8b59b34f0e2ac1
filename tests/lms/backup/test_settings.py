"""Settings of the system go along, those of the machine are named and left out, and the written file says the same."""

import subprocess
from pathlib import Path

import pytest

from lms.backup import BackupError, settings

NASTY = "a b\"c'd\\e$HOME`id`#;中文\nnext"


def test_settings_of_the_machine_are_left_out_and_named(tmp_path: Path) -> None:
    picture = tmp_path / "Seal.SVG"
    picture.write_text("<svg/>")
    environ = {
        "SECRET_KEY": "s", "field_key": "f", "DATABASE_URL": "postgresql://u:p@h/d", "KEYS_DIR": "/k", "MAIL_URL": "",
        "SEAL_FILE": str(picture), "PATH": "/bin", "BACKUP_PASSPHRASE": "never in it", "SMS_KEY_SECRET": "sms",
    }  # fmt: skip
    collected = settings.collect(environ)
    assert collected.values == {
        "SECRET_KEY": "s", "FIELD_KEY": "f", "SEAL_FILE": "seal_file.svg", "SMS_KEY_SECRET": "sms",
    }  # fmt: skip
    assert set(collected.left_out) == {"DATABASE_URL", "KEYS_DIR"}
    assert collected.pictures == {"seal_file.svg": b"<svg/>"}
    assert settings.parse(collected.as_json()) == collected.values
    with pytest.raises(BackupError, match="LOGO_FILE"):
        settings.collect({"LOGO_FILE": str(tmp_path / "none.png")})


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"a\\nB": "x"}', b'{"SECRET_KEY": 1}', b'{"PATH=x": "y"}'])
def test_what_no_backup_wrote_is_refused(content: bytes) -> None:
    with pytest.raises(BackupError, match="settings are not readable"):
        settings.parse(content)


def test_a_shell_reads_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "lms.env"
    settings.write_private(path, settings.as_environment_file({"SECRET_KEY": NASTY, "A": ""}, "Heading.").encode())
    assert path.stat().st_mode & 0o777 == 0o600
    script = f'. "{path}"; printf "%s|%s" "$SECRET_KEY" "$A"'
    answer = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout == f"{NASTY}|"
    with pytest.raises(FileExistsError):
        settings.write_private(path, b"")
