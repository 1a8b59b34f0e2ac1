"""Lists as files: within reach, with the filters of the page, masked, audited, and without formulas."""

import csv
import io
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.accounts.models import User
from lms.core.audit import AuditEntry
from lms.core.scope import Role
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]


def rows_of(answer: str) -> list[list[str]]:
    """The rows of a CSV file below its headings."""
    rows = list(csv.reader(io.StringIO(answer.removeprefix("\ufeff"))))
    return rows[rows.index([]) + 2 :]


def test_the_lists_are_exported_as_the_page_shows_them(make: Make, sign_in: SignIn, db: Session) -> None:
    host = make.organisation(1, name_zh="=1+1社区", contact_phone="010-1234")
    make.organisation(1, active=False)
    make.organisation(2)
    instructor = make.instructor("RESCUE", name="+李雷")
    instructor.phone, instructor.email = "+8613812345678", "lilei@example.org"
    make.instructor(district_id=2)
    coordinator = make.user(Role.COORDINATOR, organisation_id=host.id, name="@韩梅梅", phone="+8613912345678")
    db.commit()
    browser = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR))

    organisations = rows_of(browser.get("/organisations/export.csv?lang=en").text)
    assert [row[1:] for row in organisations] == [
        ["'=1+1社区", host.name_en, "Community", "In use", "", "010-1234"],
    ]
    assert len(rows_of(browser.get("/organisations/export.csv?state=inactive").text)) == 1
    instructors = rows_of(browser.get("/instructors/export.csv?lang=en").text)
    assert [row[0] for row in instructors] == ["'+李雷"]
    assert instructors[0][4:] == ["138****5678", "l***@example.org", "no", "yes", "2099-12-31", "", ""]
    users = rows_of(browser.get("/users/export.csv?role=coordinator&lang=en").text)
    assert [row[0] for row in users] == ["'@韩梅梅"]
    assert users[0][2:5] == ["139****5678", f"Coordinator of an organisation · {host.name_en}", "Invited"]
    assert coordinator.email is not None
    assert coordinator.email not in browser.get("/users/export.csv").text

    entries = db.scalars(select(AuditEntry).where(AuditEntry.action == "report.export").order_by(AuditEntry.id)).all()
    assert [entry.subject for entry in entries[:3]] == [
        "report:organisations", "report:organisations", "report:instructors",
    ]  # fmt: skip
    assert entries[1].after == {"format": "csv", "rows": 1, "filters": {"active": False}}
    page = sign_in(make.user(Role.CITY_ADMINISTRATOR)).get("/organisations/?district=2&page=1").text
    assert 'href="/organisations/export.xlsx?district=2"' in page


@pytest.mark.parametrize("area", ["organisations", "instructors", "users"])
def test_a_workbook_is_sent_and_coordinators_get_none(make: Make, sign_in: SignIn, area: str) -> None:
    make.instructor()
    answer = sign_in(make.user(Role.CITY_ADMINISTRATOR)).get(f"/{area}/export.xlsx")
    assert answer.data[:2] == b"PK"
    assert sign_in(make.user(Role.COORDINATOR)).get(f"/{area}/export.xlsx").status_code == 403


def test_the_lists_are_sorted_by_their_columns_and_the_files_follow(make: Make, sign_in: SignIn, db: Session) -> None:
    first = make.organisation(2, name_zh="安定社区", sector="village")
    second = make.organisation(1, name_zh="朝阳社区", sector="school")
    early, late = make.instructor("RESCUE", name="王一"), make.instructor("RESCUE", name="安二", district_id=2)
    early.qualifications[0].valid_until = early.qualifications[0].valid_from
    early.registration_number, late.registration_number = "B", "A"
    db.commit()
    browser = sign_in(make.user(Role.CITY_ADMINISTRATOR, name="安三"))
    make.user(Role.AUDITOR, name="王四")
    db.commit()

    def names(area: str, arguments: str) -> list[str]:
        assert "aria-sort" in browser.get(f"/{area}/?{arguments}").text
        return [row[0] for row in rows_of(browser.get(f"/{area}/export.csv?{arguments}").text)]

    def hosts(arguments: str) -> list[str]:
        browser.get(f"/organisations/?{arguments}")
        rows = rows_of(browser.get(f"/organisations/export.csv?{arguments}").text)
        return [row[1] for row in rows if row[1] in {first.name_zh, second.name_zh}]

    assert hosts("order=name") == ["安定社区", "朝阳社区"]
    assert hosts("order=name&desc=1") == hosts("") == hosts("order=nothing") == ["朝阳社区", "安定社区"]
    assert hosts("order=sector") == ["朝阳社区", "安定社区"]
    assert names("instructors", "order=until") == names("instructors", "order=district") == ["王一", "安二"]
    assert names("instructors", "order=number") == names("instructors", "") == ["安二", "王一"]
    assert names("users", "order=created&desc=1") == names("users", "order=name&desc=1") == ["王四", "安三"]
