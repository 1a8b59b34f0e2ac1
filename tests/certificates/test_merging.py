"""Certificates after a merge of two records and after its undo: they follow, and the ledgers stay clean."""

from collections.abc import Callable
from datetime import date

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import issuing, ledger
from certificates.branch import Branch
from certificates.identity_look_up import by_identity
from certificates.legacy import matching
from certificates.models import Certificate
from certificates.second_names.models import SecondName, Way
from courses.merging import merging
from courses.models.enrolment import EnrolmentState
from courses.models.trainees import IdType
from lms.core import clock
from lms.core.scope import EVERYTHING
from tests.certificates.conftest import closed_offering
from tests.certificates.legacy_people import ID_NUMBER, legacy_of
from tests.factories import Make


def test_a_renewal_of_one_record_supersedes_the_legacy_certificate_of_the_other(
    app: Flask, db: Session, make: Make, branch: Branch, issue: Callable[..., Certificate]
) -> None:
    kept, merged = make.trainee("张三丰"), make.trainee("张三丰")
    merged.set_id_number(IdType.RESIDENT, ID_NUMBER)
    old = legacy_of(db, holder=merged, issued_on=date(2015, 1, 1), id_number=ID_NUMBER)
    course = make.new_course(refresher=True, certificate_type=1)
    renewal = make.enrolment(
        closed_offering(make, course), kept, EnrolmentState.COMPLETED, certificate_due=True, sessions_attended=1
    )
    own = make.enrolment(
        closed_offering(make), merged, EnrolmentState.COMPLETED, certificate_due=True, sessions_attended=1
    )
    writings = [
        SecondName(trainee_id=row.id, name="张三丰", writing=text, way=Way.READING)
        for row, text in ((kept, "Zhang Sanfeng"), (merged, "ZHANG Sanfeng"))
    ]
    db.add_all(writings)
    issuing.issue_owed(db, branch)
    db.flush()
    row = merging.merge(db, kept.id, merged.id, {}, EVERYTHING, name="张三丰")
    certificates = db.scalars(select(Certificate).order_by(Certificate.id)).all()
    assert {each.enrolment.trainee_id for each in certificates} == {kept.id}
    assert {each.holder_name for each in certificates} == {"张三丰"}
    assert old.trainee_id == kept.id
    superseding = next(each for each in certificates if each.enrolment_id == renewal.id)
    assert old.superseded_by_id == superseding.id
    assert [each.trainee_id for each in writings] == [kept.id, merged.id]
    matching.match_people(db, [kept.id])
    assert old.trainee_id == kept.id
    assert len(by_identity(db, "张三丰", ID_NUMBER, today=clock.branch_today())) == 2
    assert list(ledger.check(db)) == []
    merging.undo(db, row.id, EVERYTHING)
    db.refresh(old)
    assert (old.trainee_id, old.superseded_by_id, own.trainee_id) == (merged.id, None, merged.id)
    assert list(ledger.check(db)) == []
