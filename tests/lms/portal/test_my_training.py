"""A trainee's own page."""

from collections.abc import Callable

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from courses.models.enrolment import EnrolmentState
from lms.accounts.models import User
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
