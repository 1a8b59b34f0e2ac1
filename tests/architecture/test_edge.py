"""The edge: every route × every parameter × odd values, and no answer is a 5xx."""

from collections import Counter
from uuid import UUID, uuid4

from flask import Flask
from sqlalchemy.orm import Session

from courses.attendance import recording
from courses.attendance.check_ins import AttendanceInput
from lms.accounts import devices
from lms.core import clock, fast_path
from lms.core.access import PUBLIC_ENDPOINTS, guard_of
from lms.core.limits import limiter
from lms.core.scope import Role
from tests.architecture.edge_walk import requests_of
from tests.architecture.test_access import certify
from tests.factories import Make


def test_walk(app: Flask, db: Session, make: Make, sign_in) -> None:
    host = make.organisation(1)
    lead = make.instructor(district_id=1, user=make.user(Role.INSTRUCTOR))
    offering = make.offering(organisation=host, lead=lead)
    enrolment = make.enrolment(offering, make.trainee(district_id=1))
    user = make.user(Role.COORDINATOR, organisation_id=host.id)
    certificate = certify(db, enrolment.id)
    doubtful = AttendanceInput(uuid4(), offering.sessions[0].id, ticket="of-nobody")
    recording.record_all(db, [doubtful], user_id=None, now=clock.now())
    device, token = devices.pair(db, lead.user, "x")
    db.commit()
    arguments = {
        "certificate_id": certificate.id,
        "course_session_id": offering.sessions[0].id,
        "enrolment_id": enrolment.id,
        "event_id": doubtful.id,
        "grant_id": user.grants[0].id,
        "instructor_id": lead.id,
        "offering_id": offering.id,
        "organisation_id": host.id,
        "qualification_id": lead.qualifications[0].id,
        "session_id": offering.sessions[0].id,
        "trainee_id": enrolment.trainee_id,
        "user_id": user.id,
        "course_id": offering.course_id,
        "ticket": enrolment.ticket,
        "year": 2026,
        "device_id": device.id,
    }
    city = make.user(Role.CITY_ADMINISTRATOR, Role.INSTRUCTOR, Role.TRAINEE)
    browser = sign_in(city)
    import os
    import time

    failures = Counter()
    sent = 0
    t0 = time.time()
    budget = float(os.environ.get("EDGE_SECONDS", "600"))
    for rule in app.url_map.iter_rules():
        if rule.endpoint in PUBLIC_ENDPOINTS or rule.endpoint in {
            "account.sign_out",
            "account.end_browser",
            "account.end_others",
            "code_display.stream",
        }:
            continue
        guard = guard_of(app, rule.endpoint)
        if os.environ.get("ONLY") and rule.endpoint not in os.environ["ONLY"].split(","):
            continue
        t1 = time.time()
        given = {name: arguments.get(name, 1) for name in rule.arguments}
        for name in rule.arguments:
            if name not in arguments:
                conv = rule._converters[name]
                given[name] = {"AnyConverter": lambda: sorted(conv.items)[0], "UUIDConverter": lambda: UUID(int=1)}.get(
                    type(conv).__name__, lambda: 1
                )()
        n = 0
        for odd in requests_of(app, rule, given):
            n += 1
            headers = {"Authorization": f"Bearer {token}"} if guard.admit else {}
            limiter.reset()
            for limit in fast_path.minute_limits:
                limit.reset()
            try:
                with db.begin_nested() as point:
                    if odd.body is not None:
                        answer = browser.open(
                            odd.address,
                            method=odd.method,
                            data=odd.body,
                            content_type="application/json",
                            headers=headers,
                        )
                    else:
                        answer = browser.open(
                            odd.address,
                            method=odd.method,
                            data=odd.fields,
                            headers=headers,
                            **({"content_type": "multipart/form-data"} if odd.multipart else {}),
                        )
                    status = answer.status_code
                    answer.close()
                    point.rollback()
            except Exception as error:
                import traceback

                traceback.print_exc()
                status = repr(error)[:90]
            sent += 1
            if not isinstance(status, int) or status >= 500:
                what = (
                    odd.address.split("?")[-1][:40]
                    if "?" in odd.address
                    else (str(list((odd.fields or {}).items())[:1])[:60] if odd.fields else str((odd.body or b"")[:20]))
                )
                failures[(odd.method, rule.rule, str(status))] += 1
                if failures[(odd.method, rule.rule, str(status))] < 3:
                    print("FAIL", odd.method, rule.rule, odd.address[:80], what, status)
        print(f"{rule.endpoint} {n} requests {time.time() - t1:.1f} s")
    print(sent, "sent", time.time() - t0, "s", sum(failures.values()), "failures")
    assert not failures
