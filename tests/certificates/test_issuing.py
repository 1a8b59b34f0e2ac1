"""Exactly one certificate for each who is entitled, whatever happens to the workers."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.orm import Session, sessionmaker

from certificates import issuing, ledger
from certificates.branch import Branch
from certificates.issuing import issue_owed, last_valid_day
from certificates.keys import qr_keys
from certificates.models import Certificate, LedgerEntry
from certificates.payload import decode, digits_of, name_matches, verify_signature
from courses.models.enrolment import EnrolmentState
from courses.models.person_time import EntryKind, PersonTimeEntry
from lms.config import ROOT, Settings
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError
from lms.core.transactions import transaction
from tests.certificates.conftest import FIRST, LAST, closed_offering, owe
from tests.conftest import FIELD_KEY
from tests.factories import Make


@pytest.mark.parametrize(
    ("issued_on", "months", "expected"),
    [
        (date(2026, 3, 5), 36, date(2029, 3, 4)),
        (date(2026, 1, 1), 12, date(2026, 12, 31)),
        (date(2026, 12, 31), 1, date(2027, 1, 30)),
        (date(2024, 2, 29), 36, date(2027, 2, 28)),
        (date(2024, 2, 29), 48, date(2028, 2, 28)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2027, 8, 31), 6, date(2028, 2, 29)),
        (date(2026, 3, 1), 36, date(2029, 2, 28)),
        (date(2026, 5, 31), 1, date(2026, 6, 30)),
        (date(2026, 3, 5), None, None),
    ],
)
def test_a_certificate_holds_until_the_day_before_the_anniversary(
    issued_on: date, months: int | None, expected: date | None
) -> None:
    assert last_valid_day(issued_on, months) == expected


@example(date(2021, 2, 1), 1)
@given(st.dates(date(2020, 1, 1), date(2090, 12, 31)), st.integers(1, 120))
def test_a_later_issue_never_expires_earlier(issued_on: date, months: int) -> None:
    first, second = last_valid_day(issued_on, months), last_valid_day(issued_on + timedelta(days=1), months)
    assert first is not None
    assert second is not None
    assert first <= second
    assert 28 * months <= (first - issued_on).days + 1 <= 31 * months  # both days are valid


def test_what_is_issued_says_what_was_learnt_and_is_signed(
    db: Session, make: Make, branch: Branch, issue: Callable[..., Certificate]
) -> None:
    offering = closed_offering(make, make.course("FR-16"), organisation=make.organisation(6))
    certificate = issue("阿凡提·买买提", offering=offering)
    today = clock.today(branch.zone)
    assert certificate.number.startswith(f"BJ-FR-{today.year}-{certificate.serial:07d}-")
    assert (certificate.unit, certificate.certificate_type) == (6, 1)
    assert (certificate.issued_on, certificate.valid_until) == (today, last_valid_day(today, 36))
    decoded = decode(digits_of(certificate.payload))
    key = qr_keys.public_keys(db)[0]
    assert verify_signature(decoded, key.public_key)
    assert decoded.payload.serial == certificate.serial
    assert decoded.payload.valid_until == certificate.valid_until
    assert name_matches(decoded.payload, "阿凡提买买提")
    assert certificate.facts["course_zh"] == "救护员"
    assert certificate.facts["hours"] == "16.0"
    assert certificate.facts["unit_zh"] == "海淀区红十字会"
    assert certificate.facts["instructor"] == offering.lead_instructor.name  # type: ignore[union-attr]
    assert certificate.enrolment.certified_at is not None
    entry = db.scalars(select(AuditEntry).where(AuditEntry.subject == f"certificate:{certificate.id}")).one()
    assert entry.action == "certificate.issue"


def test_the_branch_itself_issues_to_instructors(make: Make, branch: Branch, issue: Callable[..., Certificate]) -> None:
    certificate = issue(offering=closed_offering(make, make.course("INSTRUCTOR-48")))
    assert certificate.unit == 0
    assert certificate.facts["unit_zh"] == branch.name_zh


def test_only_what_is_owed_is_issued_and_only_once(db: Session, make: Make, branch: Branch) -> None:
    offering, other = closed_offering(make), closed_offering(make)
    for _ in range(3):
        owe(make, offering)
    owe(make, other)
    make.enrolment(offering, state=EnrolmentState.FAILED)
    make.enrolment(offering, state=EnrolmentState.COMPLETED)
    assert issuing.count_owed(db) == 4
    assert issue_owed(db, branch, offering_id=offering.id, limit=2) == 2
    assert issue_owed(db, branch, offering_id=offering.id, limit=2) == 1
    assert issue_owed(db, branch, offering_id=offering.id) == 0
    assert issuing.count_owed(db) == 1
    assert issue_owed(db, branch) == 1
    lines = db.scalars(select(PersonTimeEntry).where(PersonTimeEntry.kind == EntryKind.CERTIFICATION)).all()
    assert sorted((line.offering_id, line.certificates) for line in lines) == [
        (offering.id, 1),
        (offering.id, 2),
        (other.id, 1),
    ]
    assert list(ledger.check(db, names=True)) == []


def test_without_the_private_key_nothing_is_issued_and_all_stays_owed(
    db: Session, make: Make, branch: Branch, tmp_path: Path
) -> None:
    owe(make, closed_offering(make))
    with pytest.raises(DomainError) as refused:
        issue_owed(db, replace(branch, keys_dir=tmp_path / "elsewhere"))
    assert refused.value.code == "signing_key_missing"
    assert issuing.count_owed(db) == 1


def test_nothing_is_signed_outside_the_keys_window(db: Session, make: Make, branch: Branch) -> None:
    today = clock.today(branch.zone)
    qr_keys.rotate(db, branch.keys_dir, today=today, not_after=today)
    owe(make, closed_offering(make))
    with clock.at(clock.now() + timedelta(days=1)), pytest.raises(DomainError) as refused:
        issue_owed(db, branch)
    assert refused.value.code == "signing_key_out_of_window"
    assert issue_owed(db, branch) == 1


# A worker that issues a chunk and dies before its commit, holding its rows and the ledger's tail.
VICTIM = """
import os, sys
from sqlalchemy.orm import Session
from certificates import issuing
from certificates.branch import Branch
from lms.config import Settings
from lms.core import logs
from lms.core.engine import make_engine
logs.configure()
branch = Branch.of(Settings(_env_file=None))
with Session(make_engine(os.environ["DATABASE_URL"])) as db:
    print(issuing.issue_owed(db, branch, limit=20), flush=True)
    sys.stdin.read()
