"""The page of the public figures, its file and its signed document, for a visitor who is not signed in."""

import hashlib
from datetime import date, datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from certificates.branch import Branch
from certificates.verification import public_figures
from courses.counting import quarters
from courses.counting.quarters import Quarter
from lms.core import clock
from tests.courses.worlds import BEIJING, Plan, World


def test_nothing_is_published_before_a_quarter_is_frozen(client: FlaskClient) -> None:
    assert "尚无" in client.get("/figures?lang=zh").text
    assert client.get("/figures.csv").status_code == 404
    assert client.get(public_figures.PATH).status_code == 404


def test_the_page_shows_a_quarter_and_leads_to_what_proves_it(db: Session, branch: Branch, client: FlaskClient) -> None:
    World(db).close(Plan(date(2025, 1, 10), (3000,), (), False, 1))
    with clock.at(datetime(2025, 8, 5, 12, tzinfo=BEIJING)):
        quarters.freeze(db, Quarter(2025, 1), BEIJING)
        quarters.freeze(db, Quarter(2025, 2), BEIJING)
    public_figures.sign_due(db, branch)
    db.commit()
    page = client.get("/figures?lang=en&quarter=2025Q1").text
    assert "3,000" in page
    assert "3,000" not in client.get("/figures?quarter=2025Q2").text
    file = client.get("/figures.csv")
    assert hashlib.sha256(file.data).hexdigest() in page
    assert file.headers["Cache-Control"] == "public, max-age=300"
    assert client.get("/figures.csv", headers={"If-None-Match": file.headers["ETag"]}).status_code == 304
    assert set(client.get(public_figures.PATH).json or {}) == {"protected", "payload", "signature"}


@pytest.mark.parametrize("query", ["quarter=x", "quarter=2025Q9&programme=OTHER", "programme=RESCUE"])
def test_odd_choices_show_the_latest_quarter(client: FlaskClient, query: str) -> None:
    assert client.get(f"/figures?{query}").status_code == 200
