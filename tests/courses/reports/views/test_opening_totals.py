"""Totals from before the system on the report: apart from the rows, added in above, on the page and in its files."""

from collections.abc import Callable
from datetime import date

import pypdfium2
import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from lms.accounts.models import User
from lms.config import Settings
from lms.core.scope import Role
from tests.courses.imports.files_of import Importer
from tests.courses.reports.views.test_enrolment import cells, text_of
from tests.courses.worlds import Plan, World
from tests.factories import Make

YEAR = "since=2025-01-01&until=2025-12-31&grouping=month&lang=en"
KEPT = (
    {"month": "2025-01", "district": "东城区", "programme": "RESCUE", "person_times": "1000", "source": "旧账"},
    {
        "month": "2025-02",
        "district": "西城区",
        "programme": "RESCUE",
        "person_times": "500",
        "certificates": "30",
        "source": "旧账",
    },
)


@pytest.fixture
def reader(
    db: Session, make: Make, sign_in: Callable[[User], FlaskClient], settings: Settings
) -> Callable[..., FlaskClient]:
    """Signs somebody in who reads of a talk of 300 in Dongcheng and of 1,500 person-times from before."""
    World(db).close(Plan(date(2025, 3, 1), (300,), (), False, 1, "RESCUE"))
    Importer(db, settings, "opening_balances").done(KEPT)
    db.commit()
    return lambda *roles, **facts: sign_in(make.user(*roles, **facts))


def test_the_page_shows_them_apart_and_added_in(reader: Callable[..., FlaskClient]) -> None:
    page = text_of(reader(Role.AUDITOR), f"/reports/enrolment?{YEAR}")
    rows = {row[0]: row[1] for row in cells(page)}
    assert (
        rows["2025-03"],
        rows["Total"],
        rows["Before this system"],
        rows["Total, including before this system"],
    ) == (
        "300",
        "300",
        "1,500",
        "1,800",
    )
    assert 'class="report-figure">1,800<' in page
    assert 'class="report-figure">30<' in page
    assert "+ 1,500 from before this system" in page
    assert "/reports/opening-balances/" in page


def test_a_district_reads_its_own_and_not_their_sources(reader: Callable[..., FlaskClient]) -> None:
    page = text_of(reader(Role.DISTRICT_ADMINISTRATOR, district_id=1), f"/reports/enrolment?{YEAR}")
    assert "+ 1,000 from before this system" in page
    assert "/reports/opening-balances/" not in page


def test_files_and_paper_say_both(reader: Callable[..., FlaskClient]) -> None:
    browser = reader(Role.CITY_ADMINISTRATOR)
    sheet = browser.get(f"/reports/enrolment/export/csv?{YEAR}").data.decode("utf-8-sig")
    paper = pypdfium2.PdfDocument(browser.get(f"/reports/enrolment.pdf?{YEAR}").data)
    for text in (sheet, "".join(page.get_textpage().get_text_bounded() for page in paper)):
        assert "Person-times: 1,500" in text
        assert "Person-times: 1,800" in text
