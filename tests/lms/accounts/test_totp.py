"""Codes of an authenticator app: which are accepted, and that each is accepted once."""

import base64
import re
from datetime import UTC, datetime, timedelta

import numpy as np
import pyotp
import pytest
import zxingcpp
from sqlalchemy.orm import Session

from lms.accounts import totp
from lms.accounts.models import Totp, User
from lms.core import clock
from tests.factories import Make

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
NOON = datetime(2026, 3, 1, 4, 0, 10, tzinfo=UTC)


def test_the_codes_are_those_of_the_standard() -> None:
    """The first example of RFC 6238, appendix B, with SHA-1 and its last six digits."""
    secret = base64.b32encode(b"12345678901234567890").decode()
    assert totp.matching_step(secret, "287082", datetime.fromtimestamp(59, UTC)) == 1
    assert totp.matching_step(secret, "287083", datetime.fromtimestamp(59, UTC)) is None


@pytest.mark.parametrize(("seconds", "accepted"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_a_clock_may_differ_by_half_a_minute(seconds: int, accepted: bool) -> None:
    secret = totp.new_secret()
    code = pyotp.TOTP(secret).at(NOON + timedelta(seconds=seconds))
    assert (totp.matching_step(secret, code, NOON) is not None) == accepted


def test_a_code_is_accepted_once_and_none_before_it(db: Session, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    user = make.user()
    secret = totp.new_secret()
    monkeypatch.setattr(clock, "now", lambda: NOON)
    totp.set_up(db, user, secret, 0)
    before, present = (pyotp.TOTP(secret).at(NOON + timedelta(seconds=shift)) for shift in (-30, 0))
    assert not totp.accept(db, user, "000000")
    assert totp.accept(db, user, present)
    assert not totp.accept(db, user, present)
    assert not totp.accept(db, user, before)
    monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(seconds=30))
    assert totp.accept(db, user, pyotp.TOTP(secret).at(NOON + timedelta(seconds=30)))


def test_the_code_that_sets_the_app_up_signs_nobody_in(
    db: Session, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make.user()
    secret = totp.new_secret()
    monkeypatch.setattr(clock, "now", lambda: NOON)
    code = pyotp.TOTP(secret).at(NOON)
    step = totp.matching_step(secret, code, NOON)
    assert step is not None
    totp.set_up(db, user, secret, step)
    assert not totp.accept(db, user, code)


def test_who_has_no_app_has_no_code(db: Session, make: Make) -> None:
    assert not totp.accept(db, make.user(), "123456")


def test_the_secret_is_sealed_for_its_user(db: Session, make: Make) -> None:
    user, other = make.user(), make.user()
    secret = totp.new_secret()
    row = totp.set_up(db, user, secret, 0)
    assert secret.encode() not in row.secret_sealed
    db.add(Totp(user_id=other.id, secret_sealed=row.secret_sealed, last_step=0))
    db.flush()
    with pytest.raises(Exception, match=r"^$"):  # cryptography's InvalidTag has no words
        totp.accept(db, other, pyotp.TOTP(secret).now())


def test_a_secret_that_waits_in_the_form_is_sealed_for_its_user(db: Session, make: Make) -> None:
    user, other = make.user(), make.user()
    sealed = totp.seal_pending(user, "SECRET")
    assert "SECRET" not in sealed
    assert totp.open_pending(user, sealed) == "SECRET"
    for altered in ("", "nonsense", sealed[:-2], sealed[:-2] + "00", "é"):
        assert totp.open_pending(user, altered) is None
    assert totp.open_pending(other, sealed) is None


def test_an_app_reads_account_and_site_from_the_address() -> None:
    address = totp.app_address(SECRET, "wang@example.org", "北京市红十字会")
    read = pyotp.parse_uri(address)
    assert (read.secret, read.name, read.issuer) == (SECRET, "wang@example.org", "北京市红十字会")


def test_a_camera_reads_the_address_from_the_picture() -> None:
    address = totp.app_address(SECRET, "wang@example.org", "北京市红十字会")
    kind, _, content = totp.picture(address).partition(",")
    assert kind == "data:image/svg+xml;base64"
    drawing = base64.b64decode(content).decode()
    side = int(re.findall(r'viewBox="0 0 (\d+)', drawing)[0])
    pixels = np.full((side, side), 255, dtype=np.uint8)
    for column, row in re.findall(r"M(\d+),(\d+)H", drawing):
        pixels[int(row), int(column)] = 0
    assert [code.text for code in zxingcpp.read_barcodes(pixels.repeat(4, 0).repeat(4, 1))] == [address]


def test_another_app_takes_the_place_of_the_first(db: Session, make: Make) -> None:
    user: User = make.user()
    first, second = totp.new_secret(), totp.new_secret()
    totp.set_up(db, user, first, 0)
    totp.set_up(db, user, second, 0)
    now = clock.now()
    assert not totp.accept(db, user, pyotp.TOTP(first).at(now))
    assert totp.accept(db, user, pyotp.TOTP(second).at(now))
