"""Pages of enrolment: by a visitor, by staff, and from a spreadsheet."""

import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.enrolment import places
from courses.enrolment.trainees import TraineeFacts, register
from courses.models.enrolment import Enrolment, EnrolmentSource, EnrolmentState
from courses.models.offerings import Offering
from courses.models.trainees import Trainee
from lms.accounts.models import User
from lms.core import clock
from lms.core.scope import Role
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
SELF = {"name": "王小明", "phone": "13912345678", "birth_year": "1990", "consent": "y", "privacy_version": "1"}


@pytest.fixture
def offering(make: Make) -> Offering:
    """A coming offering of district 1, with one place."""
    return make.offering(capacity=1, organisation=make.organisation(1), starts=[clock.now() + timedelta(days=3)])


@pytest.fixture
def staff(make: Make, sign_in: SignIn) -> FlaskClient:
    """The browser of district 1's administrator."""
    return sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=1))


def enrolled(db: Session, offering: Offering) -> list[tuple[str, str]]:
    rows = db.scalars(select(Enrolment).where(Enrolment.offering_id == offering.id).order_by(Enrolment.id))
    return [(row.trainee.name, str(row.state)) for row in rows]


def test_a_visitor_enrols_and_gets_the_ticket(db: Session, client: FlaskClient, offering: Offering) -> None:
    db.commit()
    page = client.get(f"/training/{offering.id}/enrol?lang=zh").text
    assert "报名" in page
    answer = client.post(f"/training/{offering.id}/enrol", data=SELF)
    assert answer.status_code == 302
    assert "13912345678" not in answer.location
    ticket = client.get(answer.location)
    assert "王小明" in ticket.text
    assert "139****5678" in ticket.text
    assert "13912345678" not in ticket.text
    assert enrolled(db, offering) == [("王小明", "enrolled")]
    again = client.post(f"/training/{offering.id}/enrol", data=SELF)
    assert again.status_code == 200
    assert answer.location.rsplit("/", 1)[1] not in again.text
    second = client.post(f"/training/{offering.id}/enrol", data=SELF | {"name": "李雷"})
    assert "第1位" in client.get(second.location).text


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"consent": ""}, "须同意"),
        ({"phone": "123"}, 'id="phone-error"'),
        ({"birth_year": str(clock.branch_today().year - 10)}, "监护人"),
        ({"name": " "}, "请填写姓名"),
    ],
)
def test_invalid_input_of_a_visitor_stays_on_the_form(
    facts: dict[str, str], message: str, db: Session, client: FlaskClient, offering: Offering
) -> None:
    db.commit()
    answer = client.post(f"/training/{offering.id}/enrol?lang=zh", data=SELF | facts)
    assert answer.status_code == 422
    assert message in answer.text
    assert enrolled(db, offering) == []


def test_a_visitor_cannot_enrol_in_an_offering_by_invitation(
    db: Session, client: FlaskClient, offering: Offering
) -> None:
    offering.by_invitation = True
    db.commit()
    assert client.get(f"/training/{offering.id}/enrol").status_code == 403
    assert client.post(f"/training/{offering.id}/enrol", data=SELF).status_code == 403


def test_visitors_attempts_are_rate_limited(db: Session, client: FlaskClient, offering: Offering) -> None:
    db.commit()
    codes = [client.post(f"/training/{offering.id}/enrol", data={}).status_code for _ in range(31)]
    assert codes[0] == 422
    assert codes[-1] == 429


def test_staff_enrol_new_people_and_an_invalid_id_number_is_refused(
    db: Session, staff: FlaskClient, offering: Offering
) -> None:
    base = f"/offerings/{offering.id}/enrolments"
    assert staff.get(f"{base}/new").status_code == 200
    facts = {"name": "张三", "phone": "13812345678", "id_type": "resident", "id_number": "11010519491231002x"}
    assert staff.post(f"{base}/new", data=facts).status_code == 302
    assert staff.post(f"{base}/new", data={"name": "李四", "phone": "13812345679"}).status_code == 302
    assert enrolled(db, offering) == [("张三", "enrolled"), ("李四", "waitlisted")]
    page = staff.get(f"{base}/").text
    assert "138****5678" in page
    assert "13812345678" not in page
    wrong = staff.post(f"{base}/new?lang=zh", data=facts | {"name": "王五", "id_number": "110105194912310021"})
    assert wrong.status_code == 422
    assert "居民身份证号码有误" in wrong.text


