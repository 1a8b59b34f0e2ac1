"""Numbers of transactions in the tables of record. What a restore needs is in tests/certificates/records/test_sealing.py."""

from sqlalchemy import select, text
from sqlalchemy.orm import Session

import lms.schema  # noqa: F401 - all tables of record
from lms.core import audit, records
from lms.core.audit import AuditEntry


def test_a_row_bears_the_number_of_its_transaction(db: Session) -> None:
    audit.record(db, "test.act", "test:1")
    db.flush()
    number = AuditEntry.__table__.c[records.NUMBER]
    assert db.scalars(select(number)).all() == [db.scalar(text("SELECT pg_current_xact_id()::text::bigint"))]


def test_the_number_is_no_attribute_of_the_model() -> None:
    assert records.NUMBER not in AuditEntry.__mapper__.attrs


def test_each_table_is_known_with_its_key_and_moment() -> None:
    assert {(table.name, table.key, table.moment, table.has_uuid) for table in records.registered()} == {
        ("attendance_decision", "event_id", "decided_at", True),
        ("attendance_event", "id", "received_at", True),
        ("audit_entry", "id", "at", False),
        ("frozen_figures", "id", "frozen_at", False),
        ("ledger_entry", "seq", "recorded_at", False),
        ("person_time_entry", "id", "recorded_at", False),
        ("session_event", "id", "received_at", True),
        ("retest_event", "id", "received_at", True),
        ("skill_event", "id", "received_at", True),
        ("theory_event", "id", "received_at", True),
    }


def test_numbers_of_a_server_that_went_on_are_left_alone(fresh_database: str) -> None:
    assert not records.continue_numbers(fresh_database)
