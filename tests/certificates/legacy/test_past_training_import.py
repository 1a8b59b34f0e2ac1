"""Numbers that rows of past trainings name can be verified, and go again with the import."""

import csv
import io
from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from certificates import issuing
from certificates.branch import Branch
from certificates.legacy import legacy, matching, past_training_import, reminders
from certificates.legacy.models import LegacyCertificate, Match
from certificates.models import Certificate
from certificates.states import State
from courses.counting import recount
from courses.imports import corrections, runs
from courses.imports.kinds import ImportContext
from courses.imports.past import PAST_TRAININGS
from courses.models.imports import ImportRun, ImportState
from courses.models.trainees import Trainee
from lms.config import Settings
from lms.core.contacts import ContactKind, ContactProof
from lms.core.messages.models import Message
from lms.core.scope import EVERYTHING
from tests.certificates.legacy_files import ID_NUMBER
from tests.factories import Make

FIELDS = ("course", "district", "host", "days", "name", "phone", "id_number", "certificate", "issued_on")


def test_it_is_what_keeps_the_papers_of_past_trainings() -> None:
    assert [type(one) for one in PAST_TRAININGS.certificate_keepers] == [past_training_import.PastTrainingCertificates]


OLD = ("FR-OLD", "东城区", "一号社区")
ROWS = (
    (*OLD, "2015-03-07", "王小明", "", ID_NUMBER, "旧证(2015)第1号", "2015-04-01"),
    (*OLD, "2015-03-07", "李红", "13800138001", "", "", ""),
    (*OLD, "2015-03-07", "赵刚", "13800138002", "", "", ""),
    (*OLD, "2015-05-09", "孙芳", "13800138003", "", "旧证2015-2", ""),
)
LI = (*OLD, "2015-08-01", "李红", "13800138001", "", "旧证（2015）第１号", "")


@pytest.fixture
def catalogue(make: Make, app: Flask) -> None:  # the kinds are registered with the application
    make.new_course(code="FR-OLD", name_zh="救护员旧班", validity_months=36, pass_mark=None)
    make.organisation(1, name_zh="一号社区")


def checked(db: Session, settings: Settings, *rows: tuple[str, ...]) -> ImportRun:
    """A file of past trainings after its dry run."""
    out = io.StringIO()
    csv.writer(out).writerows([FIELDS, *rows])
    import_run = runs.receive(
        db, PAST_TRAININGS, file=io.BytesIO(out.getvalue().encode()), file_name="old.csv", scope=EVERYTHING
    )
    runs.check(db, import_run)
    work(db, import_run, settings)
    return import_run


def moved(db: Session, settings: Settings, run: ImportRun) -> ImportRun:
    runs.start(db, run)
    work(db, run, settings)
    return run


def work(db: Session, run: ImportRun, settings: Settings) -> None:
    for _progress in runs.work(db, run.id, ImportContext(settings.zone, 2)):
        db.commit()


def refusals(db: Session, run: ImportRun) -> list[tuple[int, str]]:
    return [
        (line, message % params if params else message) for line, message, params in corrections.refused_rows(db, run)
    ]


def differences(db: Session) -> list[object]:
    return [one for part in recount.ranges(db) for one in recount.check(db, part)]


@pytest.fixture
def run(db: Session, catalogue: None, settings: Settings) -> ImportRun:
    """Two offerings, each with a number."""
    import_run = checked(db, settings, *ROWS)
    assert db.scalar(select(func.count()).select_from(LegacyCertificate)) == 0, "a dry run"
    return moved(db, settings, import_run)


