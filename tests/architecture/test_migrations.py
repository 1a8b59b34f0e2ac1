"""Migrations: up from nothing, down to nothing, and at the top exactly the schema of the models."""

from uuid import uuid4

import pytest
from alembic import command
from sqlalchemy import create_engine, inspect, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lms.core import audit, crypto
from lms.core.messages.models import Channel, Message, MessageState
from lms.core.messages.owing import Address, Content
from lms.core.migrations import configuration, is_current
from lms.embedded.postgres import Server
from tests.conftest import FIELD_KEY


def test_up_equals_the_models_and_down_leaves_nothing(server: Server) -> None:
    server.create_database("migrations")
    url = server.url("migrations")
    config = configuration(url)
    command.upgrade(config, "head")
    command.check(config)
    engine = create_engine(url)
    with engine.connect() as connection:
        assert is_current(connection)
    command.downgrade(config, "base")
    with engine.connect() as connection:
        assert set(inspect(connection).get_table_names()) == {"alembic_version"}
        functions = "SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        assert connection.scalar(text(functions)) == 0
        assert not is_current(connection)
    command.upgrade(config, "head")
    engine.dispose()


@pytest.mark.parametrize(
    "table",
    ["audit_entry", "attendance_event", "attendance_decision", "person_time_entry", "ledger_entry", "skill_event"],
)
def test_tables_of_record_are_guarded(db: Session, table: str) -> None:
    query = "SELECT tgtype FROM pg_trigger WHERE tgrelid = to_regclass(:table) AND tgname = 'append_only' AND tgenabled = 'O'"
    kind = db.scalar(text(query), {"table": table})
    row, before, delete, update = 1, 2, 8, 16
    assert kind == row | before | delete | update


@pytest.mark.parametrize("statement", ["UPDATE audit_entry SET reason = 'other'", "DELETE FROM audit_entry"])
def test_a_row_of_record_cannot_be_altered(db: Session, statement: str) -> None:
    audit.record(db, "test.act", "test:1", reason="first")
    db.flush()
    with pytest.raises(IntegrityError, match="append-only"):
        db.execute(text(statement))


def test_mails_that_wait_become_messages_and_old_ones_go_aside(server: Server) -> None:
    crypto.configure(FIELD_KEY)
    server.create_database("waiting_mails")
    url = server.url("waiting_mails")
    config = configuration(url)
    command.upgrade(config, "0017")
    engine = create_engine(url)
    insert = text(
        "INSERT INTO outgoing_mail (ref, content, created_at, sent_at, attempts)"
        " VALUES (:ref, :content, now() - make_interval(days => :days), CASE WHEN :sent THEN now() END, 0)"
    )
    with engine.begin() as connection:
        for days, sent in ((1, False), (9, False), (1, True)):
            ref = uuid4()
            clear = f'{{"to": "p{days}@example.org", "subject": "S", "text": "T"}}'
            content = None if sent else crypto.cipher().encrypt("outgoing_mail.content", ref, clear)
            connection.execute(insert, {"ref": ref, "content": content, "days": days, "sent": sent})
    command.upgrade(config, "0018")
    with Session(engine) as db:
        waiting, aside = db.scalars(select(Message).order_by(Message.id)).all()
        assert (waiting.state, aside.state, aside.reason) == (MessageState.WAITING, MessageState.ASIDE, "expired")
        assert Content.of(waiting).addresses == (Address(Channel.EMAIL, "p1@example.org"),)
    command.downgrade(config, "0017")
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM outgoing_mail WHERE sent_at IS NULL")) == 1
    engine.dispose()


def test_an_impossible_moment_that_was_stored_can_be_read_again(server: Server) -> None:
    server.create_database("odd_moments")
    url = server.url("odd_moments")
    config = configuration(url)
    command.upgrade(config, "0022")
    engine = create_engine(url)
    insert = text(
        "INSERT INTO attendance_event (id, course_session_id, kind, method, happened_at, told_at, review)"
        " VALUES (:id, 1, 'arrive', 'tap', now(), CAST(:told AS timestamptz), 'unknown_ticket')"
    )
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # there is no session 1
        for told in ("0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00", "2026-01-01T00:00:00Z"):
            connection.execute(insert, {"id": uuid4(), "told": told})
    command.upgrade(config, "0023")
    with engine.connect() as connection:
        told = connection.scalars(text("SELECT told_at FROM attendance_event ORDER BY told_at NULLS LAST")).all()
        assert [moment and moment.year for moment in told] == [2026, None, None]
        with pytest.raises(IntegrityError, match="append-only"):
            connection.execute(text("UPDATE attendance_event SET told_at = NULL"))
    engine.dispose()


