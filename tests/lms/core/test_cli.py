"""The commands `migrate`, `translations` and `field-keys`."""

import base64
import signal
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from lms.core import crypto, resealing, translations
from lms.core.translations import Problem
from tests.conftest import FIELD_KEY
from tests.factories import Make

NEW_KEY = "2:" + base64.b64encode(bytes(range(100, 132))).decode()


def test_migrate_says_where_the_database_stands(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    upgraded: list[tuple[str, str]] = []
    monkeypatch.setattr("lms.core.migrations.upgrade", lambda url, revision: upgraded.append((url, revision)))
    done = app.test_cli_runner().invoke(args=["migrate", "--revision", "0007"])
    assert (done.exit_code, done.output) == (0, "The database stands at 0007.\n")
    assert upgraded == [(app.config["SETTINGS"].database_url, "0007")]


def test_a_string_that_is_not_in_both_languages_ends_the_check_with_1(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert app.test_cli_runner().invoke(args=["translations", "check"]).exit_code == 0
    monkeypatch.setattr(translations, "problems", lambda: [Problem("a.py:1", "not in Chinese: Hello")])
    failed = app.test_cli_runner().invoke(args=["translations", "check"])
    assert failed.exit_code == 1
    assert "a.py:1: not in Chinese: Hello" in failed.output


def test_update_changes_nothing_in_a_catalogue_that_is_complete(
    app: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    copy = tmp_path / "messages.po"
    copy.write_bytes(translations.CATALOGUE.read_bytes())
    monkeypatch.setattr(translations, "CATALOGUE", copy)
    done = app.test_cli_runner().invoke(args=["translations", "update"])
    assert done.output == "0 strings have no Chinese yet.\n"
    assert copy.read_text(encoding="utf-8").count("msgid ") > 100


def test_everything_is_sealed_anew_and_the_check_says_when_the_former_key_can_go(
    app: Flask, db: Session, make: Make
) -> None:
    make.user(phone=make.phone())
    db.commit()
    run = app.test_cli_runner().invoke
    done = run(args=["field-keys", "check"])
    assert (done.exit_code, "app_user.email_sealed: 1 with key 1\n" in done.output) == (0, True)
    crypto.configure(NEW_KEY, [FIELD_KEY])
    failed = run(args=["field-keys", "check"])
    assert failed.exit_code == 1
    assert "2 values depend on another key than key 2: leave it in FIELD_KEY_FALLBACKS." in failed.output
    done = run(args=["field-keys", "reseal"])
    assert done.exit_code == 0, done.output
    assert "Sealing with key 2; configured: 2, 1.\napp_user: 0 of 1\napp_user: 1 of 1\n" in done.output
    assert done.output.endswith("Everything is sealed with key 2: no other one is needed.\n")
    crypto.configure(FIELD_KEY)


def test_resealing_that_is_told_to_stop_finishes_its_batch_and_says_how_to_go_on(
    app: Flask, db: Session, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.user()
    db.commit()
    real = resealing.reseal

    def told(*arguments: object, **named: object) -> object:
        signal.raise_signal(signal.SIGTERM)
        return real(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(resealing, "reseal", told)
    crypto.configure(NEW_KEY, [FIELD_KEY])
    stopped = app.test_cli_runner().invoke(args=["field-keys", "reseal"])
    assert (stopped.exit_code, "Start the command again to go on." in stopped.output) == (1, True)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    crypto.configure(FIELD_KEY)
