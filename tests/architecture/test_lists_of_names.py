"""Lists of people: each page, file and JSON document of the route map shows the names of a class in one order."""

import html
import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise, product
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from python_calamine import CalamineWorkbook
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.routing import AnyConverter, BuildError, Rule

from certificates import issuing
from certificates.branch import Branch
from certificates.keys import qr_keys
from certificates.models import Certificate
from courses.attendance import recording
from courses.attendance.check_ins import AttendanceInput
from courses.models.enrolment import EnrolmentState
from courses.models.offerings import Offering, OfferingState, SessionInstructor, TeachingRole
from lms.accounts import devices
from lms.accounts.models import User
from lms.core import clock
from lms.core.access import guard_of
from lms.core.limits import limiter
from lms.core.masks import mask_name
from lms.core.name_order import by_sound
from lms.core.scope import Role
from tests.architecture.edge_walk import DOCUMENTS
from tests.architecture.test_responses import NEVER_ENDS
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]

# In the order of registration: neither that of code points, of GB 18030, nor of pinyin, alone or with the readings of
# characters that are no family names.
NAMES = (
    "章子怡",
    "Anna Li",
    "单雄信",
    "阿依古丽",
    "曾国藩",
    "㛃美",
    "仇英",
    "张三丰",
    "吕布",
    "卢俊义",
    "O’Brien",
    "查良镛",
)
# Lists that have another order, each with it.
ORDERED_OTHERWISE = {
    "audit.export": "newest first",
    "audit.index": "newest first",
    "certificates.index": "newest first",
    "organisation.page": "the instructors who were there most often first",
}
# Lists in two parts, each in the order of names.
IN_TWO_PARTS = {
    "assessment.page": "the examiners who may be chosen come first",
    "reports.offering_people": "those who were present come first",
}
# Lists that must have been met: the walk would be worth nothing if it saw no names.
EXPECTED = {
    "assessment.page", "attendance.roster", "certificates.of_offering", "check_ins.roster", "code_display.state",
    "enrolment.index", "hand_out.people", "hand_out.sheet",
    "instructors.index", "offerings.page", "organisations.index", "paper.grid", "paper.sheet",
    "report_sessions.people", "reports.offering_people", "sessions.close", "trainees.index", "users.index",
}  # fmt: skip
# Documents that are drawn, of one person or of report figures.
ONE_PERSON = DOCUMENTS - {"paper.sheet", "hand_out.sheet"}
LIST = re.compile(r"<(?:table|tbody|thead|ul|ol|select|datalist|dl|section|article|details|h[1-4])\b")


@dataclass
class SeededClass:
    """A class that is under way and one that was closed, with the same people, assisted by instructors of the same names.

    An account and an organisation have each name, too.
    """

    arguments: list[dict[str, Any]]
    browser: FlaskClient
    device: dict[str, str]


@pytest.fixture
def seeded(app: Flask, db: Session, make: Make, sign_in: SignIn) -> SeededClass:
    app.extensions["public_key_cache"].forget()
    branch = Branch.of(app.config["SETTINGS"])
    qr_keys.ensure(db, branch.keys_dir, not_before=date(2020, 1, 1), not_after=date(2099, 12, 31))
    user = make.user(Role.CITY_ADMINISTRATOR, Role.INSTRUCTOR)
    lead = make.instructor(user=user)
    assistants = [make.instructor(name=name) for name in NAMES]
    for name in NAMES:
        make.user(Role.AUDITOR, name=name)
        make.organisation(name_zh=f"{name}村", name_en=None)
    people = [make.trainee(name, district_id=1) for name in NAMES]
    arguments = []
    for state, hours in ((OfferingState.PUBLISHED, 1), (OfferingState.CLOSED, 33)):
        offering = make.offering(lead=lead, by_invitation=True, starts=[clock.now() - timedelta(hours=hours)])
        enrolments = [make.enrolment(offering, person) for person in people]
        meeting = offering.sessions[0]
        assisting = [SessionInstructor(instructor=row, role=TeachingRole.ASSISTANT, active=True) for row in assistants]
        meeting.instructors.extend(assisting)
        db.flush()
        db.expire(meeting)
        present = enrolments if state is OfferingState.CLOSED else enrolments[::3]
        arrivals = [AttendanceInput(uuid4(), meeting.id, enrolment_id=row.id) for row in present]
        recording.record_all(db, arrivals, user_id=user.id, now=clock.now())
        if state is OfferingState.CLOSED:
            close(db, offering, enrolments)
            while issuing.issue_owed(db, branch):
                pass
        arguments.append(arguments_of(db, offering, user, enrolments))
    _device, token = devices.pair(db, user, "phone")
    db.commit()
    return SeededClass(arguments, sign_in(user), {"Authorization": f"Bearer {token}"})