def test_stored_names_are_compared_by_the_newer_rule(server: Server) -> None:
    server.create_database("names")
    url = server.url("names")
    config = configuration(url)
    command.upgrade(config, "0026")
    engine = create_engine(url)
    insert = text("INSERT INTO trainee (ref, name, name_key) VALUES (gen_random_uuid(), :name, :key)")
    names = {"古丽‧买买提": "古丽‧买买提", "O’Brien": "O’BRIEN", "张三": "张三", "\u3164": "\u1160"}
    with engine.begin() as connection:
        connection.execute(insert, [{"name": name, "key": key} for name, key in names.items()])
    keys = text("SELECT name_key FROM trainee ORDER BY id")
    command.upgrade(config, "0027")
    with engine.connect() as connection:
        assert connection.scalars(keys).all() == ["古丽买买提", "OBRIEN", "张三", "\u1160"]
    command.downgrade(config, "0026")
    with engine.connect() as connection:
        assert connection.scalars(keys).all() == list(names.values())
    engine.dispose()


def test_a_number_of_sessions_becomes_all_or_a_share(server: Server) -> None:
    """The sessions, in hours, of each course's offerings; a leading minus stands for a cancelled one."""
    courses: dict[str, tuple[int, int | None, list[list[int]], tuple[str, int | None]]] = {
        "the default, with a class that was split": (1, None, [[8], [4, 4]], ("all", None)),
        "as many as there are": (2, None, [[8, 8], [16]], ("all", None)),
        "more than there are": (6, None, [[8, 8]], ("all", None)),
        "nothing planned yet": (2, None, [], ("all", None)),
        "more sessions in a cancelled offering alone": (2, None, [[8, 8], [-4, 4, 4]], ("all", None)),
        "two of three": (2, None, [[8, 8], [8, 8, 8]], ("share", 66)),
        "two of three unequal ones": (2, None, [[8, 8, 8], [6, 2, 2]], ("share", 40)),
        "a share alone": (1, 90, [[4, 4]], ("share", 90)),
        "all and a share": (2, 90, [[4, 4]], ("all_and_share", 90)),
        "a part and a larger share": (2, 90, [[4, 4, 4]], ("share", 90)),
        "a part and a smaller share": (2, 50, [[4, 4, 4]], ("share", 66)),
    }
    server.create_database("attendance_rule")
    url = server.url("attendance_rule")
    config = configuration(url)
    command.upgrade(config, "0027")
    engine = create_engine(url)
    with engine.begin() as connection:
        host = connection.scalar(
            text(
                "INSERT INTO organisation (district_id, name_zh, sector, active)"
                " VALUES (1, '一号社区', 'community', true) RETURNING id"
            )
        )
        for code, (number, share, offerings, _) in courses.items():
            course = connection.scalar(
                text(
                    "INSERT INTO course (code, programme_code, name_zh, name_en, hours, sessions_needed, minutes_share,"
                    " capacity, refresher, active) VALUES (:code, 'RESCUE', :code, :code, 8, :number, :share, 30, false,"
                    " true) RETURNING id"
                ),
                {"code": code, "number": number, "share": share},
            )
            for lengths in offerings:
                cancelled = lengths[0] < 0
                offering = connection.scalar(
                    text(
                        "INSERT INTO offering (course_id, organisation_id, district_id, place, capacity, by_invitation,"
                        " state, cancelled_at, cancel_reason) VALUES (:course, :host, 1, 'x', 30, false, :state,"
                        " CASE WHEN :cancelled THEN now() END, CASE WHEN :cancelled THEN 'x' END) RETURNING id"
                    ),
                    {
                        "course": course,
                        "host": host,
                        "state": "cancelled" if cancelled else "draft",
                        "cancelled": cancelled,
                    },
                )
                for length in lengths:
                    connection.execute(
                        text(
                            "INSERT INTO course_session (offering_id, starts_at, ends_at, headcount)"
                            " VALUES (:offering, now(), now() + make_interval(hours => :hours), 0)"
                        ),
                        {"offering": offering, "hours": abs(length)},
                    )
    command.upgrade(config, "0028")
    rules = text("SELECT code, attendance_rule, minutes_share FROM course WHERE code = ANY(:codes)")
    with engine.connect() as connection:
        rows = connection.execute(rules, {"codes": list(courses)}).all()
        assert {code: (rule, share) for code, rule, share in rows} == {
            code: facts[-1] for code, facts in courses.items()
        }
        shipped = connection.execute(text("SELECT DISTINCT attendance_rule FROM course WHERE code ~ '^[A-Z]'")).all()
        assert shipped == [("all",)]
    command.downgrade(config, "0027")
    command.upgrade(config, "0028")
    with engine.connect() as connection:
        rows = connection.execute(rules, {"codes": list(courses)}).all()
        assert {code: (rule, share) for code, rule, share in rows} == {
            code: facts[-1] for code, facts in courses.items()
        }
    engine.dispose()
