"""A branch with a signing key, and certificates that were issued the way the system issues them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import issuing
from certificates.branch import Branch
from certificates.keys import qr_keys
from certificates.models import Certificate
from courses.models.catalogue import Course
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.offerings import Offering, OfferingState
from lms.config import Settings
from lms.core import clock
from tests.certificates.legacy_files import GOOD, HEAD, load
from tests.factories import Make

FIRST, LAST = date(2020, 1, 1), date(2099, 12, 31)


@pytest.fixture
def branch(settings: Settings, tmp_path: Path, db: Session) -> Branch:
    """The tests' branch, with an active key of its own that may sign on any day."""
    test_branch = replace(Branch.of(settings), keys_dir=tmp_path / "keys")
    qr_keys.ensure(db, test_branch.keys_dir, not_before=FIRST, not_after=LAST)
    return test_branch


def closed_offering(make: Make, course: Course | None = None, **facts: object) -> Offering:
    """An offering that is closed today."""
    now = clock.now()
    known: dict[str, object] = {"state": OfferingState.CLOSED, "closed_at": now, "counted_on": clock.branch_today()}
    return make.offering(course=course, **(known | facts))  # type: ignore[arg-type]


def owe(make: Make, offering: Offering, name: str | None = None) -> Enrolment:
    """A trainee who completed the offering and has no certificate yet."""
    return make.enrolment(
        offering, make.trainee(name), EnrolmentState.COMPLETED, certificate_due=True, sessions_attended=1
    )


@pytest.fixture
def issue(db: Session, make: Make, branch: Branch) -> Callable[..., Certificate]:
    """Issue one certificate: `issue(name, course=…, offering=…)`."""

    def issued(name: str = "张三丰", *, course: Course | None = None, offering: Offering | None = None) -> Certificate:
        enrolment = owe(make, offering or closed_offering(make, course), name)
        while issuing.issue_owed(db, branch):
            pass
        db.commit()
        return db.scalars(select(Certificate).where(Certificate.enrolment_id == enrolment.id)).one()

    return issued


@pytest.fixture
def legacy_number(db: Session, tmp_path: Path) -> str:
    """The number of a certificate from before this system, which holds; its holder is 张三丰, whose ID number ends in 07109X."""
    path = tmp_path / "old.csv"
    path.write_text(f"{HEAD}\n{GOOD}\n", encoding="utf-8")
    assert load(db, path) == (1, [])
    db.commit()
    return "京红救(2015)第00123号"


@pytest.fixture(autouse=True)
def _no_remembered_keys(request: pytest.FixtureRequest) -> None:
    """Each test has keys of its own, and one application serves them all."""
    if "app" in request.fixturenames:
        request.getfixturevalue("app").extensions["public_key_cache"].forget()
