"""`flask user`: accounts from the command line, and its one-line refusals."""

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from lms.accounts import second_factors, totp, users
from lms.core.scope import Role
from tests.factories import Make

PASSWORD = "four plain words here"


def run(app: Flask, *words: str, typed: str | None = None) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["user", *words], input=typed)
    return result.exit_code, result.output


def test_create_disable_and_list(app: Flask, db: Session, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"{PASSWORD}\n")
    words = ("create", "--name", "韩梅", "--email", "han@example.org", "--role", "district_administrator")
    code, output = run(app, *words, "--district", "东城区", "--password-file", str(secret))
    assert code == 0, output
    user = users.authenticate(users.claimed(db, "han@example.org", None), PASSWORD)
    assert [(grant.role, grant.district_id) for grant in user.grants] == [(Role.DISTRICT_ADMINISTRATOR, 1)]
    assert "active\t韩梅\than@example.org\tdistrict_administrator" in run(app, "list")[1]
    assert run(app, "disable", "HAN@example.org")[0] == 0
    assert "disabled\t韩梅" in run(app, "list")[1]


def test_a_lost_second_factor_is_reset_with_a_reason(app: Flask, db: Session, make: Make) -> None:
    user = make.user(Role.CITY_ADMINISTRATOR, email="chen@example.org")
    totp.set_up(db, user, totp.new_secret(), 0)
    db.commit()
    assert "--reason" in run(app, "reset-second-factor", "chen@example.org")[1]
    code, output = run(app, "reset-second-factor", "Chen@example.org", "--reason", "phone lost, seen with document")
    assert code == 0, output
    assert not second_factors.is_set(db, user.id)
    assert run(app, "reset-second-factor", "nobody@example.org", "--reason", "x")[0] == 1


def test_the_password_is_asked_for_twice(app: Flask, db: Session) -> None:
    words = ("create", "--name", "韩梅", "--phone", "13800138000", "--role", "city_administrator")
    code, output = run(app, *words, typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert code == 0, output
    assert PASSWORD not in output
    assert users.authenticate(users.claimed(db, "138 0013 8000", None), PASSWORD).name == "韩梅"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--role", "district_administrator", "--email", "a@example.org"), "--district is missing"),
        (("--role", "auditor", "--district", "1", "--email", "a@example.org"), "--district is only for"),
        (("--role", "coordinator", "--organisation", "没有", "--email", "a@example.org"), "No organisation"),
        (("--role", "district_administrator", "--district", "Nowhere", "--email", "a@example.org"), "No district"),
        (("--role", "auditor", "--phone", "12"), "12 is not a phone number"),
        (("--role", "auditor"), "Enter an e-mail address"),
        (("--role", "auditor", "--email", "taken@example.org"), "Another account uses"),
        (("--role", "king", "--email", "a@example.org"), "king"),
    ],
)
def test_each_mistake_is_one_clear_line(app: Flask, db: Session, make: Make, words: tuple[str, ...], says: str) -> None:
    make.user(Role.AUDITOR, email="taken@example.org")
    db.commit()
    code, output = run(app, "create", "--name", "韩梅", *words, "--password-file", "-", typed=f"{PASSWORD}\n")
    assert code != 0
    assert says in output.strip().splitlines()[-1]
    assert "Traceback" not in output


def test_a_weak_password_makes_no_account(app: Flask, db: Session) -> None:
    words = ("create", "--name", "韩梅", "--email", "han@example.org", "--role", "auditor", "--password-file", "-")
    code, output = run(app, *words, typed="short\n")
    assert code == 1
    assert "at least 10" in output
    assert users.find(db, "han@example.org") is None


def test_disabling_nobody_says_so(app: Flask, db: Session) -> None:
    code, output = run(app, "disable", "nobody@example.org")
    assert code == 1
    assert "nobody signs in as nobody@example.org" in output
