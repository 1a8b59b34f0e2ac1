"""Migrations: up from nothing, down to nothing, and at the top exactly the schema of the models."""

from uuid import uuid4

import pytest
from alembic import command
from sqlalchemy import create_engine, inspect, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, load_only

from courses.models.enrolment import Enrolment
from courses.models.exports import CHUNK_COLUMN, ExportChunk
from lms.accounts.models import User
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
    [
        "audit_entry",
        "attendance_event",
        "attendance_decision",
        "person_time_entry",
        "ledger_entry",
        "session_event",
        "skill_event",
        "theory_event",
        "retest_event",
        "record_block",
        "frozen_figures",
    ],
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


def test_what_stood_in_clear_is_sealed_and_found_and_comes_back(server: Server) -> None:
    """Tickets, addresses of accounts and files of exports; the trail keeps no contact and no ID number."""
    crypto.configure(FIELD_KEY)
    server.create_database("sealed_secrets")
    url = server.url("sealed_secrets")
    config = configuration(url)
    command.upgrade(config, "0024")
    engine = create_engine(url)
    ticket = "AAECAwQFBgcICQoLDA0ODw"
    former = crypto.cipher().encrypt("enrolment.phone", crypto.token_uuid(ticket), "+8613812345678")
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # there is no offering 1
        connection.execute(
            text(
                "INSERT INTO enrolment (offering_id, trainee_id, ticket, state, source, sessions_attended, minutes_attended,"
                " shortfalls, certificate_due, phone_sealed) VALUES (1, 1, :ticket, 'enrolled', 'self', 0, 0, '[]', false, :phone)"
            ),
            {"ticket": ticket, "phone": former},
        )
        connection.execute(
            text(
                "INSERT INTO app_user (ref, name, email, language, email_proven_at, email_proof)"
                " VALUES (:ref, '王', 'Wang@example.org', 'zh', now(), 'staff')"
            ),
            {"ref": uuid4()},
        )
        connection.execute(
            text(
                "INSERT INTO export (ref, user_id, kind, format, personal, question, head, rows, state, expires_at)"
                " VALUES ('r', 1, 'people', 'csv', 'full', '{}', '{}', 1, 'waiting', now())"
            )
        )
        connection.execute(text("INSERT INTO export_chunk (export_id, number, data) VALUES (1, 0, 'a,13812345678')"))
        insert = text(
            "INSERT INTO audit_entry (at, action, subject, after, reason) VALUES (now(), 'a', 'b:1', :after, :reason)"
        )
        for after, reason in (
            ('{"email": "wang@example.org", "n": [{"x": "13812345678"}]}', "证件11010519491231002X"),
            ('{"number": "BJ-2026-0000012345-7"}', None),
        ):
            connection.execute(insert, {"after": after, "reason": reason})
    command.upgrade(config, "0025")
    with Session(engine) as db:
        enrolment = db.scalars(select(Enrolment).where(Enrolment.has_ticket(ticket))).one()
        assert (enrolment.ticket, enrolment.phone) == (ticket, "+8613812345678")
        user = select(User).options(load_only(User.ref, User.email_sealed)).where(User.email_is("wang@EXAMPLE.org"))
        assert db.scalars(user).one().email == "Wang@example.org"
        chunk = db.scalars(select(ExportChunk)).one()
        assert crypto.cipher().open(CHUNK_COLUMN, ExportChunk.binding("r", 0), chunk.data) == b"a,13812345678"
        masked, kept = db.execute(text("SELECT after, reason FROM audit_entry ORDER BY id")).all()
        assert masked == ({"email": "w***@example.org", "n": [{"x": "138****5678"}]}, "证件110***********002X")
        assert kept == ({"number": "BJ-2026-0000012345-7"}, None)
        with pytest.raises(IntegrityError, match="append-only"):
            db.execute(text("UPDATE audit_entry SET reason = ''"))
    command.downgrade(config, "0024")
    with engine.connect() as connection:
        row = connection.execute(text("SELECT ticket, phone_sealed FROM enrolment")).one()
        assert row.ticket == ticket
        assert (
            crypto.cipher().decrypt("enrolment.phone", crypto.token_uuid(ticket), row.phone_sealed) == "+8613812345678"
        )
        assert connection.scalar(text("SELECT email FROM app_user")) == "Wang@example.org"
        assert connection.scalar(text("SELECT data FROM export_chunk")) == b"a,13812345678"
    engine.dispose()


def test_closings_of_imports_that_were_undone_before_are_taken_back(server: Server) -> None:
    """An offering as the former undo left it: cancelled, with a closing and the correction that took its figures."""
    server.create_database("withdrawals")
    url = server.url("withdrawals")
    config = configuration(url)
    command.upgrade(config, "0028")
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in (
            "INSERT INTO organisation (id, district_id, name_zh, sector, active) VALUES (1, 1, '一号社区', 'community', true)",
            "INSERT INTO offering (id, course_id, organisation_id, district_id, place, capacity, by_invitation, state,"
            " closed_at, counted_on) SELECT 1, min(id), 1, 1, '礼堂', 9, false, 'closed', now(), '2015-03-07' FROM course",
            "INSERT INTO person_time_entry (offering_id, kind, dated_on, recorded_at, enrolled, named, counted, minutes,"
            " passed, certificates) VALUES (1, 'closing', '2015-03-07', now(), 2, 2, 0, 360, 2, 0)",
            "INSERT INTO person_time_entry (offering_id, kind, dated_on, recorded_at, corrects_id, reason, enrolled, named,"
            " counted, minutes, passed, certificates)"
            " SELECT 1, 'correction', '2015-03-07', now(), id, 'undone', -2, -2, 0, -360, -2, 0 FROM person_time_entry",
            "UPDATE offering SET state = 'cancelled', closed_at = NULL, counted_on = NULL, cancelled_at = now(),"
            " cancel_reason = 'undone'",
        ):
            connection.execute(text(statement))
        figures = text("SELECT offerings, named FROM person_time_month")
        assert connection.execute(figures).all() == [(1, 0)]
    command.upgrade(config, "0029")
    with engine.connect() as connection:
        assert connection.execute(figures).all() == [(0, 0)]
        kinds = connection.scalars(text("SELECT kind FROM person_time_entry ORDER BY id")).all()
        assert kinds == ["closing", "correction", "withdrawal"]
    with pytest.raises(IntegrityError):
        command.downgrade(config, "0028")
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


def test_stored_names_get_the_key_that_sorts_them(server: Server) -> None:
    """More names than a batch holds, and names with gaps between their ids."""
    server.create_database("sounds")
    url = server.url("sounds")
    config = configuration(url)
    command.upgrade(config, "0032")
    engine = create_engine(url)
    names = ["章华", "张三", "单雄信", "Anna"]
    with engine.begin() as connection:
        for start, name in enumerate(names):
            connection.execute(
                text("INSERT INTO trainee (id, ref, name, name_key) VALUES (:id, gen_random_uuid(), :name, :name)"),
                {"id": 1 + start * 40_000, "name": name},
            )
    command.upgrade(config, "0033")
    with engine.connect() as connection:
        assert connection.scalars(text("SELECT name FROM trainee ORDER BY name_sound")).all() == [
            "Anna", "单雄信", "张三", "章华",
        ]  # fmt: skip
    command.downgrade(config, "0032")
    engine.dispose()