"""
# A worker that issues until nothing is owed; killed at any moment.
WORKER = VICTIM.replace(
    """with Session(make_engine(os.environ["DATABASE_URL"])) as db:
    print(issuing.issue_owed(db, branch, limit=20), flush=True)
    sys.stdin.read()
""",
    """engine = make_engine(os.environ["DATABASE_URL"])
while True:
    with Session(engine) as db:
        issued = issuing.issue_owed(db, branch, limit=4)
        db.commit()
    print(issued, flush=True)
    if not issued:
        break
""",
)


def test_killed_workers_leave_exactly_one_certificate_each(
    fresh_database: str, settings: Settings, tmp_path: Path
) -> None:
    engine = create_engine(fresh_database, connect_args={"options": "-c timezone=UTC -c lock_timeout=10s"})
    sessions = sessionmaker(engine)
    branch = replace(Branch.of(settings), keys_dir=tmp_path / "keys")
    with transaction(sessions) as db:
        make = Make(db)
        qr_keys.ensure(db, branch.keys_dir, not_before=FIRST, not_after=LAST)
        offerings = [closed_offering(make), closed_offering(make)]
        owed = {owe(make, offerings[n % 2]).id for n in range(60)}

    environment = os.environ | {
        "DATABASE_URL": fresh_database,
        "LMS_EMBEDDED": "1",
        "SECRET_KEY": settings.secret_key,
        "FIELD_KEY": FIELD_KEY,
        "PUBLIC_URL": settings.public_url,
        "KEYS_DIR": str(branch.keys_dir),
    }

    def worker(program: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def first_line(process: "subprocess.Popen[str]") -> int:
        assert process.stdout is not None
        return int(process.stdout.readline())

    def kill(process: "subprocess.Popen[str]") -> None:
        process.kill()
        process.communicate()
        assert process.returncode == -9

    def work() -> None:
        while True:
            with transaction(sessions) as own:
                if not issue_owed(own, branch, limit=7):
                    return

    holding = worker(VICTIM)
    assert first_line(holding) == 20
    dying = worker(WORKER)
    threads = [Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    kill(holding)
    assert first_line(dying) <= 4
    dying.kill()
    dying.communicate()
    for thread in threads:
        thread.join()
    work()

    with transaction(sessions) as db:
        certificates = db.scalars(select(Certificate)).all()
        assert len(certificates) == 60
        assert {certificate.enrolment_id for certificate in certificates} == owed
        assert len({certificate.number for certificate in certificates}) == 60
        assert db.scalar(select(func.count()).select_from(LedgerEntry)) == 60
        assert db.scalar(select(func.sum(PersonTimeEntry.certificates))) == 60
        assert db.scalar(select(func.count()).where(AuditEntry.action == "certificate.issue")) == 60
        assert list(ledger.check(db)) == []
        assert db.scalar(text("SELECT count(*) FROM enrolment WHERE certificate_due AND certified_at IS NULL")) == 0
    engine.dispose()


def test_where_fewer_hours_were_given_the_certificate_states_them(
    make: Make, issue: Callable[..., Certificate]
) -> None:
    offering = closed_offering(make, make.course("FR-16"), certificate_hours=Decimal("1.3"))
    assert issue(offering=offering).facts["hours"] == "1.3"
    confirmed = closed_offering(make, make.course("FR-16"), hours_reason="另有自学记录")
    assert issue(offering=confirmed).facts["hours"] == "16.0"
