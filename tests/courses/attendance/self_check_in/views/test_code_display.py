"""The instructor's screen."""

import base64
import json
import re
from uuid import uuid4

import pytest
import zxingcpp
from PIL import Image
from sqlalchemy import select

from courses.attendance import recording
from courses.attendance.check_ins import AttendanceInput
from courses.attendance.self_check_in import claims, rotating_code
from courses.attendance.self_check_in import code_display as self_check_in
from courses.attendance.self_check_in.views import code_display
from courses.models.self_check_in import CheckInKey
from lms.core import clock
from lms.core.scope import Role
from tests.courses.closing.steps import loaded


@pytest.fixture
def teacher(make):
    return make.user(Role.INSTRUCTOR)


@pytest.fixture
def offering(make, teacher):
    return make.offering(lead=make.instructor(user=teacher))


@pytest.fixture
def meeting(db, offering):
    return loaded(db, offering)


@pytest.fixture
def browser(sign_in, teacher, meeting):
    return sign_in(teacher)


def read(octets, side):
    """The text that a camera reads from the bits of a code."""
    picture = Image.new("L", ((side + 8) * 8, (side + 8) * 8), 255)
    for place in range(side * side):
        if octets[place >> 3] >> (7 - (place & 7)) & 1:
            x, y = place % side + 4, place // side + 4
            picture.paste(0, (x * 8, y * 8, x * 8 + 8, y * 8 + 8))
    (found,) = zxingcpp.read_barcodes(picture)
    return found.text


def test_the_code_is_shown_by_a_button_and_taken_away_by_another(db, browser, meeting):
    address = f"/sessions/{meeting.id}/code"
    assert "data-code" not in browser.get(address).text
    assert db.scalars(select(CheckInKey)).all() == []
    assert browser.post(address).location == address
    page = browser.get(address).text
    assert "data-code" in page
    assert re.search(r'd="M\d+ \d+h1v1h-1z', page)
    assert browser.post(f"{address}/hide").status_code == 302
    assert db.scalars(select(CheckInKey)).all() == []
    assert browser.get(f"{address}/state").json["codes"] == []


def test_the_state_holds_codes_that_a_camera_reads_and_no_key(db, make, browser, offering, meeting):
    make.enrolment(offering, make.trainee("张三丰", phone="+8613812345678"))
    self_check_in.show(db, meeting, now=clock.now())
    db.commit()
    answer = browser.get(f"/sessions/{meeting.id}/code/state")
    found = answer.json
    key = db.scalars(select(CheckInKey)).one().key
    for step, bits in found["codes"]:
        code = rotating_code.code(key, meeting.id, step)
        assert read(base64.b64decode(bits), found["side"]) == f"http://127.0.0.1:8000/s/{meeting.id}/{code}"
    assert found["missing"] == ["张*丰"]
    assert abs(int(answer.headers["Server-Time"]) / 1000 - clock.now().timestamp()) < 60
    for secret in (key.hex(), base64.b64encode(key).decode(), "5678", "张三丰"):
        assert secret not in answer.text


def test_an_unchanged_state_is_told_by_its_time_alone(db, make, browser, offering, meeting):
    row = make.enrolment(offering)
    self_check_in.show(db, meeting, now=clock.now())
    db.commit()
    address = f"/sessions/{meeting.id}/code/state"
    with clock.at(clock.now()):
        tag = browser.get(address).headers["ETag"]
        same = browser.get(address, headers={"If-None-Match": tag})
        assert (same.status_code, same.data) == (304, b"")
        assert same.headers["Server-Time"]
        recording.record(db, AttendanceInput(uuid4(), meeting.id, row.id), now=clock.now())
        db.commit()
        changed = browser.get(address, headers={"If-None-Match": tag})
        assert (changed.status_code, len(changed.json["present"])) == (200, 1)


def test_the_stream_tells_the_state_and_ends(db, browser, meeting, monkeypatch):
    monkeypatch.setattr(code_display, "STREAM_SECONDS", 0.3)
    monkeypatch.setattr(code_display, "LOOK_SECONDS", 0.1)
    self_check_in.show(db, meeting, now=clock.now())
    db.commit()
    with clock.at(clock.now()):
        answer = browser.get(f"/sessions/{meeting.id}/code/stream")
        text = answer.get_data(as_text=True)
    assert answer.mimetype == "text/event-stream"
    (event,) = re.findall(r"^data: (.*)$", text, re.MULTILINE)
    assert len(json.loads(event)["codes"]) == 12
    answer.close()


def test_only_a_few_threads_are_given_to_streams(db, browser, meeting):
    self_check_in.show(db, meeting, now=clock.now())
    db.commit()
    address = f"/sessions/{meeting.id}/code/stream"
    held = [browser.get(address, buffered=False) for _ in range(code_display.STREAMS)]
    assert browser.get(address).status_code == 204
    for answer in held:
        answer.close()
    again = browser.get(address, buffered=False)
    assert again.status_code == 200
    again.close()


def test_the_screen_of_a_session_that_is_closed_says_so(db, make, browser, offering, meeting):
    meeting.closed_at = clock.now()
    db.commit()
    page = browser.get(f"/sessions/{meeting.id}/code").text
    assert 'method="post"' not in page[page.index("<main") :]
    assert browser.post(f"/sessions/{meeting.id}/code").status_code == 409


def test_closing_asks_for_heads_on_its_page(db, make, browser, offering, meeting):
    row = make.enrolment(offering)
    self_check_in.show(db, meeting, now=clock.now())
    key = db.scalars(select(CheckInKey)).one().key
    code = rotating_code.code(key, meeting.id, rotating_code.step_of(clock.now()))
    token = claims.issue(db, meeting.id, code, browser=None, now=clock.now()).token
    claims.check_in(db, claims.load(db, token, now=clock.now()), row.id, now=clock.now())
    db.commit()
    address = f"/sessions/{meeting.id}/close"
    page = browser.get(address)
    assert 'name="heads"' in page.text
    assert "1 人" in page.text
    confirmed = {"before_end": "y", "hours_choice": "given"}
    for facts in ({}, {"heads": "2"}, {"heads": "x"}):
        assert browser.post(address, data=confirmed | facts).status_code == 422
    done = browser.post(address, data=confirmed | {"heads": "2", "heads_reason": "一位家属在场"})
    assert done.status_code == 302
    assert "一位家属在场" in browser.get(address).text


def test_nobody_else_may_show_the_code(make, sign_in, client, meeting):
    address = f"/sessions/{meeting.id}/code"
    assert client.get(f"{address}/state").status_code == 302
    stranger = sign_in(make.user(Role.INSTRUCTOR))
    for path in (address, f"{address}/state", f"{address}/stream"):
        assert stranger.get(path).status_code == 404
