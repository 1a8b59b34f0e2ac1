"""A certificate whose name no font can print waits for a decision; nobody else waits for it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from certificates import issuing, ledger, missing_glyphs, unprintable
from certificates.branch import Branch
from certificates.models import Certificate
from certificates.unprintable import Stage
from courses.enrolment import name_writings
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.name_writings import HOLDER, MissingGlyphs
from courses.models.offerings import OfferingState
from lms.core import clock, fonts
from lms.core.scope import EVERYTHING
from tests.certificates.conftest import closed_offering, owe
from tests.factories import Make

LACKING = "\ue5e5"  # a private-use character that no standard knows
NAME = f"王{LACKING}"


def listed(db: Session) -> list[tuple[str, Stage, dict[str, list[str]]]]:
    return [(row.name, row.stage, row.lacking) for row in unprintable.listing(db, EVERYTHING).rows]


def certified(db: Session) -> list[str]:
    return sorted(db.scalars(select(Certificate.holder_name)))


def test_one_name_that_cannot_be_printed_holds_up_nobody_else(db: Session, make: Make, branch: Branch) -> None:
    offering = closed_offering(make)
    for name in ("张三丰", NAME, "李四"):
        owe(make, offering, name)
    db.flush()
    assert issuing.issue_owed(db, branch, offering_id=offering.id) == 2
    assert certified(db) == ["张三丰", "李四"]
    assert listed(db) == [(NAME, Stage.WAITING, {HOLDER: [LACKING]})]
    assert (issuing.count_owed(db), issuing.count_held(db, offering.id)) == (0, 1)
    assert issuing.issue_owed(db, branch) == 0
    assert list(ledger.check(db, names=True)) == []


def test_a_chunk_of_names_that_wait_does_not_starve_the_others(db: Session, make: Make, branch: Branch) -> None:
    offering = closed_offering(make)
    for number in range(3):
        owe(make, offering, f"{NAME}{number}")
    owe(make, offering, "李四")
    db.flush()
    assert issuing.issue_owed(db, branch, limit=2) == 1
    assert certified(db) == ["李四"]
    assert issuing.count_held(db) == 3


def test_a_writing_releases_the_certificate_and_the_record_keeps_the_name(
    db: Session, make: Make, branch: Branch
) -> None:
    enrolment = owe(make, closed_offering(make), NAME)
    db.flush()
    assert issuing.issue_owed(db, branch) == 0
    name_writings.record(db, enrolment, "王昜", "本人到场选择")
    assert issuing.release(db, branch) == 1
    assert listed(db) == []
    assert issuing.issue_owed(db, branch) == 1
    assert certified(db) == ["王昜"]
    assert enrolment.trainee.name == NAME


def test_another_font_releases_it_by_itself(
    db: Session, make: Make, branch: Branch, monkeypatch: pytest.MonkeyPatch
) -> None:
    owe(make, closed_offering(make), NAME)
    db.flush()
    assert issuing.issue_owed(db, branch) == 0
    assert issuing.release(db, branch) == 0
    monkeypatch.setattr(fonts, "unprintable", lambda _text: ())
    assert issuing.release(db, branch) == 1
    assert issuing.issue_owed(db, branch) == 1
    assert certified(db) == [NAME]


def test_a_corrected_record_releases_it(db: Session, make: Make, branch: Branch) -> None:
    enrolment = owe(make, closed_offering(make), NAME)
    db.flush()
    assert issuing.issue_owed(db, branch) == 0
    enrolment.trainee.name = "王明"
    db.flush()
    assert issuing.release(db, branch) == 1
    assert issuing.issue_owed(db, branch) == 1
    assert certified(db) == ["王明"]


def test_a_writing_of_a_former_name_is_not_printed(db: Session, make: Make, branch: Branch) -> None:
    enrolment = owe(make, closed_offering(make), NAME)
    name_writings.record(db, enrolment, "王昜", "本人到场选择")
    enrolment.trainee.name = f"李{LACKING}"
    db.flush()
    assert issuing.issue_owed(db, branch) == 0
    assert listed(db) == [(f"李{LACKING}", Stage.WAITING, {HOLDER: [LACKING]})]


def test_a_name_that_can_be_printed_is_printed_even_where_a_writing_was_recorded(
    db: Session, make: Make, branch: Branch, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrolment = owe(make, closed_offering(make), NAME)
    name_writings.record(db, enrolment, "王昜", "本人到场选择")
    monkeypatch.setattr(fonts, "unprintable", lambda _text: ())
    assert issuing.issue_owed(db, branch) == 1
    assert certified(db) == [NAME]


def test_the_instructor_s_name_holds_a_certificate_too(db: Session, make: Make, branch: Branch) -> None:
    offering = closed_offering(make, lead=make.instructor(name=f"陈{LACKING}"))
    enrolment = owe(make, offering, NAME)
    name_writings.record(db, enrolment, "王昜", "本人到场选择")
    assert issuing.issue_owed(db, branch) == 0
    assert listed(db) == [(NAME, Stage.WAITING, {"instructor": [LACKING]})]


def test_certificates_that_were_issued_before_are_found_and_taken_off_once_they_can_be_printed(
    db: Session, issue: Callable[..., Certificate], make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as former:
        former.setattr(fonts, "unprintable", lambda _text: ())
        certificate = issue(NAME)
        issue("张三丰")
        expired = issue(f"赵{LACKING}")
    expired.valid_until = expired.issued_on
    coming = make.offering(starts=[clock.now() + timedelta(days=3)])
    for name in (f"孙{LACKING}", "钱七"):
        make.enrolment(coming, make.trainee(name))
    make.enrolment(coming, make.trainee(f"周{LACKING}"), EnrolmentState.CANCELLED)
    db.flush()
    tomorrow = certificate.issued_on + timedelta(days=1)
    for _again in range(2):
        assert (missing_glyphs.scan(db, tomorrow), missing_glyphs.scan_coming(db)) == (1, 1)
    assert listed(db) == [
        (NAME, Stage.ISSUED, {HOLDER: [LACKING]}),
        (f"孙{LACKING}", Stage.COMING, {HOLDER: [LACKING]}),
    ]
    assert unprintable.count(db, EVERYTHING) == 1
    assert missing_glyphs.sift(db, tomorrow) == 0
    certificate.revoked_at, certificate.revoke_reason = clock.now(), "发错人"
    coming.state, coming.cancel_reason = OfferingState.CANCELLED, "人数不足"
    coming.cancelled_at = clock.now()
    db.flush()
    assert missing_glyphs.sift(db, tomorrow) == 2
    assert listed(db) == []


def test_the_database_refuses_an_entry_in_which_nothing_lacks(db: Session, make: Make) -> None:
    enrolment: Enrolment = make.enrolment(make.offering())
    db.add(MissingGlyphs(enrolment_id=enrolment.id, lacking={}))
    with pytest.raises(IntegrityError, match="ck_missing_glyphs_lacking"):
        db.flush()


def test_who_is_no_longer_entitled_is_off_the_list(db: Session, make: Make, branch: Branch) -> None:
    enrolment = owe(make, closed_offering(make), NAME)
    db.flush()
    assert issuing.issue_owed(db, branch) == 0
    enrolment.certificate_due, enrolment.state = False, EnrolmentState.INCOMPLETE
    db.flush()
    assert issuing.release(db, branch) == 0
    assert missing_glyphs.sift(db, clock.branch_today()) == 1
    assert listed(db) == []