def test_a_number_of_this_system_keeps_its_row_out(
    db: Session,
    catalogue: None,
    settings: Settings,
    issue: Callable[..., Certificate],
) -> None:
    ours = issue("王小明").number
    apart = (*OLD, "2015-05-09", *ROWS[1][4:])
    import_run = checked(db, settings, apart, (*OLD, "2015-03-07", "王小明", "13800138000", "", ours.lower(), ""))
    assert refusals(db, import_run) == [
        (3, "The certificate number belongs to a certificate issued by this system. Correct it, or leave it empty.")
    ]
    moved(db, settings, import_run)
    assert (import_run.tally["enrolments"], import_run.tally.get("certificates", 0)) == (1, 0)
    assert db.scalar(select(func.count()).select_from(LegacyCertificate)) == 0


@pytest.mark.usefixtures("catalogue")
def test_a_number_that_two_people_have_in_the_file_is_nobodys(db: Session, settings: Settings) -> None:
    """Also where they have one name: the phones say that they are two. A person may name it at both of two offerings."""
    namesake = (*OLD, "2015-05-09", "孙芳", "13800138009", "", "旧证2015-2", "")
    again = (*OLD, "2015-06-06", "周立", "13800138005", "", "旧证2015-3", "")
    import_run = checked(db, settings, *ROWS, LI, namesake, again, (*again[:3], "2015-07-04", *again[4:]))
    twice = "Line %d gives the same certificate number to another person. Correct both lines."
    waits = PAST_TRAININGS.reasons["offering_waits"] % {"line": 2}
    assert refusals(db, import_run) == [
        (2, twice % 6), (3, waits), (4, waits), (5, twice % 7), (6, twice % 2), (7, twice % 5),
    ]  # fmt: skip


@pytest.mark.usefixtures("catalogue")
def test_a_number_that_somebody_else_has_keeps_its_row_out(db: Session, settings: Settings) -> None:
    moved(db, settings, checked(db, settings, ROWS[0]))
    other = (*OLD, "2016-03-05", *LI[4:])
    mine = (*OLD, "2016-04-02", *ROWS[0][4:8], "")
    import_run = checked(db, settings, other, mine)
    taken = (2, "The certificate number already belongs to another person. Correct it, or leave it empty.")
    assert refusals(db, import_run) == [taken]
    [sent] = corrections.rows_to_correct(db, import_run)
    assert sent[1][7] == "旧证（2015）第１号"
    moved(db, settings, import_run)
    assert (import_run.tally["enrolments"], import_run.tally["certificates"]) == (1, 0)
    assert list(db.scalars(select(LegacyCertificate.name))) == ["王小明"]
    assert db.scalar(select(func.count()).select_from(Trainee).where(Trainee.name == "李红")) == 0
    assert differences(db) == []


@pytest.mark.usefixtures("catalogue")
def test_a_number_that_was_given_to_somebody_since_the_dry_run_keeps_its_offering_out(
    db: Session, settings: Settings
) -> None:
    late = checked(db, settings, *ROWS, (*OLD, "2015-09-05", "周立", "13800138005", "", "", ""))
    assert refusals(db, late) == []
    moved(
        db,
        settings,
        checked(db, settings, (*OLD, "2014-01-04", "钱进", "13800138006", "", "旧证2015第1号", "2015-04-01")),
    )
    moved(db, settings, checked(db, settings, (*OLD, "2014-02-08", "钱进", "13800138006", "", "旧证2015-2", "")))
    moved(db, settings, late)
    assert [line for line, _reason in refusals(db, late)] == [2, 3, 4, 5]
    assert (late.tally["offerings"], late.tally["enrolments"], late.tally.get("certificates", 0)) == (1, 1, 0)
    assert set(db.scalars(select(LegacyCertificate.name))) == {"钱进"}
    assert differences(db) == []
    people = ("王小明", "李红", "赵刚", "孙芳", "周立")
    names = select(Trainee.name).where(Trainee.name.in_(people)).order_by(Trainee.id)
    assert list(db.scalars(names)) == ["周立"], "nobody without a training"
    runs.undo(db, late, "错误的文件")
    work(db, late, settings)
    assert (late.state, list(db.scalars(names)), differences(db)) == (ImportState.UNDONE, [], [])


