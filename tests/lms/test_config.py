"""Settings: what is missing or weak is named, all at once, and stops the start."""

import os
import subprocess
import sys
from datetime import time
from pathlib import Path

import pytest

from lms.config import ROOT, SettingsError, load_settings

GOOD = {
    "DATABASE_URL": "postgresql://lms@db.example.org/lms",
    "REDIS_URL": "redis://cache.example.org/0",
    "SECRET_KEY": "6f1d0c2b3a4958677685940312f1e0dc",
    "FIELD_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    "PUBLIC_URL": "https://Training.Example.org",
    "MAIL_URL": "smtp+starttls://mail.example.org:587",
    "MAIL_FROM": "training@example.org",
    "KEYS_DIR": "/var/lib/lms/keys",
    "TIME_ZONE": "Asia/Shanghai",
    "ORGANISATION_NAME_ZH": "北京市红十字会",
    "ORGANISATION_NAME_EN": "Red Cross Society of China Beijing Branch",
}
NAMES = (
    *GOOD,
    "LMS_EMBEDDED",
    "BROKER_URL",
    "SECRET_KEY_FALLBACKS",
    "INSTANCE_DIR",
    "SEAL_FILE",
    "LOGO_FILE",
    "FONTS_DIR",
    "DATABASE_REPLICA_URL",
    "SECOND_FACTOR",
)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_a_complete_environment_is_typed(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SECRET_KEY_FALLBACKS", "old-one, older-one")
    settings = load_settings()
    assert settings.database_url == "postgresql+psycopg://lms@db.example.org/lms"
    assert settings.public_url == "https://training.example.org"
    assert settings.secret_key_fallbacks == ("old-one", "older-one")
    assert settings.celery_broker_url == "redis://cache.example.org/0"
    assert settings.secure
    assert str(settings.zone) == "Asia/Shanghai"


@pytest.mark.parametrize("name", sorted(GOOD))
def test_production_names_what_is_missing(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.delenv(name)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert len(refused.value.lines) == 1
    assert name in refused.value.lines[0]
    assert "missing" in refused.value.lines[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "secret"),
        ("SECRET_KEY", "a" * 40),
        ("FIELD_KEY", "not base64!"),
        ("FIELD_KEY", "c2hvcnQ="),
        ("FIELD_KEY", "0:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
        ("FIELD_KEY_FALLBACKS", "2:c2hvcnQ="),
        (
            "FIELD_KEY_FALLBACKS",
            "2:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=,1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        ),
        ("DATABASE_URL", "sqlite:///lms.db"),
        ("DATABASE_REPLICA_URL", "mysql://replica/lms"),
        ("REPLICA_LIMIT_SECONDS", "0"),
        ("REDIS_URL", "http://cache"),
        ("MAIL_URL", "mail.example.org"),
        ("PUBLIC_URL", "http://training.example.org"),
        ("PUBLIC_URL", "https://training.example.org/lms"),
        ("TIME_ZONE", "Beijing"),
        ("BRANCH_CODE", "北京"),
        ("SESSION_DAYS", "0"),
        ("SECOND_FACTOR", "maybe"),
        ("SECURITY_CONTACT", "security@example.org"),
        ("SECURITY_CONTACT", "http://example.org"),
        ("SECURITY_CONTACT", "mailto:a@example.org\nExpires: 1999"),
        ("SECURITY_POLICY_URL", "http://example.org"),
        ("HSTS_SUBDOMAINS", "perhaps"),
    ],
)
def test_weak_or_wrong_settings_are_named(environment: pytest.MonkeyPatch, name: str, value: str) -> None:
    environment.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert any(name in line for line in refused.value.lines)


def test_an_empty_address_of_a_replica_is_none(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("DATABASE_REPLICA_URL", "")
    assert load_settings().database_replica_url is None
    environment.setenv("DATABASE_REPLICA_URL", "postgresql://lms_reports@replica/lms")
    assert load_settings().database_replica_url == "postgresql+psycopg://lms_reports@replica/lms"


@pytest.mark.parametrize(
    ("embedded", "value", "demanded"),
    [("", "", True), ("", "offered", False), ("1", "", False), ("1", "demanded", True), ("", "demanded", True)],
)
def test_a_second_factor_is_demanded_in_production_unless_it_is_set_otherwise(
    environment: pytest.MonkeyPatch, embedded: str, value: str, demanded: bool
) -> None:
    if embedded:
        environment.setenv("LMS_EMBEDDED", embedded)
    environment.setenv("SECOND_FACTOR", value)
    assert load_settings().demands_second_factor == demanded


def test_every_wrong_setting_is_named_at_once(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("SECRET_KEY")
    environment.delenv("KEYS_DIR")
    environment.setenv("DATABASE_URL", "mysql://x")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert {line.split()[0] for line in refused.value.lines} == {"SECRET_KEY", "KEYS_DIR", "DATABASE_URL"}


def test_a_laptop_needs_no_mail_server_and_no_redis(environment: pytest.MonkeyPatch) -> None:
    for name in ("REDIS_URL", "MAIL_URL", "MAIL_FROM", "TIME_ZONE", "ORGANISATION_NAME_ZH", "ORGANISATION_NAME_EN"):
        environment.delenv(name)
    environment.setenv("LMS_EMBEDDED", "1")
    environment.setenv("PUBLIC_URL", "http://127.0.0.1:8000")
    settings = load_settings()
    assert settings.mail_url is None
    assert settings.celery_broker_url.startswith("sqla+postgresql+psycopg://")
    assert settings.limits_storage_url == "memory://"
    assert not settings.secure


def test_the_server_does_not_start_and_says_why_in_a_line_each() -> None:
    """No traceback: the person who starts it sees the names of the settings."""
    environment = {name: value for name, value in os.environ.items() if name not in NAMES} | GOOD
    del environment["FIELD_KEY"]
    environment["SECRET_KEY"] = "weak"
    finished = subprocess.run(
        [sys.executable, "-c", "import wsgi"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 1
    lines = finished.stderr.strip().splitlines()
    assert len(lines) == 2
    assert any("SECRET_KEY" in line for line in lines)
    assert any("FIELD_KEY" in line for line in lines)


@pytest.mark.parametrize(
    ("name", "content", "refusal"),
    [
        ("seal.svg", b"<?xml version='1.0'?><svg/>", None),
        ("seal.PNG", b"\x89PNG\r\n\x1a\n...", None),
        ("seal.png", b"<svg/>", "must be an SVG or PNG"),
        ("seal.svg", b"GIF89a", "must be an SVG or PNG"),
        ("seal.jpg", b"\xff\xd8\xff", "must be an SVG or PNG"),
        ("seal.svg", b"<svg>" + b" " * 1024 * 1024, "larger than 1 MB"),
        ("seal.svg", None, "cannot be read"),
    ],
)
def test_seal_and_logo_are_pictures_that_can_be_read(  # cases of one table
    environment: pytest.MonkeyPatch, tmp_path: Path, name: str, content: bytes | None, refusal: str | None
) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    environment.setenv("SEAL_FILE", str(file))
    if refusal is None:
        assert load_settings().seal_file == file
        assert load_settings().logo_file is None
        return
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert refused.value.lines[0].startswith("SEAL_FILE ")
    assert refusal in refused.value.lines[0]


def test_folders_of_fonts_are_folders(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert load_settings().fonts_dir == ()
    environment.setenv("FONTS_DIR", f"{tmp_path}, {tmp_path.parent}")
    assert load_settings().fonts_dir == (tmp_path.resolve(), tmp_path.parent.resolve())
    environment.setenv("FONTS_DIR", str(tmp_path / "absent"))
    with pytest.raises(SettingsError, match="FONTS_DIR is not a folder"):
        load_settings()


def test_an_sms_gateway_needs_its_keys_and_templates(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SMS_GATEWAY", "tencent")
    with pytest.raises(
        SettingsError, match="SMS_KEY_ID, SMS_KEY_SECRET, SMS_SIGN_NAME, SMS_TEMPLATES, SMS_APP_ID: missing"
    ):
        load_settings()
    values = {"KEY_ID": "k", "KEY_SECRET": "s", "SIGN_NAME": "红十字会", "APP_ID": "1", "TEMPLATES": '{"ticket": "7"}'}
    for name, value in values.items():
        environment.setenv(f"SMS_{name}", value)
    assert load_settings().sms_templates == {"ticket": "7"}
    environment.setenv("SMS_ENDPOINT", "sms.example.org")
    with pytest.raises(SettingsError, match="SMS_ENDPOINT must be an address"):
        load_settings()


@pytest.mark.parametrize(("name", "value"), [("SMS_GATEWAY", "carrier-pigeon"), ("METRICS_TOKEN", "short")])
def test_a_wrong_gateway_or_token_is_refused(environment: pytest.MonkeyPatch, name: str, value: str) -> None:
    environment.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        load_settings()


def test_without_a_gateway_its_settings_are_none(environment: pytest.MonkeyPatch) -> None:
    for name in ("SMS_GATEWAY", "SMS_ENDPOINT", "METRICS_TOKEN"):
        environment.setenv(name, "")
    settings = load_settings()
    assert (settings.sms_gateway, settings.sms_endpoint, settings.metrics_token) == (None, None, None)


@pytest.mark.parametrize(("text", "at"), [("08:00", time(8)), (" 19:30", time(19, 30)), ("", None), (" ", None)])
def test_the_time_of_session_reminders_is_a_setting(
    environment: pytest.MonkeyPatch, text: str, at: time | None
) -> None:
    assert load_settings().session_reminder_at == time(17)
    environment.setenv("SESSION_REMINDER_AT", text)
    assert load_settings().session_reminder_at == at


@pytest.mark.parametrize("text", ["07:59", "20:01", "25:00", "evening", "5 pm"])
def test_sessions_are_not_reminded_of_at_night(environment: pytest.MonkeyPatch, text: str) -> None:
    environment.setenv("SESSION_REMINDER_AT", text)
    with pytest.raises(SettingsError, match="SESSION_REMINDER_AT must be a time from 08:00 to 20:00"):
        load_settings()
