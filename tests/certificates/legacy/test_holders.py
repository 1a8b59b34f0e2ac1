"""Decisions of users: whose a legacy certificate is, and both undone."""

from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates.legacy import holders, matching
from certificates.legacy.models import LegacyCertificate, Match
from certificates.models import Certificate
from lms.core import audit
from lms.core.audit import AuditEntry
from lms.core.errors import Denied, DomainError
from lms.core.scope import EVERYTHING, Role, Scope
from tests.certificates.legacy_people import ID_NUMBER, OTHER_ID_NUMBER, legacy_of, person
from tests.factories import Make

DISTRICT = Scope(district_ids=frozenset({1}))


def acts(db: Session, row: LegacyCertificate) -> list[str]:
    statement = select(AuditEntry.action).where(AuditEntry.subject == f"legacy_certificate:{row.id}")
    return list(db.scalars(statement.order_by(AuditEntry.id)))


def test_a_user_decides_and_undoes_it_and_each_act_is_recorded(db: Session, make: Make) -> None:
    user = make.user(Role.DISTRICT_ADMINISTRATOR)
    audit.act_as(db, user.id)
    trainee = make.trainee("张三丰", district_id=1)
    row = legacy_of(db, certificate_type=None)
    holders.link(db, row, trainee, DISTRICT, certificate_type=2)
    assert (row.trainee_id, row.matched_how, row.matched_by) == (trainee.id, Match.BY_HAND, user.id)
    assert row.certificate_type == 2
    with pytest.raises(DomainError, match="just given"):
        holders.link(db, row, trainee, DISTRICT)
    with pytest.raises(DomainError, match="just given"):
        holders.set_aside(db, row)
    holders.unlink(db, row, DISTRICT, "同名不同人")
    assert (row.trainee_id, row.matched_how, row.matched_at, row.set_aside_at) == (None, None, None, None)
    holders.set_aside(db, row)
    assert (row.set_aside_by, row.set_aside_at is not None) == (user.id, True)
    holders.put_back(db, row)
    assert row.set_aside_at is None
    assert acts(db, row) == [f"legacy_certificate.{act}" for act in ("link", "unlink", "set_aside", "put_back")]


def test_what_was_matched_without_a_user_is_not_matched_again_after_a_user_undid_it(db: Session, make: Make) -> None:
    trainee = person(make, id_number=ID_NUMBER)
    row = legacy_of(db, id_number=ID_NUMBER)
    matching.match_people(db, [trainee.id])
    db.refresh(row)
    with pytest.raises(DomainError) as refusal:
        holders.unlink(db, row, EVERYTHING, " ")
    assert refusal.value.code == "reason_missing"
    holders.unlink(db, row, EVERYTHING, "不是本人")
    assert matching.match_people(db, [trainee.id]) == matching.Matched()
    holders.put_back(db, row)
    assert matching.match_people(db, [trainee.id]).by_number == 1


def test_something_must_agree_and_nothing_may_speak_against_it(db: Session, make: Make) -> None:
    namesake = person(make, id_number=OTHER_ID_NUMBER)
    with pytest.raises(DomainError, match="another person"):
        holders.link(db, legacy_of(db, id_number=ID_NUMBER), namesake, EVERYTHING)
    with pytest.raises(DomainError, match="Neither name"):
        holders.link(db, legacy_of(db), make.trainee("李四"), EVERYTHING)
    misspelt = person(make, "张三封", id_number=ID_NUMBER)
    row = legacy_of(db, id_number=ID_NUMBER)
    holders.link(db, row, misspelt, EVERYTHING)
    assert row.trainee_id == misspelt.id


def test_a_record_that_others_see_too_is_not_the_districts_to_decide(db: Session, make: Make) -> None:
    trainee = make.trainee("张三丰", district_id=1)
    make.enrolment(make.offering(organisation=make.organisation(2)), trainee)
    row = legacy_of(db)
    with pytest.raises(Denied):
        holders.link(db, row, trainee, DISTRICT)
    holders.link(db, row, trainee, EVERYTHING)
    with pytest.raises(Denied):
        holders.unlink(db, row, DISTRICT, "不是本人")


def test_an_erased_person_gets_nothing(db: Session, make: Make) -> None:
    trainee = make.trainee("张三丰", phone=None)
    trainee.erased_at = trainee.created_at
    db.flush()
    with pytest.raises(DomainError, match="erased"):
        holders.link(db, legacy_of(db), trainee, EVERYTHING)


def test_a_renewal_supersedes_no_longer_what_was_taken_from_the_person(
    db: Session, make: Make, issue: Callable[..., Certificate]
) -> None:
    certificate = issue("张三丰", course=make.new_course(refresher=True, certificate_type=1))
    row = legacy_of(db)
    holders.link(db, row, certificate.enrolment.trainee, EVERYTHING)
    assert row.superseded_by_id == certificate.id
    holders.unlink(db, row, EVERYTHING, "不是本人")
    assert row.superseded_by_id is None
