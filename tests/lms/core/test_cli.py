"""The commands `migrate` and `translations`."""

from pathlib import Path

import pytest
from flask import Flask

from lms.core import translations
from lms.core.translations import Problem


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