def test_a_form_that_staff_send_twice_is_answered_as_the_first_time(
    db: Session, make: Make, sign_in: SignIn, offering: Offering
) -> None:
    staff = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=1))
    known = make.trainee("赵六", district_id=1)
    db.commit()
    base = f"/offerings/{offering.id}/enrolments"
    page = staff.get(f"{base}/new").text
    key = page.split('name="form_key" value="', 1)[1].split('"', 1)[0]
    for path, fields in (
        ("new", {"name": "张三", "phone": "13812345678"}),
        ("known", {"trainee_id": str(known.id)}),
    ):
        for _time in range(2):
            answer = staff.post(f"{base}/{path}", data=fields | {"form_key": key})
            assert answer.location == f"{base}/"
    assert enrolled(db, offering) == [("张三", "enrolled"), ("赵六", "waitlisted")]
    other = staff.post(f"{base}/new", data={"name": "张三", "phone": "13812345678", "email": "a@b.cn", "form_key": key})
    assert other.status_code == 422


def test_clashes_and_differences_have_to_be_confirmed(
    db: Session, make: Make, staff: FlaskClient, offering: Offering
) -> None:
    other = make.offering(starts=[offering.sessions[0].starts_at])
    known = register(db, TraineeFacts("张三", phone="+8613812345678", birth_year=1990))
    places.enrol(db, other.id, known, source=EnrolmentSource.STAFF)
    db.commit()
    base = f"/offerings/{offering.id}/enrolments"
    facts = {"name": "张三", "phone": "13812345678", "birth_year": "1991", "id_type": "resident"}
    warned = staff.post(f"{base}/new", data=facts)
    assert warned.status_code == 422
    assert 'name="confirmed" value="yes"' in warned.text
    assert enrolled(db, offering) == []
    assert staff.post(f"{base}/new", data=facts | {"confirmed": "yes"}).status_code == 302
    assert enrolled(db, offering) == [("张三", "enrolled")]
    assert known.birth_year == 1990


def test_staff_enrol_a_trainee_of_the_register(db: Session, make: Make, staff: FlaskClient, offering: Offering) -> None:
    known = register(db, TraineeFacts("张三", phone="+8613812345678"), 1)
    stranger = register(db, TraineeFacts("张三丰", phone="+8613812345679"), 2)
    db.commit()
    base = f"/offerings/{offering.id}/enrolments"
    page = staff.post(f"{base}/find", data={"words": "张三"}).text
    assert f'name="trainee_id" value="{known.id}"' in page
    assert f'value="{stranger.id}"' not in page
    assert staff.post(f"{base}/known", data={"trainee_id": stranger.id}).status_code == 404
    assert staff.post(f"{base}/known", data={"trainee_id": known.id}).status_code == 302
    assert enrolled(db, offering) == [("张三", "enrolled")]
    assert staff.post(f"{base}/known", data={"trainee_id": known.id}).status_code == 422


def test_cancelling_moving_up_and_giving_a_place(
    db: Session, make: Make, staff: FlaskClient, offering: Offering
) -> None:
    rows = [places.enrol(db, offering.id, make.trainee(), source=EnrolmentSource.STAFF) for _ in range(4)]
    db.commit()
    base = f"/offerings/{offering.id}/enrolments"
    assert staff.post(f"{base}/{rows[0].id}/cancel", data={"reason": ""}).status_code == 422
    assert staff.post(f"{base}/{rows[3].id}/up").status_code == 302
    assert staff.post(f"{base}/{rows[0].id}/cancel", data={"reason": "本人不来"}).status_code == 302
    assert staff.get(f"{base}/{rows[2].id}/place").status_code == 200
    assert staff.post(f"{base}/{rows[2].id}/place", data={"reason": "带队"}).status_code == 302
    db.expire_all()
    assert [row.state for row in rows] == ["cancelled", "enrolled", "enrolled", "waitlisted"]
    assert staff.get(f"{base}/").text.count("本人不来") == 1


def test_another_districts_offering_is_not_there(
    db: Session, make: Make, staff: FlaskClient, offering: Offering
) -> None:
    other = make.offering(organisation=make.organisation(2), starts=[clock.now() + timedelta(days=3)])
    theirs, mine = make.enrolment(other), make.enrolment(offering)
    db.commit()
    for address in ("", "new", "import", f"{theirs.id}/cancel"):
        assert staff.get(f"/offerings/{other.id}/enrolments/{address}").status_code == 404
    assert (
        staff.post(f"/offerings/{other.id}/enrolments/known", data={"trainee_id": mine.trainee_id}).status_code == 404
    )
    assert staff.get(f"/offerings/{offering.id}/enrolments/{theirs.id}/cancel").status_code == 404
    assert staff.post(f"/offerings/{offering.id}/enrolments/{theirs.id}/up").status_code == 404


