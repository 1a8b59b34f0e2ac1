"""`flask import`: the dry run with its file to correct, then on, stopped, taken back, listed and erased."""

import csv
import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.imports import runs
from courses.models.imports import ImportRun, ImportState
from lms.organisations.models import Organisation
from tests.courses.imports.past_files import FIELDS, HEADINGS, PastWorld
from tests.courses.imports.workbooks import workbook

LIST = "名称,区,领域\n第五小学,东城区,学校\n第六小学,天津,学校\n第七小学,东城区,学校\n"


class Terminal:
    """A terminal: runs the command and keeps its output."""

    def __init__(self, app: Flask, db: Session) -> None:
        self._app, self._db = app, db
        self.code = 0

    def __call__(self, *args: str) -> str:
        done = self._app.test_cli_runner().invoke(args=["import", *args])
        self.code = done.exit_code
        self._db.expire_all()
        return str(done.output)


@pytest.fixture
def terminal(app: Flask, db: Session) -> Terminal:
    return Terminal(app, db)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "organisations.csv"
    path.write_text(LIST, encoding="gb18030")
    return path


def number(output: str) -> str:
    match = re.search(r"Import (\d+):", output)
    assert match is not None
    return match[1]


def schools(db: Session) -> int:
    return db.scalar(select(func.count()).select_from(Organisation).where(Organisation.name_zh.like("第_小学"))) or 0


def test_a_field_without_a_column_is_named(terminal: Terminal, db: Session, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("单位,所属区\n第五小学,东城区\n")
    output = terminal("run", "organisations", str(path))
    assert (terminal.code, "sector (sector)" in output, "--mapping" in output) == (1, True, True)
    assert db.scalar(select(func.count()).select_from(ImportRun)) == 0


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_dry_run_writes_the_rows_to_correct_and_nothing_else(
    terminal: Terminal, db: Session, file: Path, tmp_path: Path, form: str
) -> None:
    errors = tmp_path / f"errors.{form}"
    output = terminal("run", "organisations", str(file), "--dry-run", "--errors", str(errors))
    assert f"Rows to correct: 1, in {errors}" in output
    assert schools(db) == 0
    if form == "csv":
        rows = list(csv.reader(errors.read_text(encoding="utf-8-sig").splitlines()))
        assert rows[-1] == ["第六小学", "天津", "学校", "3", "There is no district “天津”."]
    else:
        assert errors.read_bytes().startswith(b"PK")
    assert "must end with .csv or .xlsx" in terminal("run", "organisations", str(file), "--errors", "errors.pdf")


def test_what_was_checked_goes_on_and_is_taken_back(terminal: Terminal, db: Session, file: Path) -> None:
    run_id = number(terminal("run", "organisations", str(file), "--dry-run"))
    assert "done (new 2" in terminal("resume", run_id, "--chunk", "1")
    assert schools(db) == 2
    assert "done" in terminal("list")
    assert "undone" in terminal("undo", run_id, "--reason", "错了")
    assert schools(db) == 0
    assert "Imports erased: 0" in terminal("erase")
    output = terminal("undo", run_id, "--reason", "再来一次")
    assert (terminal.code, "another step" in output) == (1, True)


def test_a_stop_is_kept_until_it_is_resumed(terminal: Terminal, db: Session, file: Path) -> None:
    run_id = number(terminal("run", "organisations", str(file), "--dry-run"))
    run = runs.by_id(db, int(run_id))
    runs.start(db, run)
    db.commit()
    terminal("stop", run_id)
    assert "stopped" in terminal("resume", run_id)  # what was asked for before comes first
    assert schools(db) == 0
    assert "done" in terminal("resume", run_id)
    assert schools(db) == 2
    assert db.scalars(select(ImportRun.state)).one() is ImportState.DONE


def test_an_import_that_nobody_knows_is_said_to_be_none(terminal: Terminal) -> None:
    assert "This page does not exist" in terminal("resume", "4711")
    assert terminal.code == 1


def test_a_sheet_is_named_where_several_could_be_meant_and_what_is_not_read_is_said(
    terminal: Terminal, db: Session, tmp_path: Path
) -> None:
    path = tmp_path / "a.xlsx"
    head = ("名称", "区", "领域", "联系人")
    path.write_bytes(
        workbook(
            {"东城": (head, ("甲小学", "东城区", "学校", "王一")), "西城": (head, ("乙小学", "西城区", "学校", "王二"))}
        )
    )
    output = terminal("run", "organisations", str(path), "--dry-run")
    assert (terminal.code, "--sheet" in output, "“东城”, “西城”" in output) == (1, True, True)
    assert db.scalar(select(func.count()).select_from(ImportRun)) == 0
    output = terminal("run", "organisations", str(path), "--sheet", "西城")
    assert terminal.code == 0
    assert "Sheet: 西城\n" in output
    assert "Not read, other sheets: 东城\n" in output
    assert "Not read, columns without a field: 联系人\n" in output
    assert db.scalar(select(Organisation.district_id).where(Organisation.name_zh == "乙小学")) == 2
    assert "no sheet" in terminal("run", "organisations", str(path), "--sheet", "南城")


def test_values_of_attendance_are_listed_and_get_a_meaning(
    terminal: Terminal, db: Session, tmp_path: Path, world: PastWorld
) -> None:
    path = tmp_path / "a.csv"
    rows = [world.row(name="学员一", present="迟到"), world.row(name="学员二", phone="13800138001", present="√")]
    path.write_text("\n".join([",".join(HEADINGS), *(",".join(row.get(name, "") for name in FIELDS) for row in rows)]))
    output = terminal("run", "past", str(path), "--dry-run")
    assert "Attendance “迟到”: 1 rows, not understood" in output
    assert "Attendance “√”: 1 rows, all" in output
    assert "line 2: " in output
    assert "  line 3 wait for this" in output
    assert "a value means all or none" in terminal("run", "past", str(path), "--meaning", "迟到=maybe")
    output = terminal("run", "past", str(path), "--dry-run", "--meaning", "迟到=all")
    assert "checked (new 2" in output
