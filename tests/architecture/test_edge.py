"""The edge: every route × every parameter × odd values, and no answer is a 5xx.

The values singly are some of `edge_walk.SINGLY`; with LMS_EDGE_WALK=whole in the environment they are all of them.
"""

import os
import re
import sys
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.routing import AnyConverter, Rule

from certificates import issuing
from certificates.branch import Branch
from certificates.keys import qr_keys
from certificates.models import Certificate
from courses.attendance import recording
from courses.attendance.check_ins import AttendanceInput
from courses.models.enrolment import EnrolmentState
from courses.models.offerings import OfferingState
from lms.accounts import devices
from lms.app import BLUEPRINTS
from lms.config import ROOT
from lms.core import clock, fast_path
from lms.core.access import guard_of
from lms.core.limits import limiter
from lms.core.scope import Role
from tests.architecture.edge_walk import OddRequest, requests_of
from tests.architecture.test_access import SignIn
from tests.factories import Make

# What these do would end the walk: they sign the walker out, or never end.
LEFT_OUT = {"account.sign_out", "account.end_others", "code_display.stream"}
WHOLE = os.environ.get("LMS_EDGE_WALK") == "whole"
VIEWS = sorted({module for _, module in BLUEPRINTS})
OURS = ("lms", "courses", "certificates", "instructors")


class Walker:
    """Whoever walks the routes: a user of each role, with a paired device, and a row of each kind to be found."""

    def __init__(self, app: Flask, db: Session, make: Make, sign_in: SignIn) -> None:
        lead = make.instructor(user=make.user(Role.INSTRUCTOR))
        host = make.organisation(1)
        offering = make.offering(organisation=host, lead=lead)
        enrolment = make.enrolment(offering, make.trainee(district_id=1))
        certificate = self._certify(app, db, make)
        user = make.user(Role.COORDINATOR, organisation_id=host.id)
        doubtful = AttendanceInput(uuid4(), offering.sessions[0].id, ticket="of-nobody")
        recording.record_all(db, [doubtful], user_id=None, now=clock.now())
        device, token = devices.pair(db, lead.user, "walker") if lead.user is not None else (None, "")
        self.arguments: dict[str, Any] = {
            "certificate_id": certificate.id, "course_id": offering.course_id, "device_id": device and device.id,
            "enrolment_id": enrolment.id, "event_id": doubtful.id, "grant_id": user.grants[0].id, "instructor_id": lead.id,
            "offering_id": offering.id, "organisation_id": host.id, "qualification_id": lead.qualifications[0].id,
            "session_id": offering.sessions[0].id,
            "ticket": certificate.enrolment.ticket, "trainee_id": enrolment.trainee_id,
            "user_id": user.id, "year": 2026,
        }  # fmt: skip
        self._app, self._db = app, db
        self._token = token
        self._browser: FlaskClient = sign_in(make.user(Role.CITY_ADMINISTRATOR, Role.INSTRUCTOR, Role.TRAINEE))
        db.commit()

    @staticmethod
    def _certify(app: Flask, db: Session, make: Make) -> Certificate:
        """A certificate that was issued the way the system issues them."""
        app.extensions["public_key_cache"].forget()
        branch = Branch.of(app.config["SETTINGS"])
        qr_keys.ensure(db, branch.keys_dir, not_before=date(2020, 1, 1), not_after=date(2099, 12, 31))
        now = clock.now()
        offering = make.offering(state=OfferingState.CLOSED, closed_at=now, counted_on=clock.branch_today())
        enrolment = make.enrolment(offering, state=EnrolmentState.COMPLETED, certificate_due=True, sessions_attended=1)
        while issuing.issue_owed(db, branch):
            pass
        return db.scalars(select(Certificate).where(Certificate.enrolment_id == enrolment.id)).one()

    def arguments_of(self, rule: Rule) -> dict[str, Any]:
        """Arguments that lead to a row, as far as there is one."""
        values: dict[str, Any] = {}
        for name in rule.arguments:
            converter = rule._converters[name]  # the rule has no other list of them
            choices = sorted(converter.items) if isinstance(converter, AnyConverter) else ["1"]
            values[name] = self.arguments.get(name, choices[0])
        return values

    def send(self, rule: Rule, odd: OddRequest) -> int:
        """Send a request and return the status of its answer. What it changed is undone, and no limit counts it."""
        limiter.reset()
        for limit in fast_path.minute_limits:
            limit.reset()
        guard = guard_of(self._app, rule.endpoint)
        headers = {"Authorization": f"Bearer {self._token}"} if guard is not None and guard.admit else {}
        if odd.body is not None:
            body: dict[str, Any] = {"data": odd.body, "content_type": odd.content_type}
        else:
            body = {"data": odd.fields} | ({"content_type": "multipart/form-data"} if odd.multipart else {})
        with self._db.begin_nested() as point:
            answer = self._browser.open(odd.address, method=odd.method, headers=headers, **body)
            status = answer.status_code
            answer.close()
            if point.is_active:
                point.rollback()
        return status


@pytest.fixture
def walker(app: Flask, db: Session, make: Make, sign_in: SignIn) -> Walker:
    return Walker(app, db, make, sign_in)


# A form that is refused while it is parsed leaves its files to the garbage collector: Werkzeug knows no other end.
@pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <function SpooledTemporaryFile:pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.parametrize("module", VIEWS)
def test_no_odd_value_makes_a_server_error(app: Flask, walker: Walker, module: str) -> None:
    blueprint = sys.modules[module].blueprint
    failures: Counter[tuple[str, str, str]] = Counter()
    number = 0
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.startswith(f"{blueprint.name}.") or rule.endpoint in LEFT_OUT:
            continue
        for odd in requests_of(app, rule, walker.arguments_of(rule), whole=WHOLE):
            number += 1
            try:
                status = walker.send(rule, odd)
            except Exception as error:  # while testing, an unexpected error is raised and not turned into a page
                failures[odd.method, rule.rule, f"{type(error).__name__}: {_shown(odd)}"] += 1
            else:
                if status >= 500:
                    failures[odd.method, rule.rule, f"{status}: {_shown(odd)}"] += 1
    sys.stdout.write(f"{number} odd requests\n")
    assert not failures
    assert number


def _shown(odd: OddRequest) -> str:
    fields = dict(list((odd.fields or {}).items())[:2])
    return f"{odd.address[:120]} {str(fields)[:120]} {(odd.body or b'')[:40]!r}"


def test_numbers_and_days_of_requests_are_read_at_the_edge_alone() -> None:
    """A view reads a number by a type of `lms.core.edge`, and a form a day by `DayField`: they know what a column can hold."""
    careless = re.compile(r"""(?:args|form|values)\.get\([^)]*\btype=int|\bDateField\b""")
    places = [
        f"{path.relative_to(ROOT)}:{number}"
        for package in OURS
        for path in Path(ROOT, package).rglob("*.py")
        if path.name not in {"forms.py", "edge.py"} or path.parent.name != "core"
        for number, text in enumerate(path.read_text().splitlines(), 1)
        if careless.search(text)
    ]
    assert places == []
