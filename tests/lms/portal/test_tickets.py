"""Tickets: found by their holder alone, and enough to come, to cancel and to make an account."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import zxingcpp
from flask.testing import FlaskClient
from PIL import Image, ImageDraw
from sqlalchemy.orm import Session

from courses.enrolment import places
from courses.enrolment.trainees import TraineeFacts
from courses.models.catalogue import AttendanceRule
from courses.models.enrolment import Enrolment, EnrolmentSource, EnrolmentState
from lms.accounts.models import User
from lms.core import clock
from lms.core.scope import Role
from lms.portal import calendars, ticket_code
from tests.certificates.conftest import closed_offering, owe
from tests.factories import Make
from tests.ten_names import UNPRINTABLE

SCALE = 4
PASSWORD = "a long enough pass phrase 7"


@pytest.fixture
def row(db: Session, make: Make) -> Enrolment:
    """An enrolment by oneself in a coming offering with one place."""
    offering = make.offering(capacity=1, starts=[clock.now() + timedelta(days=3), clock.now() + timedelta(days=4)])
    done = places.enrol_oneself(db, offering.id, TraineeFacts("王小明", "+8613912345678", birth_year=1990)).enrolment
    db.commit()
    return done


def test_the_page_keeps_out_of_sight(client: FlaskClient, row: Enrolment) -> None:
    page = client.get(f"/tickets/{row.ticket}")
    assert page.status_code == 200
    assert "noindex" in page.headers["X-Robots-Tag"]
    assert page.headers["Referrer-Policy"] in {"same-origin", "no-referrer"}
    assert page.headers["Cache-Control"] == "no-store"
    assert "13912345678" not in page.text
    assert "<svg" in page.text


def test_an_unknown_ticket(client: FlaskClient, row: Enrolment) -> None:
    for address in ("", "/cancel", "/calendar.ics", "/account"):
        assert client.get(f"/tickets/{row.ticket[:-1]}{address}").status_code == 404


def test_the_code_is_the_pages_address(row: Enrolment) -> None:
    svg = ticket_code.svg("https://training.example.org", row.ticket)
    assert decoded(svg) == f"https://training.example.org/tickets/{row.ticket}"


def decoded(svg: str) -> str:
    """Draw the path of relative unit-high runs, and read it."""
    side = int(svg.split('viewBox="0 0 ')[1].split(maxsplit=1)[0])
    image = Image.new("L", (side * SCALE, side * SCALE), 255)
    draw = ImageDraw.Draw(image)
    x = y = 0
    for run in svg.split('<path d="')[1].split('"', maxsplit=1)[0].split("z"):
        if run:
            move, rest = run.removeprefix("m").split("h")[:2]
            right, down = (int(number) for number in move.split())
            x, y, width = x + right, y + down, int(rest.split("v")[0])
            draw.rectangle((x * SCALE, y * SCALE, (x + width) * SCALE - 1, (y + 1) * SCALE - 1), fill=0)
    [found] = zxingcpp.read_barcodes(image)
    return str(found.text)


def test_cancelling_asks_once_and_frees_the_place(client: FlaskClient, row: Enrolment, db: Session, make: Make) -> None:
    waiting = places.enrol(db, row.offering_id, make.trainee(), source=EnrolmentSource.STAFF)
    db.commit()
    assert "1" in client.get(f"/tickets/{waiting.ticket}").text
    assert client.get(f"/tickets/{row.ticket}/cancel").status_code == 200
    assert row.state == EnrolmentState.ENROLLED
    assert client.post(f"/tickets/{row.ticket}/cancel", data={}).status_code == 302
    db.expire_all()
    assert (row.state, waiting.state) == ("cancelled", "enrolled")
    assert "<svg" not in client.get(f"/tickets/{row.ticket}").text
    assert client.post(f"/tickets/{row.ticket}/cancel", data={}).status_code == 422


def test_overlapping_trainings_are_shown_without_telling_which(
    client: FlaskClient, row: Enrolment, db: Session, make: Make
) -> None:
    other = make.offering(starts=[row.offering.sessions[0].starts_at], place="秘密地点")
    places.enrol(db, other.id, row.trainee, source=EnrolmentSource.STAFF)
    db.commit()
    page = client.get(f"/tickets/{row.ticket}?lang=zh").text
    assert "您在同一时间还报名了" in page
    assert "秘密地点" not in page


def test_the_calendar(client: FlaskClient, row: Enrolment) -> None:
    answer = client.get(f"/tickets/{row.ticket}/calendar.ics")
    text = answer.data.decode()
    assert answer.content_type.startswith("text/calendar")
    assert text.count("BEGIN:VEVENT") == 2
    assert f"DTSTART:{row.offering.sessions[0].starts_at:%Y%m%dT%H%M%SZ}" in text
    assert row.ticket not in text
    assert all(len(line.encode()) <= calendars.LINE_BYTES for line in text.split("\r\n"))


def test_long_lines_of_a_calendar_unfold(make: Make) -> None:
    offering = make.offering(place="很长的地点，" * 30 + "a;b\\c")
    text = calendars.calendar(offering, "题", "主办", "https://x.example").decode()
    assert all(len(line.encode()) <= calendars.LINE_BYTES for line in text.split("\r\n"))
    assert "LOCATION:" + "很长的地点，" * 30 + "a\\;b\\\\c" in text.replace("\r\n ", "")


def test_the_ticket_says_which_attendance_is_required(client: FlaskClient, row: Enrolment, db: Session) -> None:
    assert "全部计划课次" in client.get(f"/tickets/{row.ticket}").text
    course = row.offering.course
    course.attendance_rule, course.minutes_share = AttendanceRule.SHARE, 80
    db.commit()
    assert "时长不少于计划的80%" in client.get(f"/tickets/{row.ticket}").text
    assert "At least 80 % of the planned minutes" in client.get(f"/tickets/{row.ticket}?lang=en").text


def test_the_holder_chooses_the_writing_of_a_name_that_no_font_can_print(
    client: FlaskClient, row: Enrolment, db: Session
) -> None:
    page = f"/tickets/{row.ticket}"
    assert "/writing" not in client.get(page).text
    assert client.get(f"{page}/writing").location == page
    row.trainee.name = "王\ue5e5"
    db.commit()
    assert "U+E5E5" in client.get(page).text
    assert "U+E5E5" in client.get(f"{page}/writing").text
    for wrong in ("", "王\ue5e5", "··"):
        assert client.post(f"{page}/writing", data={"writing": wrong}).status_code == 422
    assert client.post(f"{page}/writing", data={"writing": "王昜"}).location == page
    assert "王昜" in client.get(page).text
    row.state = EnrolmentState.COMPLETED
    db.commit()
    assert client.get(f"{page}/writing").location == page


def test_the_ticket_tells_its_own_holder_alone_what_is_known_to_be_held(
    client: FlaskClient, db: Session, make: Make, sign_in: Callable[[User], FlaskClient]
) -> None:
    course = make.new_course(refresher=True)
    make.prerequisite(course)
    offering = make.offering(course=course, starts=[clock.now() + timedelta(days=3)])
    user, other = make.user(Role.TRAINEE), make.user(Role.TRAINEE)
    trainee = make.trainee(user_id=user.id)
    ticket = make.enrolment(offering, trainee).ticket
    db.commit()
    own = sign_in(user)
    assert "没有查到本课程认可的证书" in own.get(f"/tickets/{ticket}").text
    number = make.legacy_certificate(trainee, None).number
    db.commit()
    assert number in own.get(f"/tickets/{ticket}").text
    for stranger in (client, sign_in(other)):
        page = stranger.get(f"/tickets/{ticket}").text
        assert "本课程面向持证人员" in page
        assert number not in page


def test_the_page_says_that_the_certificate_is_being_made_unless_it_waits_for_a_writing(
    client: FlaskClient, db: Session, make: Make
) -> None:
    """The codes of the hand-out lead here at once after the closing."""
    offering = closed_offering(make)
    owed, waiting = owe(make, offering, "李雷"), owe(make, offering, UNPRINTABLE)
    db.commit()
    page = client.get(f"/tickets/{owed.ticket}").text
    assert "正在制作" in page
    assert "data-refresh" in page
    page = client.get(f"/tickets/{waiting.ticket}").text
    assert "正在制作" not in page
    assert "data-refresh" not in page