def test_a_number_is_verified_by_name_and_by_id_number(db: Session, run: ImportRun) -> None:
    assert (run.state, run.tally["enrolments"], run.tally["certificates"]) == (ImportState.DONE, 4, 2)
    for proof in ("王小明", ID_NUMBER[-6:]):
        found = legacy.find(db, "旧证2015第1号", proof, today=date(2016, 1, 1))
        assert found is not None
        assert (found.course, found.unit, found.issued_on, found.valid_until, found.state) == (
            "救护员旧班", "东城区红十字会", date(2015, 4, 1), date(2018, 3, 31), State.VALID,
        )  # fmt: skip
    assert legacy.find(db, "旧证2015第1号", "李红", today=date(2016, 1, 1)) is None
    later = legacy.find(db, "旧证2015-2", "孙芳", today=date(2030, 1, 1))
    assert later is not None
    assert (later.issued_on, later.state) == (date(2015, 5, 9), State.EXPIRED)
    assert set(db.scalars(select(LegacyCertificate.source))) == {"old.csv:2", "old.csv:5"}


def test_they_go_with_the_import_except_one_that_was_revoked(db: Session, run: ImportRun, settings: Settings) -> None:
    legacy.revoke(db, "旧证2015-2", "伪造档案")
    runs.undo(db, run, "错误的文件")
    work(db, run, settings)
    assert run.state is ImportState.UNDONE
    [left] = db.scalars(select(LegacyCertificate)).all()
    assert run.notes == [f"#{left.id} 旧证2015-2"]
    assert db.scalar(select(func.count()).select_from(Trainee).where(Trainee.name == "王小明")) == 0


def test_an_import_tells_nobody_and_owes_no_certificate(
    db: Session, run: ImportRun, settings: Settings, branch: Branch
) -> None:
    assert run.state is ImportState.DONE
    assert (issuing.count_owed(db), issuing.issue_owed(db, branch)) == (0, 0)
    while reminders.remind(db, settings.reminder_days, zone=settings.zone):
        pass
    assert db.scalar(select(func.count()).select_from(Message)) == 0


def test_the_person_of_the_row_holds_the_certificate(db: Session, run: ImportRun, settings: Settings) -> None:
    rows = {row.name: row for row in db.scalars(select(LegacyCertificate))}
    assert [rows[name].trainee and rows[name].trainee.name for name in rows] == list(rows)
    assert (rows["王小明"].matched_how, rows["孙芳"].matched_how) == (Match.ID_NUMBER, Match.NAME_AND_PHONE)
    assert rows["孙芳"].certificate_type == 1
    assert (rows["王小明"].phone_sealed, rows["孙芳"].phone_sealed is not None) == (None, True)
    legacy.revoke(db, rows["孙芳"].number, "伪造档案")
    runs.undo(db, run, "错误的文件")
    work(db, run, settings)
    [left] = db.scalars(select(LegacyCertificate)).all()
    db.refresh(left)
    assert (left.name, left.trainee_id, left.matched_how) == ("孙芳", None, None)
    assert db.scalar(select(func.count()).select_from(Trainee).where(Trainee.name == "孙芳")) == 0


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize("proven", [True, False])
def test_a_phone_that_somebody_typed_before_identifies_nobody_until_it_is_proven(
    db: Session, make: Make, settings: Settings, *, proven: bool
) -> None:
    trainee = make.trainee("孙芳", phone="+8613800138003")
    if proven:
        trainee.set_proof(ContactKind.PHONE, ContactProof.CODE)
    db.commit()
    moved(db, settings, checked(db, settings, ROWS[3]))
    [row] = db.scalars(select(LegacyCertificate)).all()
    assert row.trainee_id == (trainee.id if proven else None)
    if not proven:
        trainee.set_proof(ContactKind.PHONE, ContactProof.CODE)
        assert matching.match_people(db, [trainee.id]).by_phone == 1
