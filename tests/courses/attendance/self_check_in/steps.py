"""Steps of self check-in that several of its tests share: read the code on the screen, scan it, and check in."""

from sqlalchemy import select

from courses.attendance.self_check_in import claims, rotating_code
from courses.models.self_check_in import CheckInKey
from lms.core import clock


def code_at(db, meeting, moment):
    key = db.scalars(select(CheckInKey).where(CheckInKey.course_session_id == meeting.id)).one().key
    return rotating_code.code(key, meeting.id, rotating_code.step_of(moment))


def scanned(db, meeting, *, browser=None, now=None):
    now = now or clock.now()
    return claims.issue(db, meeting.id, code_at(db, meeting, now), browser=browser, now=now)


def claimed(db, meeting, *, browser=None, now=None):
    now = now or clock.now()
    return claims.load(db, scanned(db, meeting, browser=browser, now=now).token, now=now)


def checked_in(db, found, enrolment, now=None):
    claims.check_in(db, found, enrolment.id, now=now or clock.now())
    return claims.result(db, found)
