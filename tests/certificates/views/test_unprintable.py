"""A class with a name that no font can print, from the closing page to the certificate in the holder's hand."""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import issuing
from certificates.branch import Branch
from certificates.models import Certificate
from certificates.payload import digits_of
from courses.attendance import recording
from courses.models.enrolment import Enrolment
from lms.accounts.models import User
from lms.core import clock
from lms.core.scope import Role
from tests.courses.attendance.test_recording import happening
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
LACKING = "\ue5e5"
NAME, WRITING = f"王{LACKING}", "王昜"


@pytest.fixture
def enrolments(db: Session, make: Make) -> list[Enrolment]:
    """Two trainees who were there to the end: one has a name that no font can print."""
    offering = make.offering(
        course=make.new_course(skills=0, hours=Decimal(1), pass_mark=None),
        starts=[clock.now() - timedelta(hours=2)],
        hours=1,
    )
    rows = [make.enrolment(offering, make.trainee(name)) for name in (NAME, "张伟")]
    for row in rows:
        recording.record(db, happening(row), now=clock.now())
    db.commit()
    return rows


def test_the_others_are_certified_and_one_waits_until_the_holder_chose_a_writing(
    db: Session, make: Make, branch: Branch, sign_in: SignIn, enrolments: list[Enrolment]
) -> None:
    unprintable, other = enrolments
    offering_id, session_id = unprintable.offering_id, unprintable.offering.sessions[0].id
    desk = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=1))
    page = desk.get(f"/sessions/{session_id}/close").text
    assert "U+E5E5" in page
    writing_page = f"/offerings/{offering_id}/enrolments/{unprintable.id}/writing"
    assert writing_page in page
    seen = re.search(r'name="seen"[^>]*value="(\w+)"', page)
    assert seen is not None
    answer = desk.post(f"/sessions/{session_id}/close", data={"seen": seen[1]}, follow_redirects=True)
    assert "正在颁发的证书：1" in answer.text
    assert issuing.issue_owed(db, branch) == 1
    db.commit()
    progress = desk.get(f"/certificates/offering/{offering_id}").text
    assert writing_page in progress
    listing = desk.get("/certificates/unprintable/").text
    assert NAME in listing
    assert other.trainee.name not in listing
    assert '<span class="badge text-bg-danger">1</span>' in desk.get("/certificates/").text
    assert desk.post(writing_page, data={"writing": f"汪{LACKING}", "reason": "本人选择"}).status_code == 422
    assert desk.post(writing_page, data={"writing": WRITING, "reason": "本人选择"}).status_code == 302
    assert issuing.release(db, branch) == 1
    assert issuing.issue_owed(db, branch) == 1
    db.commit()
    certificate = db.scalars(select(Certificate).where(Certificate.enrolment_id == unprintable.id)).one()
    assert certificate.holder_name == WRITING
    assert desk.get(f"/certificates/{certificate.id}.pdf").data.startswith(b"%PDF")
    assert desk.get(f"/tickets/{unprintable.ticket}/certificate.png").mimetype == "image/png"
    for name in (NAME, WRITING):
        verdict = desk.post(f"/v/{digits_of(certificate.payload)}", data={"name": name})
        assert "与证书姓名一致" in verdict.text, verdict.text
    assert NAME not in desk.get("/certificates/unprintable/").text
    withdrawn = desk.post(f"{writing_page}/withdraw", data={"reason": "本人撤回"})
    assert withdrawn.status_code in {409, 422}


def test_a_writing_can_be_undone_before_it_is_issued(make: Make, sign_in: SignIn, enrolments: list[Enrolment]) -> None:
    enrolment = enrolments[0]
    desk = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    page = f"/offerings/{enrolment.offering_id}/enrolments/{enrolment.id}/writing"
    desk.post(page, data={"writing": WRITING, "reason": "本人选择"})
    assert WRITING in desk.get(f"/offerings/{enrolment.offering_id}/enrolments/").text
    assert desk.post(f"{page}/withdraw", data={"reason": ""}).status_code == 422
    assert desk.post(f"{page}/withdraw", data={"reason": "本人撤回"}).status_code == 302
    assert "U+E5E5" in desk.get(f"/offerings/{enrolment.offering_id}/enrolments/").text
