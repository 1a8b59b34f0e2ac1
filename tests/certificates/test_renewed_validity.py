"""Renewed early, the new validity begins where the old one ends; the paper names the qualification."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import issuing, ledger
from certificates.branch import Branch
from certificates.issuing import last_valid_day
from certificates.keys.qr_keys import PublicKeyCache
from certificates.models import Certificate
from certificates.payload import digits_of
from certificates.qualification import of_facts
from certificates.states import State
from certificates.verification.verification import verify
from courses.models.catalogue import Course
from courses.models.enrolment import EnrolmentState
from courses.models.trainees import Trainee
from lms.core import clock
from tests.certificates.conftest import closed_offering
from tests.factories import Make

Take = Callable[..., Certificate]


@pytest.fixture
def take(db: Session, make: Make, branch: Branch) -> Take:
    """Let a trainee complete a course, and give the certificate: `take(trainee, course, branch=…)`."""

    def taken(trainee: Trainee, course: Course, branch: Branch = branch) -> Certificate:
        enrolment = make.enrolment(
            closed_offering(make, course), trainee, EnrolmentState.COMPLETED, certificate_due=True, sessions_attended=1
        )
        issuing.issue_owed(db, branch)
        return db.scalars(select(Certificate).where(Certificate.enrolment_id == enrolment.id)).one()

    return taken


def a_full(make: Make, **facts: object) -> Course:
    return make.new_course(certificate_type=9, name_zh="水上救护员", name_en="Water rescuer", hours=16, **facts)


def a_refresher(make: Make, **facts: object) -> Course:
    return make.new_course(certificate_type=9, name_zh="水上复训", name_en="Water refresher", refresher=True, **facts)


def test_an_early_renewal_loses_no_day_and_is_valid_at_once(
    db: Session, make: Make, take: Take, branch: Branch
) -> None:
    trainee, today = make.trainee(), clock.branch_today()
    old = take(trainee, a_full(make))
    assert old.valid_until is not None
    assert "validity_begins_on" not in old.facts
    new = take(trainee, a_refresher(make))
    begins = old.valid_until + timedelta(days=1)
    assert (new.issued_on, new.valid_until) == (today, last_valid_day(begins, 36))
    assert new.facts["validity_begins_on"] == begins.isoformat()
    verdict = verify(db, digits_of(new.payload), today=today, keys=PublicKeyCache())
    assert verdict.state is State.VALID
    assert list(ledger.check(db)) == []


def test_renewals_in_a_row_add_one_whole_period_at_most(make: Make, take: Take) -> None:
    trainee, today = make.trainee(), clock.branch_today()
    ends = [take(trainee, course(make)).valid_until for course in (a_full, a_refresher, a_refresher, a_refresher)]
    twice = last_valid_day(last_valid_day(today, 36) + timedelta(days=1), 36)  # type: ignore[operator]
    assert ends == [last_valid_day(today, 36), twice, twice, twice]
    unending = take(trainee, a_refresher(make, validity_months=None))
    assert unending.valid_until is None
    assert "validity_begins_on" not in unending.facts


@pytest.mark.parametrize(("end", "begins"), [(0, 1), (40, 41), (-1, 0), (None, 0)])
def test_a_legacy_end_counts_and_a_lapsed_or_endless_one_does_not(
    make: Make, take: Take, end: int | None, begins: int
) -> None:
    trainee, today = make.trainee(), clock.branch_today()
    valid_until = None if end is None else today + timedelta(days=end)
    make.legacy_certificate(trainee, valid_until, certificate_type=9)
    new = take(trainee, a_refresher(make))
    assert new.valid_until == last_valid_day(today + timedelta(days=begins), 36)


def test_another_type_a_full_course_and_the_other_setting_begin_with_the_issue(
    make: Make, take: Take, branch: Branch
) -> None:
    trainee = make.trainee()
    expected = last_valid_day(clock.branch_today(), 36)
    take(trainee, make.new_course(certificate_type=8))
    assert take(trainee, a_refresher(make)).valid_until == expected
    other = make.trainee()
    take(other, a_full(make))
    assert take(other, a_full(make)).valid_until == expected
    on_issue = replace(branch, renewal_at_old_end=False)
    assert take(other, a_refresher(make), on_issue).valid_until == expected


def test_a_chunk_without_refreshers_costs_no_statement_more(
    db: Session, make: Make, branch: Branch, statements: list[str]
) -> None:
    counts = []
    for course in (a_full(make), a_refresher(make)):
        make.enrolment(closed_offering(make, course), make.trainee(), EnrolmentState.COMPLETED, certificate_due=True)
        statements.clear()
        issuing.issue_owed(db, branch)
        counts.append(len([text for text in statements if "legacy_certificate" in text or "KEY SHARE" in text]))
    assert counts[0] <= 1


def test_a_renewed_certificate_names_the_qualification_and_keeps_the_course(
    db: Session, make: Make, take: Take
) -> None:
    full, refresher = a_full(make), a_refresher(make)
    facts = take(make.trainee(), refresher).facts
    assert (facts["course_zh"], facts["hours"]) == ("水上复训", "8.0")
    certified = of_facts(facts)
    assert (certified.name("zh"), certified.name("en"), certified.hours) == ("水上救护员", "Water rescuer", "16")
    plain = take(make.trainee(), full).facts
    assert "qualification_zh" not in plain
    assert of_facts(plain).name_zh == "水上救护员"
    full.certificate_type = None
    db.flush()
    alone = take(make.trainee(), refresher).facts
    assert of_facts(alone).name_zh == "水上复训"


def test_the_last_day_of_february_is_not_lost_in_a_chain(make: Make) -> None:
    assert last_valid_day(date(2027, 2, 28) + timedelta(days=1), 36) == date(2030, 2, 28)
