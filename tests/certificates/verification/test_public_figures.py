"""The public figures: signed, the same in the file, and of the frozen quarters alone."""

import csv
import hashlib
import io
from datetime import date, datetime

from sqlalchemy.orm import Session

from certificates.branch import Branch
from certificates.keys import issuer_keys, jws
from certificates.models import StatusList
from certificates.verification import public_figures
from courses.counting import quarters
from courses.counting.quarters import Quarter
from courses.models.enrolment import EnrolmentState
from lms.core import clock
from tests.courses.worlds import BEIJING, Person, Plan, Presence, World

PAIR = (
    Person(1, EnrolmentState.COMPLETED, (Presence(0, 0, None),)),
    Person(2, EnrolmentState.FAILED, (Presence(0, 0, None),)),
)


def published(db: Session) -> str:
    stored = db.get(StatusList, (public_figures.PURPOSE, 0))
    assert stored is not None
    return stored.document


def test_a_stranger_recounts_and_verifies_what_the_frozen_quarters_published(db: Session, branch: Branch) -> None:
    world = World(db)
    world.close(Plan(date(2025, 1, 10), (30,), PAIR, False, 1))
    world.close(Plan(date(2025, 2, 10), (5,), PAIR[:1], False, 2, "RESCUE"))
    world.close(Plan(date(2025, 5, 10), (9,), (), False, 2))
    with clock.at(datetime(2025, 8, 5, 12, tzinfo=BEIJING)):
        quarters.freeze(db, Quarter(2025, 1), BEIJING)
        assert public_figures.sign_due(db, branch)
        assert not public_figures.sign_due(db, branch)
        quarters.freeze(db, Quarter(2025, 2), BEIJING)
        assert public_figures.sign_due(db, branch)
        document = published(db)
        keys = {key.kid: key.public_key for key in issuer_keys.public_keys(db)}
        claims = jws.read(document, keys).claims
    figures = public_figures.read(document)
    content = figures.csv()
    assert hashlib.sha256(content).hexdigest() == claims["csvSha256"]
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert {row["quarter"] for row in rows} == {"2025Q2", "2025Q1"}
    first = [row for row in rows if row["quarter"] == "2025Q1"]
    parts = [row for row in first if row["programme"] != "*" and row["district"] != "*"]
    [whole] = [row for row in first if row["programme"] == row["district"] == "*"]
    for name in ("person_times", "named", "counted", "minutes", "certificates", "offerings"):
        assert sum(int(row[name]) for row in parts) == int(whole[name])
    assert (whole["person_times"], whole["people"]) == ("38", "2")
    assert "passed" not in rows[0]  # of a class of one it would tell a person's result
    assert "enrolled" not in rows[0]
