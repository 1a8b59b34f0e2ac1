"""The ledger finds what was edited, by whomever, and where."""

from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from certificates import ledger
from certificates.models import Certificate


def edit(db: Session, statement: str, *, rows: int = 1) -> None:
    """Edit as somebody with all rights over the database would."""
    db.execute(text("SET LOCAL session_replication_role = replica"))
    assert db.execute(text(statement)).rowcount == rows  # type: ignore[attr-defined]
    db.execute(text("SET LOCAL session_replication_role = origin"))
    db.expire_all()


def faults(db: Session, *, names: bool = False) -> list[str]:
    return [f"{fault.seq}: {fault.what}" for fault in ledger.check(db, names=names)]


@pytest.fixture
def three(issue: Callable[..., Certificate]) -> list[Certificate]:
    return [issue(name) for name in ("张三丰", "李四", "王五")]


def test_an_honest_ledger_is_whole(db: Session, three: list[Certificate]) -> None:
    assert faults(db, names=True) == []


def test_lines_cannot_be_altered_in_passing(db: Session, three: list[Certificate]) -> None:
    for statement in ("UPDATE ledger_entry SET seq = 9 WHERE seq = 1", "DELETE FROM ledger_entry WHERE seq = 1"):
        with pytest.raises(DBAPIError, match="append-only"), db.begin_nested():
            db.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE ledger_entry SET payload_hash = sha256('x') WHERE seq = 2", "2: its hash does not fit its contents"),
        (
            "UPDATE ledger_entry SET hash = sha256(previous_hash || payload_hash || 'x') WHERE seq = 2",
            "3: its previous hash is not the hash of the line before",
        ),
        ("DELETE FROM ledger_entry WHERE seq = 2", "3: line 2 is missing before it"),
        ("DELETE FROM ledger_entry WHERE seq = 3", "None: the certificate has no line in the ledger"),
        ("UPDATE certificate SET unit = 9 WHERE id = (SELECT min(id) FROM certificate)", "1: its unit is 9"),
        (
            "UPDATE certificate SET valid_until = '2090-01-01' WHERE id = (SELECT min(id) FROM certificate)",
            "1: its valid_until is 2090-01-01",
        ),
        (
            "UPDATE certificate SET payload = set_byte(payload, 81, (get_byte(payload, 81) + 1) % 256)"
            " WHERE id = (SELECT min(id) FROM certificate)",
            "1: the signature of its code is wrong",
        ),
    ],
)
def test_an_edited_row_is_found(db: Session, three: list[Certificate], statement: str, found: str) -> None:
    edit(db, statement)
    assert any(fault.startswith(found) for fault in faults(db))


NEW = "WHERE id = (SELECT min(id) + 1 FROM certificate)"


@pytest.mark.parametrize(
    "assignment",
    [
        "serial = serial + 1000", "number = 'BJ-FR-2026-9999999-X'", "holder_name = '李八'", "certificate_type = 9",
        "unit = 9", "issued_on = issued_on - 1", "valid_until = valid_until + 1", "valid_until = NULL",
        "payload = set_byte(payload, 20, (get_byte(payload, 20) + 1) % 256)", "issued_at = issued_at - interval '1 day'",
        "facts = facts || '{\"hours\": \"160.0\"}'", "facts = facts - 'unit_zh'",
        "enrolment_id = (SELECT min(enrolment_id) FROM certificate) + 0 * id", "key_number = 7",
        "id = id + 1000",
    ],
)  # fmt: skip
def test_each_column_of_a_certificate_is_bound(db: Session, three: list[Certificate], assignment: str) -> None:
    if assignment.startswith("enrolment_id"):
        edit(db, "DROP INDEX uq_certificate_enrolment", rows=-1)
    edit(db, f"UPDATE certificate SET {assignment} {NEW}")
    assert [fault for fault in faults(db) if fault.startswith("2: ")]


@pytest.mark.parametrize(
    "assignment",
    [
        "seq = 20", "certificate_id = (SELECT max(id) + 1 FROM certificate)", "payload_hash = sha256('x')",
        "previous_hash = sha256('x')", "hash = sha256('x')", "recorded_at = recorded_at - interval '1 microsecond'",
    ],
)  # fmt: skip
def test_each_column_of_a_line_is_bound(db: Session, three: list[Certificate], assignment: str) -> None:
    edit(db, f"UPDATE ledger_entry SET {assignment} WHERE seq = 2")
    assert faults(db)


def test_a_name_is_held_against_its_tag_too_when_asked(db: Session, three: list[Certificate]) -> None:
    edit(db, "UPDATE certificate SET holder_name = '李八' WHERE holder_name = '李四'")
    assert "2: its holder's name is not the one that was signed" in faults(db, names=True)
    assert "2: its holder's name is not the one that was signed" not in faults(db)


def test_more_lines_than_are_read_at_once(
    db: Session, three: list[Certificate], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "_BATCH", 2)
    assert faults(db) == []
    edit(db, "UPDATE certificate SET unit = 9 WHERE id = (SELECT max(id) FROM certificate)")
    assert [fault[:3] for fault in faults(db)] == ["3: "]
