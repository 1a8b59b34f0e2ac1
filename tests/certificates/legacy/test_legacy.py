"""Legacy certificates: look-up by number and holder, states, revocation and restoring."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates.legacy import legacy
from certificates.legacy.models import LegacyCertificate
from certificates.number import NumberScheme
from certificates.states import State
from lms.core import clock
from lms.core.errors import DomainError, NotFound
from tests.certificates.legacy_files import GOOD, HEAD, ID_NUMBER, LIFELONG, load, take_in

SCHEME = NumberScheme("BJ")


@pytest.fixture
def sheet(tmp_path: Path) -> Callable[..., Path]:
    def written(*rows: str, head: str = HEAD, encoding: str = "utf-8") -> Path:
        path = tmp_path / "old.csv"
        path.write_bytes("\r\n".join((head, *rows)).encode(encoding))
        return path

    return written


@pytest.fixture
def imported(db: Session, sheet: Callable[..., Path]) -> None:
    assert load(db, sheet(GOOD, LIFELONG))[0] == 2
    db.commit()


@pytest.mark.usefixtures("imported")
@pytest.mark.parametrize("number", ["京红救(2015)第00123号", "京红救（２０１５）第00123号", "京红救 2015 第 00123 号"])
@pytest.mark.parametrize("proof", ["张三丰", "张 三 丰", "07109x", ID_NUMBER[-6:]])
def test_number_and_holder_find_it(db: Session, number: str, proof: str) -> None:
    certificate = legacy.find(db, number, proof, today=clock.branch_today())
    assert certificate is not None
    assert (certificate.masked_name, certificate.state) == ("张*丰", State.VALID)


@pytest.mark.usefixtures("imported")
def test_the_states_of_a_legacy_certificate(db: Session) -> None:
    number, proof = "京红救(2015)第00123号", "张三丰"
    row = db.scalars(select(LegacyCertificate).where(LegacyCertificate.name == proof)).one()
    assert row.valid_until is not None
    today = clock.branch_today()

    def state(day: object = today) -> State | None:
        certificate = legacy.find(db, number, proof, today=day)  # type: ignore[arg-type]
        return certificate.state if certificate else None

    assert state(row.valid_until) is State.VALID
    assert state(row.valid_until + timedelta(days=1)) is State.EXPIRED
    legacy.revoke(db, number, "伪造档案")
    assert state() is State.REVOKED
    with pytest.raises(DomainError, match="already been revoked"):
        legacy.revoke(db, number, "again")
    legacy.restore(db, number, "核对无误")
    assert state() is State.VALID
    with pytest.raises(DomainError, match="not revoked"):
        legacy.restore(db, number, "again")
    with pytest.raises(NotFound):
        legacy.revoke(db, "京红救(2015)第99999号", "why")


@pytest.fixture
def run(app: Flask) -> Callable[..., tuple[int, str]]:
    def ran(*words: str) -> tuple[int, str]:
        result = app.test_cli_runner().invoke(args=["certificates", "legacy", *words])
        return result.exit_code, result.output

    return ran


def test_the_command_revokes_and_restores(
    db: Session, sheet: Callable[..., Path], run: Callable[..., tuple[int, str]]
) -> None:
    take_in(db, sheet(GOOD))
    number = "京红救(2015)第00123号"
    assert run("revoke", number, "--reason", "伪造") == (0, f"{number} is revoked.\n")
    assert run("revoke", number, "--reason", "伪造")[0] == 1
    assert run("restore", number, "--reason", "核对")[0] == 0
    assert run("restore", "没有1", "--reason", "核对")[0] == 1
    assert db.scalars(select(LegacyCertificate.revoked_at)).all() == [None]


@given(st.text(max_size=30))
def test_a_numbers_key_is_settled_after_one_time(text: str) -> None:
    key = legacy.number_key(text)
    assert legacy.number_key(key) == key
    assert legacy.number_key(f" {text}-") == key