def test_a_spreadsheet_is_previewed_and_then_applied_once(
    db: Session, make: Make, staff: FlaskClient, offering: Offering
) -> None:
    offering.capacity = 10
    db.commit()
    base = f"/offerings/{offering.id}/enrolments"
    for form in ("csv", "xlsx"):
        assert len(staff.get(f"{base}/import/template.{form}").data) > 100
    content = "姓名,手机\r\n张三,13812345678\r\n李四,123\r\n".encode("gbk")
    sent = staff.post(f"{base}/import", data={"file": (io.BytesIO(content), "名单.csv")})
    assert sent.status_code == 302
    preview = staff.get(f"{sent.location}?lang=zh").text
    assert "138****5678" in preview
    assert "李四" in preview
    rejected = staff.get(f"{sent.location}/rejected.csv").data.decode("utf-8-sig")
    assert "李四,123" in rejected
    assert "张三" not in rejected
    assert enrolled(db, offering) == []
    assert staff.post(f"{sent.location}/apply").status_code == 302
    assert enrolled(db, offering) == [("张三", "enrolled")]
    assert staff.post(f"{sent.location}/apply").status_code == 409
    assert staff.get(sent.location).status_code == 409
    assert db.scalar(select(func.count()).select_from(Trainee).where(Trainee.name == "李四")) == 0


def test_a_pending_spreadsheet_is_visible_to_its_sender_alone(
    db: Session, make: Make, staff: FlaskClient, sign_in: SignIn, offering: Offering
) -> None:
    db.commit()
    base = f"/offerings/{offering.id}/enrolments"
    sent = staff.post(f"{base}/import", data={"file": (io.BytesIO("姓名,手机\r\n张三,13812345678".encode()), "a.csv")})
    colleague = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=1))
    assert colleague.get(sent.location).status_code == 404
    assert colleague.post(f"{sent.location}/apply").status_code == 404


def test_unreadable_files_are_refused_on_the_form(db: Session, staff: FlaskClient, offering: Offering) -> None:
    db.commit()
    base = f"/offerings/{offering.id}/enrolments/import"
    for name, content in (("a.pdf", b"%PDF"), ("a.xlsx", b"PK\x03\x04broken")):
        answer = staff.post(base, data={"file": (io.BytesIO(content), name)})
        assert answer.status_code == 422
    assert staff.post(base, data={}).status_code == 422


def test_instructors_and_auditors_read_and_change_nothing(db: Session, make: Make, sign_in: SignIn) -> None:
    user = make.user(Role.INSTRUCTOR)
    offering = make.offering(lead=make.instructor(user=user))
    row = make.enrolment(offering)
    db.commit()
    base = f"/offerings/{offering.id}/enrolments"
    for browser in (sign_in(user), sign_in(make.user(Role.AUDITOR))):
        assert browser.get(f"{base}/").status_code == 200
        assert browser.get(f"{base}/new").status_code == 403
        assert browser.post(f"{base}/{row.id}/cancel", data={"reason": "x"}).status_code == 403
    db.refresh(row)
    assert row.state == EnrolmentState.ENROLLED


def test_staff_see_an_offer_withdraw_it_and_split_a_group(
    staff: FlaskClient, db: Session, make: Make, offering: Offering
) -> None:
    def given() -> TraineeFacts:
        return TraineeFacts("学员", phone=make.phone())

    offering.sessions[0].starts_at += timedelta(days=30)
    offering.sessions[0].ends_at += timedelta(days=30)
    seat, first = (
        places.enrol(db, offering.id, make.trainee(), source=EnrolmentSource.STAFF, given=given()) for _ in range(2)
    )
    offering.capacity = 2
    pair = places.enrol_all(
        db,
        offering.id,
        [(make.trainee(), given()) for _ in range(2)],
        source=EnrolmentSource.IMPORT,
        may_split=False,
    )
    assert first.is_offered
    db.commit()
    base = f"/offerings/{offering.id}/enrolments"
    page = staff.get(f"{base}/?lang=en").text
    assert "A place is offered" in page
    assert "1 place offered" in page
    assert "2 wait together" in page
    assert staff.get(f"{base}/{first.id}/withdraw-offer").status_code == 200
    assert staff.post(f"{base}/{first.id}/withdraw-offer", data={"reason": "名额调整"}).status_code == 302
    db.expire_all()
    assert (first.is_offered, pair[0].is_offered) == (False, False)
    assert staff.post(f"{base}/{pair[1].id}/group", data={"split": "part"}).status_code == 302
    db.expire_all()
    assert (pair[0].is_offered, pair[1].is_offered, seat.state) == (True, False, "enrolled")
    assert staff.post(f"{base}/{first.id}/withdraw-offer", data={"reason": "再来"}).status_code == 422
