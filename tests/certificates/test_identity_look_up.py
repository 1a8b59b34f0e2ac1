"""Look-up by name and ID number: public facts, one answer for every miss, and no way to the paper."""

from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import identity_look_up
from certificates.identity_look_up import PublicCertificate
from certificates.legacy.models import LegacyCertificate, Match
from certificates.models import Certificate
from certificates.states import State
from courses.models.trainees import IdType
from lms.core import clock
from lms.core.errors import DomainError
from tests.certificates.legacy_files import ID_NUMBER

Issue = Callable[..., Certificate]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity_look_up, "ROUNDS", 1)


@pytest.fixture
def certificate(db: Session, issue: Issue) -> Certificate:
    row = issue("张三丰")
    row.enrolment.trainee.set_id_number(IdType.RESIDENT, ID_NUMBER)
    db.commit()
    return row


def by_identity(db: Session, name: str, number: str) -> list[PublicCertificate]:
    return list(identity_look_up.by_identity(db, name, number, today=clock.branch_today()))


@pytest.mark.usefixtures("legacy_number")
def test_the_holder_sees_what_the_public_page_shows_legacy_included(db: Session, certificate: Certificate) -> None:
    typed = f" {ID_NUMBER[:6]} {ID_NUMBER[6:14]}-{ID_NUMBER[14:].lower()}"
    signed, legacy = by_identity(db, "张 三丰", typed)
    assert signed == PublicCertificate(
        certificate.number,
        "张*丰",
        certificate.facts["course_zh"],
        certificate.facts["course_en"],
        certificate.issued_on,
        certificate.valid_until,
        State.VALID,
        is_legacy=False,
    )
    assert (legacy.number, legacy.masked_name, legacy.is_legacy) == ("京红救(2015)第00123号", "张*丰", True)


@pytest.mark.usefixtures("legacy_number")
def test_no_such_number_and_another_name_take_the_same_statements(
    db: Session, certificate: Certificate, statements: list[str]
) -> None:
    ran = []
    for name, number in (("张三丰", "110101199003070011"), ("张三", ID_NUMBER), ("张三丰", "E12345678")):
        statements.clear()
        assert by_identity(db, name, number) == []
        ran.append(len(statements))
    assert ran == [3, 3, 3]


def test_a_certificate_that_another_one_replaced_is_left_out(db: Session, certificate: Certificate) -> None:
    certificate.revoked_at, certificate.revoke_reason = clock.now(), "发错人"
    db.flush()
    assert [paper.state for paper in by_identity(db, "张三丰", ID_NUMBER)] == [State.REVOKED]


@pytest.mark.parametrize("text", ["", "123", "张三丰", "110101199003070012", "x" * 40])
def test_a_text_that_is_no_id_number_is_said_to_be_none(db: Session, text: str) -> None:
    with pytest.raises(DomainError) as refusal:
        by_identity(db, "张三丰", text)
    assert (refusal.value.code, refusal.value.field) == ("id_number_wrong", "id_number")


def test_a_legacy_certificate_that_was_matched_to_the_person_is_shown(
    db: Session, certificate: Certificate, legacy_number: str
) -> None:
    """It may have no ID number of its own; one that is nobody's is never shown for a name that fits nobody."""
    row = db.scalars(select(LegacyCertificate)).one()
    row.set_id_number(None, None)
    row.trainee_id = row.matched_how = row.matched_at = row.superseded_by_id = None
    db.flush()
    assert [paper.number for paper in by_identity(db, "张三丰", ID_NUMBER)] == [certificate.number]
    row.trainee_id, row.matched_how, row.matched_at = certificate.enrolment.trainee_id, Match.BY_HAND, clock.now()
    db.flush()
    assert [paper.number for paper in by_identity(db, "张三丰", ID_NUMBER)] == [certificate.number, legacy_number]
