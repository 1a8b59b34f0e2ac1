"""The overview: each number leads to a list of exactly so many rows, within the reach of the role, in few statements."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from html import unescape
from uuid import uuid4
from xml.etree import ElementTree

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete
from sqlalchemy.orm import Session

from certificates.verification import alarms
from courses.attendance import recording
from courses.attendance.check_ins import AttendanceInput
from courses.counting import targets
from courses.models.closing_requests import ClosingRequest
from courses.models.enrolment import EnrolmentState
from courses.models.exports import Export, ExportKind, ExportProgress, ExportState, PersonalData
from courses.models.imports import ImportRun, ImportState
from courses.models.name_writings import HOLDER, MissingGlyphs
from courses.models.offerings import OfferingState
from courses.models.privacy import ErasureRequest
from courses.models.proposals import Proposal
from courses.models.targets import Target
from instructors.models import Qualification
from lms.accounts.models import User
from lms.core import audit, clock
from lms.core.exports import Format
from lms.core.messages import owing
from lms.core.messages.owing import Purpose, Recipient
from lms.core.scope import Role
from lms.organisations.models import Organisation
from lms.portal.home import LISTS
from lms.portal.labels import SENTENCES, TITLES
from lms.portal.needs import Need
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
PURPOSE = Purpose("test_overview", "Message")

# By need, what each row of its list has once.
ROWS = {
    Need.ALARMS: r'<li class="list-group-item|<tr>\s*<t[dh]',
    Need.UNCLOSED: r'class="fw-bold" href="/offerings/',
    Need.CLOSINGS: r'class="fw-bold" href="/offerings/',
    Need.REVIEWS: r'<h3 class="h6 mb-1">',
    Need.UNPRINTABLE: r'<li class="list-group-item',
    Need.TO_CALL: r'action="/messages/to-call/\d+"',
    Need.TRAINING_REQUESTS: r'href="/offerings/requested/\d+"',
    Need.PROPOSALS: r'href="/trainees/proposals/\d+"',
    Need.ERASURES: r'<tr>\s*<th scope="row">',
    Need.TARGETS: r'<tr>\s*<th scope="row">',
    Need.QUALIFICATIONS: r'href="/instructors/\d+"',
    Need.IMPORTS: r'class="import-name"',
    Need.EXPORTS: r'<h2 class="h5"><a href="/reports/exports/',
}


def fill(db: Session, make: Make, host: Organisation, times: int) -> None:
    """Give a district everything that can wait, `times` over; the drafts, closed and decided rows beside are no needs."""
    now, long_ago = clock.now(), clock.now() - timedelta(days=4)
    staff = make.user(Role.COORDINATOR, organisation_id=host.id)
    for _ in range(times):
        late = make.offering(organisation=host, starts=[long_ago])
        closing = make.offering(organisation=host, starts=[now - timedelta(hours=9)])
        db.add(
            ClosingRequest(
                id=uuid4(), course_session_id=closing.sessions[0].id, user_id=staff.id, told_at=now, happened_at=now,
                foreseen={"last": True, "present": 0, "certified": 0, "missing": {}},
            )
        )  # fmt: skip
        make.offering(organisation=host, starts=[long_ago], state=OfferingState.DRAFT)
        recording.record_all(
            db, [AttendanceInput(uuid4(), closing.sessions[0].id, ticket=f"of-nobody-{uuid4()}")], user_id=None, now=now
        )
        for due in (True, False):
            enrolment = make.enrolment(late, make.trainee(district_id=host.district_id))
            if due:
                enrolment.state, enrolment.certificate_due = EnrolmentState.COMPLETED, True
            db.add(MissingGlyphs(enrolment_id=enrolment.id, lacking={HOLDER: ["〇"]}))
        trainee = make.trainee(district_id=host.district_id)
        unreached = Recipient(
            f"trainee:{trainee.id}", trainee.name, (), district_id=host.district_id, organisation_id=host.id
        )
        owing.owe(db, PURPOSE, unreached, subject="", text="")
        make.training_request(district_id=host.district_id)
        proposal = Proposal(trainee_id=trainee.id, reason="错字", proposed_by=staff.id)
        proposal.set_values({"name": trainee.name}, {"name": "新名"})
        db.add_all([proposal, ErasureRequest(trainee_id=trainee.id)])
        ending, renewed = (make.instructor("RESCUE", district_id=host.district_id) for _ in range(2))
        for instructor in (ending, renewed):
            instructor.qualifications[0].valid_until = clock.branch_today() + timedelta(days=90)
        renewed.qualifications.append(
            Qualification(programme_code="RESCUE", valid_from=date(2090, 1, 1), valid_until=date(2095, 1, 1))
        )
        db.flush()
    targets.save(db, clock.branch_today().year, {("RESCUE", host.district_id): 1000 * times}, {})
    db.flush()


def own(db: Session, user: User) -> None:
    """Give a user an import with refused rows, one that is all right, a failed export and one that has expired."""
    for tally in ({"new": 5, "refused": 2}, {"new": 5, "refused": 0}, {}):
        db.add(
            ImportRun(
                kind="organisations", user_id=user.id, file_name="名单.csv", file_bytes=1, encoding="utf-8", head_line=1,
                sheet_name="", headings=[], mapping={}, tally=tally, notes=[], district_ids=None, state=ImportState.DONE,
            )
        )  # fmt: skip
    for state, days in ((ExportState.FAILED, 1), (ExportState.FAILED, -1), (ExportState.WAITING, 1)):
        db.add(
            Export(
                user_id=user.id, kind=ExportKind.OFFERINGS, format=Format.CSV, personal=PersonalData.NONE, state=state,
                question={"since": "2026-01-01", "until": "2026-12-31"}, head={"asked": []}, district_ids=[], rows=1,
                expires_at=clock.now() + timedelta(days=days), progress=ExportProgress(),
            )
        )  # fmt: skip
    db.flush()


@pytest.fixture
def hosts(db: Session, make: Make) -> tuple[Organisation, Organisation]:
    """A host of district 1 with two of each need, and one of district 2 with one of each; and an alarm."""
    db.execute(delete(Target))
    first, second = make.organisation(1), make.organisation(2)
    fill(db, make, first, 2)
    fill(db, make, second, 1)
    audit.record(db, alarms.ACTION, "payload:00", after={"key": 1})
    db.commit()
    return first, second


def numbers_of(page: str) -> dict[str, int]:
    """The addresses of the lists and the numbers beside them."""
    found = re.findall(r'class="need[^"]*" href="([^"]+)"><span class="need-number">([\d,]+)</span>', page)
    return {unescape(address): int(number.replace(",", "")) for address, number in found}


CITY = {
    Need.ALARMS: 1, Need.UNCLOSED: 3, Need.CLOSINGS: 3, Need.REVIEWS: 3, Need.UNPRINTABLE: 3, Need.TO_CALL: 3,
    Need.TRAINING_REQUESTS: 3, Need.PROPOSALS: 3, Need.ERASURES: 3, Need.TARGETS: 2, Need.QUALIFICATIONS: 3,
    Need.IMPORTS: 1, Need.EXPORTS: 1,
}  # fmt: skip
DISTRICT = {
    need: min(number, 2 if need is not Need.TARGETS else 1)
    for need, number in CITY.items()
    if need not in {Need.ALARMS, Need.ERASURES}
}
AUDITOR = {
    need: number
    for need, number in CITY.items()
    if need not in {Need.TO_CALL, Need.TRAINING_REQUESTS, Need.PROPOSALS, Need.IMPORTS}
}
HOST = {need: 2 for need in (Need.UNCLOSED, Need.CLOSINGS, Need.REVIEWS, Need.UNPRINTABLE, Need.TO_CALL)} | {
    Need.EXPORTS: 1
}


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (Role.CITY_ADMINISTRATOR, CITY),
        (Role.DISTRICT_ADMINISTRATOR, DISTRICT),
        (Role.AUDITOR, AUDITOR),
        (Role.COORDINATOR, HOST),
    ],
)
def test_each_number_leads_to_a_list_of_so_many_rows(  # noqa: PLR0917  # fixtures, each by name
    app: Flask,
    db: Session,
    make: Make,
    sign_in: SignIn,
    hosts: tuple[Organisation, Organisation],
    role: Role,
    expected: dict[Need, int],
) -> None:
    user = make.user(role, organisation_id=hosts[0].id)
    own(db, user)
    browser = sign_in(user)
    numbers = numbers_of(browser.get("/?lang=en").text)
    with app.test_request_context():
        starts = {need: app.url_map.bind("localhost").build(place.endpoint, {"year": clock.branch_today().year} if
                  need is Need.TARGETS else {}) for need, place in LISTS.items()}  # fmt: skip
    seen = {}
    for need in expected:
        arguments = [f"{name}={value}" for name, value in LISTS[need].arguments.items()]
        [address] = [
            address for address in numbers
            if address.partition("?")[0] == starts[need] and all(argument in address for argument in arguments)
            and (need is not Need.UNCLOSED or "requested" not in address)
        ]  # fmt: skip
        page = browser.get(address)
        assert page.status_code == 200
        seen[need] = (numbers.pop(address), len(re.findall(ROWS[need], page.text)))
    assert seen == {need: (number, number) for need, number in expected.items()}
    assert numbers == {}


def test_nothing_to_do_is_said_and_the_page_needs_few_statements(
    db: Session, make: Make, sign_in: SignIn, statements: list[str]
) -> None:
    db.execute(delete(Target))
    browser = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    browser.get("/")
    statements.clear()
    page = browser.get("/?lang=en").text
    assert len(statements) <= 16
    assert "Nothing waits for anybody." in page
    assert all(str(title) in unescape(page) for title in TITLES.values())
    assert "Nothing was counted in the same days of last year." in page
    assert "By district" in page
    assert "/overview/months.svg" not in page
    for name in ("months", "districts"):
        picture = browser.get(f"/overview/{name}.svg?narrow=1")
        assert picture.status_code == 200
        assert ElementTree.fromstring(picture.data).tag.endswith("svg")


def test_every_need_has_its_texts_and_its_list() -> None:
    assert set(TITLES) == set(SENTENCES) == set(LISTS) == set(Need) == set(ROWS)


def test_a_qualification_that_was_renewed_does_not_end(db: Session, make: Make, sign_in: SignIn) -> None:
    instructor = make.instructor("RESCUE")
    instructor.qualifications[0].valid_until = clock.branch_today() + timedelta(days=91)
    db.commit()
    assert "/instructors/?validity=expiring" not in sign_in(make.user(Role.AUDITOR)).get("/").text
