"""Merging in the browser: the list, side by side, the confirmation, the merged record's page, the undo, and attacks."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.merging import finding
from courses.models.enrolment import EnrolmentState
from courses.models.merges import TraineeMerge, TraineePair
from courses.models.trainees import ANONYMOUS_REF, Trainee
from lms.accounts import audit_trail
from lms.accounts.audit_trail import TrailFilter
from lms.accounts.models import User
from lms.core import clock
from lms.core.scope import Role
from tests.courses.worlds import BEIJING
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]


@pytest.fixture
def staff(make: Make, sign_in: SignIn) -> FlaskClient:
    """The browser of district 1's administrator."""
    return sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=1, name="王区管"))


@pytest.fixture
def twins(db: Session, make: Make) -> tuple[Trainee, Trainee]:
    """Two records of one person in district 1."""
    phone = make.phone()
    pair = make.trainee("李晓明", district_id=1, phone=phone), make.trainee("李小明", district_id=1, phone=phone)
    make.enrolment(make.offering(organisation=make.organisation(1)), pair[1])
    db.flush()
    return pair


def test_a_pair_is_merged_and_becomes_two_again(
    staff: FlaskClient, twins: tuple[Trainee, Trainee], db: Session
) -> None:
    kept, merged = twins
    list(finding.search(db))
    db.commit()
    page = staff.get("/trainees/merging")
    assert "手机号相同，姓名同音" in page.text
    both = f"/trainees/{kept.id}/merging/{merged.id}"
    assert both in page.text
    page = staff.get(both)
    assert "1 次培训" in page.text
    assert kept.phone not in page.text
    assert "与保留的档案不符" in staff.post(both, data={"confirmation": "王五", "side_name": "kept"}).text
    assert (
        staff.post(both, data={"confirmation": "李晓明", "side_name": "kept", "reason": "本人来电"}).status_code == 302
    )
    assert staff.post(both, data={"confirmation": "李晓明"}).location.endswith(f"/trainees/{kept.id}")
    page = staff.get(f"/trainees/{merged.id}", follow_redirects=True)
    assert page.request.path == f"/trainees/{kept.id}"
    assert "王区管" in page.text
    assert staff.get("/trainees/merging").text.count(both) == 0
    row = db.scalars(select(TraineeMerge)).one()
    trail = audit_trail.listing(db, TrailFilter(subject=f"trainee:{kept.id}"), BEIJING)
    assert {entry.key for entry in trail.rows} == {str(kept.id), str(merged.id)}
    undo = f"/trainees/merging/{row.id}"
    assert "1 次培训" in staff.get(undo).text
    assert staff.post(undo).status_code == 302
    assert "已经撤销过了" in staff.post(undo).text
    assert staff.get(f"/trainees/{merged.id}").status_code == 200


def test_two_people_are_remembered_as_two(staff: FlaskClient, twins: tuple[Trainee, Trainee], db: Session) -> None:
    first, second = twins
    list(finding.search(db))
    db.commit()
    pair = {"first_id": second.id, "second_id": first.id}
    assert staff.post("/trainees/merging/apart", data=pair | {"apart": "yes"}).status_code == 302
    list(finding.search(db))
    db.commit()
    assert "李晓明" not in staff.get("/trainees/merging").text
    assert "李晓明" in staff.get("/trainees/merging?apart=yes").text
    staff.post("/trainees/merging/apart", data=pair | {"apart": "no"})
    assert "李晓明" in staff.get("/trainees/merging").text


def test_the_other_record_is_sought_by_hand(staff: FlaskClient, twins: tuple[Trainee, Trainee], db: Session) -> None:
    first, second = twins
    db.commit()
    assert staff.get(f"/trainees/{first.id}/merging").status_code == 200
    page = staff.post(f"/trainees/{first.id}/merging", data={"words": second.phone})
    assert f"/trainees/{first.id}/merging/{second.id}" in page.text
    assert staff.post(f"/trainees/{first.id}/merging", data={"words": ""}).status_code == 422


def test_what_may_not_be_merged_is_not_found(
    staff: FlaskClient, twins: tuple[Trainee, Trainee], db: Session, make: Make
) -> None:
    own, second = twins
    elsewhere, nobody = make.trainee(district_id=2), make.trainee(ref=ANONYMOUS_REF, phone=None, district_id=1)
    shared = make.trainee("李晓明", district_id=1)
    make.enrolment(make.offering(organisation=make.organisation(2)), shared, EnrolmentState.CANCELLED)
    erased = make.trainee("李晓明", district_id=1, phone=None, erased_at=clock.now())
    db.add(TraineePair(first_id=own.id, second_id=elsewhere.id, reasons=["phone_name"], weight=90))
    db.commit()
    for other in (elsewhere.id, nobody.id, own.id, 10**12, 0):
        for path in (f"/trainees/{own.id}/merging/{other}", f"/trainees/{other}/merging/{own.id}"):
            assert (staff.get(path).status_code, staff.post(path, data={"confirmation": own.name}).status_code) == (
                404,
                404,
            )
    assert staff.get(f"/trainees/{own.id}/merging/{shared.id}").status_code == 403
    assert "数据已" in staff.post(f"/trainees/{own.id}/merging/{erased.id}", data={"confirmation": own.name}).text
    assert f"№ {elsewhere.id}<" not in staff.get("/trainees/merging").text
    pair = {"first_id": own.id, "second_id": elsewhere.id, "apart": "yes"}
    assert staff.post("/trainees/merging/apart", data=pair).status_code == 404
    for odd in ({}, {"first_id": "x", "second_id": "-1", "apart": "maybe"}, pair | {"apart": "\x00"}):
        assert staff.post("/trainees/merging/apart", data=odd).status_code in {302, 400, 404}
    odd_sides = {"confirmation": own.name, "side_name": "both", "side_phone": "x"}
    assert staff.post(f"/trainees/{own.id}/merging/{second.id}", data=odd_sides).status_code == 422
    assert db.scalars(select(TraineeMerge)).all() == []
