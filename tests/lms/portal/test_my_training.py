"""A trainee's own page."""

from collections.abc import Callable

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from courses.enrolment import proposals
from courses.enrolment.trainees import TraineeFacts
from courses.models.enrolment import EnrolmentState
from courses.models.offerings import OfferingState
from lms.accounts.models import User
from lms.core import audit, clock
from lms.core.scope import Role
from tests.factories import Make


def test_ones_own_and_nobody_elses(db: Session, make: Make, sign_in: Callable[[User], FlaskClient]) -> None:
    user = make.user(Role.TRAINEE)
    me = make.trainee(user_id=user.id)
    mine = make.enrolment(make.offering(place="我的教室"), me)
    gone = make.enrolment(make.offering(place="另一教室"), me, EnrolmentState.CANCELLED)
    other = make.enrolment(make.offering(place="别人的教室"))
    browser = sign_in(user)
    page = browser.get("/my-training/").text
    assert "我的教室" in page
    assert "另一教室" in page
    assert "别人的教室" not in page
    assert mine.ticket in page
    assert gone.ticket not in page
    assert other.ticket not in page


def test_nothing_yet(db: Session, make: Make, sign_in: Callable[[User], FlaskClient]) -> None:
    browser = sign_in(make.user(Role.TRAINEE))
    assert "还没有培训记录" in browser.get("/my-training/?lang=zh").text


def test_staff_have_no_such_page(db: Session, make: Make, sign_in: Callable[[User], FlaskClient]) -> None:
    assert sign_in(make.user(Role.CITY_ADMINISTRATOR)).get("/my-training/").status_code == 403


def test_the_own_record_changes_when_its_owner_accepts(
    db: Session, make: Make, sign_in: Callable[[User], FlaskClient]
) -> None:
    owner, staff = make.user(Role.TRAINEE), make.user(Role.COORDINATOR, name="王协调")
    me = make.trainee("张三", user_id=owner.id, birth_year=1990, email="old@example.org")
    audit.act_as(db, staff.id)
    wrong = proposals.propose(db, me, TraineeFacts("张四"), "同音字")
    right = proposals.propose(db, me, TraineeFacts("张三", email="new@example.org"), "更换邮箱")
    browser, stranger = sign_in(owner), sign_in(make.user(Role.TRAINEE))
    page = browser.get("/my-training/").text
    for text in ("王协调", "张四", "n***@example.org"):
        assert text in page
    assert stranger.post(f"/my-training/changes/{right.id}/accept").status_code == 404
    assert browser.post(f"/my-training/changes/{right.id}/accept").status_code == 302
    assert browser.post(f"/my-training/changes/{wrong.id}/refuse").status_code == 302
    assert stranger.post(f"/my-training/changes/{right.id}/accept").status_code == 404
    db.expire_all()
    assert (me.name, me.email) == ("张三", "new@example.org")
    assert browser.post(f"/my-training/changes/{wrong.id}/accept").status_code == 409


def test_a_cancelled_training_says_so_with_the_reason_and_the_way_to_others(
    db: Session, make: Make, sign_in: Callable[[User], FlaskClient]
) -> None:
    user = make.user(Role.TRAINEE)
    offering = make.offering(state=OfferingState.CANCELLED, cancelled_at=clock.now(), cancel_reason="场地停电")
    enrolment = make.enrolment(offering, make.trainee(user_id=user.id))
    staff = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    for browser, address in (
        (sign_in(user), "/my-training/"),
        (sign_in(user), f"/tickets/{enrolment.ticket}"),
        (staff, f"/trainees/{enrolment.trainee_id}"),
    ):
        page = browser.get(address).text
        assert "场地停电" in page, address
        assert "已取消" in page, address
        if browser is not staff:
            assert "/training/?programme=" in page, address
