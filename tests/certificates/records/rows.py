"""Rows of every table of record, written by SQL and past all constraints, as the owner of the database could."""

from sqlalchemy import Connection, text

WRITES = {
    "audit_entry": "(at, user_id, action, subject, before, after, reason) SELECT now(), n, 'test.act', 'subject:' || n,"
    " CASE WHEN n % 2 = 0 THEN jsonb_build_object('name', '张' || n) END, '{\"b\": [1, null], \"a\": \"x\\ty\"}',"
    " CASE WHEN n % 3 = 0 THEN E'two\\nlines \\\\ and\\ttabs' END",
    "attendance_event": "(id, course_session_id, enrolment_id, kind, method, happened_at, received_at, user_id, reason,"
    " ticket, answer) SELECT gen_random_uuid(), 1, n, 'arrive', 'tap', now(), now(), n, NULL, 'ticket ' || n,"
    " jsonb_build_object('n', n)",
    "attendance_decision": "(event_id, decision, enrolment_id, reason, user_id, decided_at)"
    " SELECT gen_random_uuid(), 'accept', n, CASE WHEN n % 2 = 0 THEN 'reason' END, n, now()",
    "session_event": "(id, course_session_id, user_id, kind, number, happened_at, received_at, answer)"
    " SELECT gen_random_uuid(), 1, n, 'headcount', n, now(), now(), jsonb_build_object('n', n)",
    "skill_event": "(id, course_session_id, enrolment_id, skill_id, attempt, passed, happened_at, received_at, user_id)"
    " SELECT gen_random_uuid(), 1, n, n, 1, n % 2 = 0, now(), now(), n",
    "theory_event": "(id, course_session_id, enrolment_id, attempt, score, happened_at, received_at, user_id)"
    " SELECT gen_random_uuid(), 1, n, 1, n % 101, now(), now(), n",
    "retest_event": "(id, course_session_id, enrolment_id, attempt, happened_at, received_at, user_id)"
    " SELECT gen_random_uuid(), 1, n, 2, now(), now(), n",
    "person_time_entry": "(offering_id, kind, dated_on, recorded_at, enrolled, named, counted, minutes, passed,"
    " certificates) SELECT n, 'closing', (now() AT TIME ZONE 'Asia/Shanghai')::date, now(), n, n, 0, n, n, 0",
    "frozen_figures": "(year, quarter, month, programme_code, district_id, frozen_at, offerings, enrolled, named, counted,"
    " refresher, minutes, passed, certificates, adjusted, people) SELECT 2017, 4, 0, 'P' || n, 0, now(), n, n, n, 0, 0, n, n,"
    " n, 0, n",
    "ledger_entry": "(seq, certificate_id, payload_hash, previous_hash, hash, recorded_at) SELECT n, n,"
    " sha256(('p' || n)::bytea), sha256(('v' || n)::bytea), sha256(('h' || n)::bytea), now()",
}


def write(connection: Connection, first: int, last: int) -> None:
    """Write a row for each number into each table; references need not exist."""
    connection.execute(text("SET LOCAL session_replication_role = replica"))
    for table, statement in WRITES.items():
        connection.execute(
            text(f"INSERT INTO {table} {statement} FROM generate_series(CAST(:first AS bigint), :last) AS n"),
            {"first": first, "last": last},
        )
    connection.execute(text("SET LOCAL session_replication_role = origin"))


def disarm(connection: Connection) -> None:
    """Take away all constraints but the primary keys, and the triggers: the owner of the tables can."""
    for table in (*WRITES, "record_block"):
        names = connection.scalars(
            text(
                "SELECT conname FROM pg_constraint WHERE conrelid = to_regclass(:table) AND contype IN ('c', 'u', 'f')"
            ),
            {"table": table},
        ).all()
        for name in names:
            connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))
        unique = connection.scalars(
            text(
                "SELECT indexrelid::regclass::text FROM pg_index"
                " WHERE indrelid = to_regclass(:table) AND indisunique AND NOT indisprimary"
            ),
            {"table": table},
        ).all()
        for name in unique:
            connection.execute(text(f"DROP INDEX {name}"))
        connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))


def number_as_before_0024(connection: Connection) -> None:
    """Give all rows the number 0, as the migration gives it to rows from before."""
    for table in WRITES:
        connection.execute(text(f"UPDATE {table} SET transaction_number = 0"))