def close(db: Session, offering: Offering, enrolments: list[Any]) -> None:
    offering.state, offering.closed_at, offering.counted_on = OfferingState.CLOSED, clock.now(), clock.branch_today()
    offering.sessions[0].closed_at = clock.now()
    for row in enrolments:
        row.state, row.certificate_due, row.sessions_attended, row.minutes_attended = (
            EnrolmentState.COMPLETED,
            True,
            1,
            480,
        )
    db.flush()


def arguments_of(db: Session, offering: Offering, user: User, enrolments: list[Any]) -> dict[str, Any]:
    certificate = db.scalars(select(Certificate).where(Certificate.enrolment_id == enrolments[0].id)).one_or_none()
    return {
        "certificate_id": certificate.id if certificate else 0, "course_id": offering.course_id,
        "enrolment_id": enrolments[0].id, "instructor_id": offering.lead_instructor_id, "offering_id": offering.id,
        "organisation_id": offering.organisation_id, "session_id": offering.sessions[0].id, "ticket": enrolments[0].ticket,
        "trainee_id": enrolments[0].trainee_id, "user_id": user.id, "year": clock.branch_today().year,
    }  # fmt: skip


def text_of(content: bytes, kind: str) -> list[str]:
    """The texts of an answer, one for each list in it."""
    if kind == "text/html":
        return LIST.split(html.unescape(content.decode()))
    if kind == "application/pdf":
        return ["\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)]
    if kind.endswith("spreadsheetml.sheet"):
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        return [repr(book.get_sheet_by_name(name).to_python()) for name in book.sheet_names]
    if kind == "application/json":
        return list(arrays_in(json.loads(content)))
    return [content.decode()] if kind.startswith("text/") else []


def arrays_in(value: Any) -> Iterator[str]:
    """Each array of a JSON document by itself."""
    if isinstance(value, list):
        yield json.dumps(value, ensure_ascii=False)
    elif isinstance(value, dict):
        for member in value.values():
            yield from arrays_in(member)


def names_in(text: str) -> list[str]:
    """The people whom a text names, masked or not, each once, in the order of the text."""
    shown = {name: name for name in NAMES} | {mask_name(name): name for name in NAMES}
    pattern = re.compile("|".join(re.escape(name) for name in sorted(shown, key=len, reverse=True)))
    return list(dict.fromkeys(shown[match.group()] for match in pattern.finditer(text)))


def test_names_are_masked_apart() -> None:
    assert len({mask_name(name) for name in NAMES}) == len(NAMES)
    assert sorted(NAMES, key=by_sound) != sorted(NAMES)


def test_each_list_of_names_is_in_the_order_of_pinyin(app: Flask, rules: list[Rule], seeded: SeededClass) -> None:
    wrong, met = [], set()
    for rule in rules:
        guard = guard_of(app, rule.endpoint)
        if "GET" not in (rule.methods or ()) or guard is None or rule.endpoint in NEVER_ENDS | ONE_PERSON:
            continue
        for path in paths(app, rule, seeded):
            limiter.reset()
            answer = seeded.browser.get(path, headers=seeded.device if guard.admit else {})
            for text in text_of(answer.data, answer.mimetype) if answer.status_code == 200 else []:
                names = names_in(text)
                if len(names) > 3:
                    met.add(rule.endpoint)
                    parts = 1 + sum(by_sound(name) > by_sound(after) for name, after in pairwise(names))
                    if parts > 1 + (rule.endpoint in IN_TWO_PARTS) and rule.endpoint not in ORDERED_OTHERWISE:
                        wrong.append((rule.endpoint, path, names))
            answer.close()
    assert wrong == []
    assert met >= EXPECTED


def paths(app: Flask, rule: Rule, seeded: SeededClass) -> list[str]:
    """The addresses of a route for both classes, in each format."""
    ways = []
    for arguments in seeded.arguments if rule.arguments else seeded.arguments[:1]:
        values: dict[str, Any] = {}
        for name, converter in rule._converters.items():
            choices = (
                sorted(set(converter.items) - {"parquet"})
                if isinstance(converter, AnyConverter)
                else [arguments.get(name, "1")]
            )
            values[name] = choices
        for combination in product(*values.values()):
            with suppress(BuildError, ValueError):
                path = app.url_map.bind("localhost").build(
                    rule.endpoint, dict(zip(values, combination, strict=True)), method="GET"
                )
                ways.append(path)
    return list(dict.fromkeys(ways))
