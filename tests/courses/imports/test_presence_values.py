"""The counted values of a column of presence: by value, over the whole file or its first rows, with their meaning."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.imports import presence_values
from courses.imports.past_rows import COLUMNS
from courses.models.imports import ImportPiece, ImportRun
from tests.courses.imports.past_files import PastWorld

PRESENT = [column.name for column in COLUMNS].index("present")


def received(world: PastWorld, values: list[str]) -> ImportRun:
    return world.receive([world.row(name=f"学员{at}", present=value) for at, value in enumerate(values)])


def counted(db: Session, run: ImportRun, at: int = PRESENT) -> list[tuple[str, int, str | None]]:
    column = presence_values.of_column(db, run, at)
    assert column is not None
    assert column.values is not None
    return [(value.text, value.number, value.meaning) for value in column.values]


def test_values_are_counted_with_their_meaning_those_that_are_not_understood_first(
    world: PastWorld, db: Session
) -> None:
    run = received(world, ["√", "迟到", " √", "×", "1;2", "全勤", "迟到", "迟到"])
    assert counted(db, run) == [
        ("迟到", 3, None),
        ("√", 2, "all"),
        ("×", 1, "none"),
        ("1;2", 1, "1;2"),
        ("全勤", 1, "all"),
    ]


def test_an_empty_cell_is_a_line_of_its_own_and_is_open_beside_marks(world: PastWorld, db: Session) -> None:
    assert counted(db, received(world, ["√", "", "NULL"])) == [("", 2, None), ("√", 1, "all")]
    assert counted(db, received(world, ["1", "", ""])) == [("", 2, "all"), ("1", 1, "1")]
    assert counted(db, received(world, ["", ""])) == [("", 2, "all")]


def test_a_column_with_many_different_values_is_not_kept(
    world: PastWorld, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence_values, "DISTINCT_MOST", 3)
    run = received(world, ["√"] * 5)
    name = [column.name for column in COLUMNS].index("name")
    column = presence_values.of_column(db, run, name)
    assert column == presence_values.ColumnValues(5, True, None)
    assert counted(db, run) == [("√", 5, "all")]
    assert counted(db, run, 99) == [("", 5, "all")]  # a column that no row reaches


def test_a_long_file_is_counted_over_its_first_rows(
    world: PastWorld, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence_values, "ROWS_COUNTED", 2)
    column = presence_values.of_column(db, received(world, ["√", "×", "迟到"]), PRESENT)
    assert column is not None
    assert (column.rows, column.whole, [value.text for value in column.values or []]) == (2, False, ["√", "×"])


def test_a_long_cell_is_cut_and_counted_apart(world: PastWorld, db: Session) -> None:
    run = received(world, ["长" * 61, "√"])
    assert counted(db, run)[0] == ("长" * 60 + "…", 1, None)


def test_the_counts_are_sealed_and_end_with_the_file(world: PastWorld, db: Session) -> None:
    run = received(world, ["旷工两天"])
    piece = db.scalars(select(ImportPiece).where(ImportPiece.run_id == run.id, ImportPiece.number == -3)).one()
    assert "旷工".encode() not in piece.content
    db.delete(piece)
    db.flush()
    assert presence_values.of_column(db, run, PRESENT) is None


def test_a_form_gives_meanings_by_key_and_an_empty_one_takes_back() -> None:
    values = [presence_values.Value(text, 1, None) for text in ("迟到", "早退", "√")]
    chosen = {values[0].digest: "all", values[1].digest: "", "0" * 16: "none"}
    assert presence_values.meanings(values, chosen) == {"迟到": "all", "早退": ""}
