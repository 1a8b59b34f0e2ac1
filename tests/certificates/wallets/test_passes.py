"""Passes are owed once, signed by the worker alone, made anew when they say something else, and erased with their holder."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from certificates import erasing, revocation
from certificates.branch import Branch
from certificates.models import Certificate
from certificates.wallets import passes
from certificates.wallets.models import Wallet, WalletPass
from lms.config import Settings
from lms.core import clock
from lms.core.errors import NotFound
from tests.certificates.wallets.keys import WalletFiles

Issue = Callable[..., Certificate]


@pytest.fixture
def certificate(issue: Issue) -> Certificate:
    return issue("张三丰")


def test_a_pass_is_owed_once_and_made_anew_when_the_certificate_was_revoked(
    db: Session, certificate: Certificate, wallet_files: WalletFiles
) -> None:
    settings = wallet_files.settings
    assert [passes.owe(db, certificate, wallet, settings) for wallet in (*Wallet, *Wallet)] == [
        True,
        True,
        False,
        False,
    ]
    assert passes.signed(db, certificate, Wallet.APPLE) is None
    assert passes.sign_owed(db, settings) == 2
    assert passes.sign_owed(db, settings) == 0
    first = passes.signed(db, certificate, Wallet.APPLE)
    assert first is not None
    assert first.startswith(b"PK")
    assert not passes.owe(db, certificate, Wallet.APPLE, settings)
    with clock.at(clock.now() + timedelta(days=1, minutes=1)):
        assert passes.owe(db, certificate, Wallet.GOOGLE, settings), "a token from yesterday is signed anew"
        assert passes.sign_owed(db, settings) == 1
    revocation.revoke(db, certificate, "发错人")
    assert passes.owe(db, certificate, Wallet.APPLE, settings)
    assert passes.signed(db, certificate, Wallet.APPLE) is None, "the pass from before is not handed out"
    assert passes.sign_owed(db, settings) == 1
    assert passes.signed(db, certificate, Wallet.APPLE) != first
    erasing.erase_holder(db, [certificate.enrolment.trainee_id])
    assert db.scalar(select(func.count()).select_from(WalletPass)) == 0
    with pytest.raises(NotFound):
        passes.owe(db, certificate, Wallet.APPLE, settings)


def test_with_wrong_keys_the_passes_of_this_wallet_wait(
    db: Session, certificate: Certificate, wallet_files: WalletFiles, settings: Settings, tmp_path: Path
) -> None:
    for wallet in Wallet:
        passes.owe(db, certificate, wallet, wallet_files.settings)
    wrong = wallet_files.settings.model_copy(update={"apple_pass_key_file": tmp_path / "nothing"})
    assert passes.sign_owed(db, wrong) == 1
    assert passes.signed(db, certificate, Wallet.APPLE) is None
    assert passes.signed(db, certificate, Wallet.GOOGLE) is not None
    assert passes.sign_owed(db, settings) == 0, "no wallet is set"
    assert passes.sign_owed(db, wallet_files.settings) == 1


@pytest.fixture
def offering(app: Flask, wallet_files: WalletFiles, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(passes, "MAX_WAIT", 0.0)
    before = app.config["SETTINGS"]
    app.config["SETTINGS"] = wallet_files.settings
    yield
    app.config["SETTINGS"] = before


@pytest.mark.usefixtures("offering")
def test_the_page_offers_them_and_the_button_gets_them(
    client: FlaskClient, db: Session, certificate: Certificate, wallet_files: WalletFiles
) -> None:
    home = f"/tickets/{certificate.enrolment.ticket}"
    page = client.get(f"{home}/certificate").text
    for name in ("apple", "google"):
        assert f'href="{home}/wallet/{name}"' in page
        owed = client.get(f"{home}/wallet/{name}")
        assert (owed.status_code, owed.location) == (303, f"{home}/wallet/{name}")
        waiting = client.get(f"{home}/wallet/{name}")
        assert (waiting.status_code, waiting.headers["Retry-After"]) == (202, "5")
    passes.sign_owed(db, wallet_files.settings)
    db.commit()
    file = client.get(f"{home}/wallet/apple")
    assert file.content_type == "application/vnd.apple.pkpass"
    assert file.headers["Content-Disposition"] == f'attachment; filename="{certificate.number}.pkpass"'
    assert file.headers["Cache-Control"] == "no-store"
    onward = client.get(f"{home}/wallet/google")
    assert onward.status_code == 303
    assert onward.location.startswith("https://pay.google.com/gp/v/save/ey")
    assert client.get(f"{home}/wallet/samsung").status_code == 404


def test_without_settings_there_are_none(client: FlaskClient, certificate: Certificate, branch: Branch) -> None:
    home = f"/tickets/{certificate.enrolment.ticket}"
    assert "/wallet/" not in client.get(f"{home}/certificate").text
    assert client.get(f"{home}/wallet/apple").status_code == 404
