"""Statements by name, and planner settings that end with their block."""

import re
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from courses.imports import statements

SETTINGS = ("enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin", "enable_nestloop")
FOLDER = Path(statements.__file__).parent


def settings_of(db: Session) -> dict[str, str]:
    return {name: str(db.scalar(text(f"SHOW {name}"))) for name in (*SETTINGS, "join_collapse_limit")}


@pytest.mark.parametrize(
    ("plan", "off", "joins"),
    [
        (statements.index_scans, {"enable_seqscan", "enable_bitmapscan"}, "8"),
        (
            statements.joins_in_order,
            {"enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin"},
            "1",
        ),
        (statements.hash_joins, {"enable_seqscan", "enable_nestloop"}, "8"),
    ],
)
def test_planner_settings_hold_within_their_block_alone(db: Session, plan: object, off: set[str], joins: str) -> None:
    before = settings_of(db)
    assert callable(plan)
    with plan(db):
        within = settings_of(db)
    assert {name for name in SETTINGS if within[name] == "off"} == off
    assert within["join_collapse_limit"] == joins
    assert settings_of(db) == before


def test_a_statement_takes_those_of_the_values_that_it_names(db: Session) -> None:
    result = statements.execute(db, "past_undo.sql", "forget_people", run=0, first=0, last=9, now=None, user=None)
    assert tuple(result.one()) == (0, 0)


@pytest.mark.parametrize("file", ["past.sql", "past_undo.sql"])
def test_each_statement_of_a_file_has_a_name_of_its_own_and_is_used(file: str) -> None:
    names = re.findall(r"^-- name: (\w+)$", (FOLDER / file).read_text(encoding="utf-8"), re.MULTILINE)
    assert len(names) == len(set(names))
    code = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("past*.py"))
    unused = {name for name in names if f'"{name}"' not in code and f'"{name.removeprefix("write_")}"' not in code}
    assert unused == set()
