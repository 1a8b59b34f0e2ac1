"""Rights of the database logins of web and worker: enough for all of their work, and none to alter tables of record."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from alembic import command
from flask import Flask
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session, sessionmaker

from certificates import issuing, ledger, revocation
from certificates.branch import Branch
from certificates.keys import qr_keys
from certificates.keys.qr_keys import PublicKeyCache
from certificates.models import Certificate
from certificates.payload import digits_of
from certificates.states import State
from certificates.verification import verification
from courses.attendance import recording
from courses.attendance.check_ins import AttendanceInput
from courses.closing import closing
from courses.models.attendance import AttendanceKind, AttendanceMethod
from lms.app import create_app
from lms.config import Settings
from lms.core import clock, crypto
from lms.core.migrations import configuration
from lms.core.transactions import transaction
from lms.embedded import roles
from lms.embedded.postgres import Server
from tests.certificates.conftest import FIRST, LAST
from tests.conftest import FIELD_KEY
from tests.courses.closing.confirming import CONFIRMED
from tests.factories import Make

OF_RECORD = (
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
)
KEYS = {"ledger_entry": "seq", "attendance_decision": "event_id", "record_block": "number"}


def as_login(login: str, url: str) -> str:
    return roles.as_login(login, {"DATABASE_URL": url})["DATABASE_URL"]


@pytest.fixture
def owner(server: Server, fresh_database: str) -> Iterator[sessionmaker[Session]]:
    """Sessions of the owner of the tables, on a database in which the two logins may work."""
    roles.prepare(server, fresh_database.partition("?")[0].rpartition("/")[2], None)
    crypto.configure(FIELD_KEY)
    engine = create_engine(fresh_database, connect_args={"options": "-c timezone=UTC"})
    yield sessionmaker(engine, expire_on_commit=False)
    engine.dispose()


@pytest.fixture
def web(owner: sessionmaker[Session], fresh_database: str) -> Iterator[sessionmaker[Session]]:
    """Sessions of the web's login."""
    engine = create_engine(as_login(roles.WEB, fresh_database), connect_args={"options": "-c timezone=UTC"})
    yield sessionmaker(engine, expire_on_commit=False)
    engine.dispose()


@pytest.fixture
def worker(owner: sessionmaker[Session], fresh_database: str) -> Iterator[sessionmaker[Session]]:
    """Sessions of the worker's login."""
    engine = create_engine(as_login(roles.WORKER, fresh_database), connect_args={"options": "-c timezone=UTC"})
    yield sessionmaker(engine, expire_on_commit=False)
    engine.dispose()


def refused(sessions: sessionmaker[Session], statement: str) -> bool:
    """Tell whether PostgreSQL refuses a statement for lack of a right. Any other answer is no refusal."""
    with sessions() as db:
        try:
            db.execute(text(statement))
        except ProgrammingError as error:
            return isinstance(error.orig, InsufficientPrivilege)
    return False


def test_what_is_on_record_cannot_be_altered(web: sessionmaker[Session], worker: sessionmaker[Session]) -> None:
    allowed = [
        statement
        for login in (web, worker)
        for table in OF_RECORD
        for key in (KEYS.get(table, "id"),)
        for statement in (f"UPDATE {table} SET {key} = {key}", f"DELETE FROM {table}", f"TRUNCATE {table}")
        if not refused(login, statement)
    ]
    assert allowed == []


def test_every_table_that_bears_the_trigger_is_on_the_list(web: sessionmaker[Session]) -> None:
    with web() as db:
        assert set(
            db.scalars(text("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'append_only'"))
        ) == set(OF_RECORD)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO certificate (serial) VALUES (1)",
        "DELETE FROM certificate",
        "INSERT INTO ledger_entry (seq) VALUES (1)",
        "INSERT INTO record_block (number) VALUES (1)",
        "UPDATE record_numbering SET number_offset = 1",
        "UPDATE wallet_pass SET content = ''",
        "INSERT INTO signing_key (number) VALUES (9)",
        "UPDATE signing_key SET state = 'active'",
        "DELETE FROM signing_key",
        "UPDATE alembic_version SET version_num = '0000'",
        "ALTER TABLE audit_entry DISABLE TRIGGER append_only",
        "SET session_replication_role = replica",
        "CREATE TABLE ours (id int)",
    ],
)
def test_the_web_makes_no_certificates_keys_or_tables(web: sessionmaker[Session], statement: str) -> None:
    assert refused(web, statement)


def test_a_later_table_is_the_webs_to_use(owner: sessionmaker[Session], web: sessionmaker[Session]) -> None:
    with owner.begin() as db:
        db.execute(text("CREATE TABLE later (id bigint GENERATED BY DEFAULT AS IDENTITY, word text)"))
    with web.begin() as db:
        db.execute(text("INSERT INTO later (word) VALUES ('a')"))
        db.execute(text("UPDATE later SET word = 'b'"))
        assert db.scalar(text("SELECT word FROM later")) == "b"
        db.execute(text("DELETE FROM later"))


@pytest.fixture
def site(web: sessionmaker[Session], fresh_database: str, settings: Settings, tmp_path: Path) -> Iterator[Flask]:
    """The whole application under the web's login, with no key folder at all."""
    made = create_app(
        settings.model_copy(
            update={"database_url": as_login(roles.WEB, fresh_database), "keys_dir": tmp_path / "nothing-here"}
        )
    )
    made.config["WTF_CSRF_ENABLED"] = False
    yield made
    for name in ("engine", "autocommit_reads"):
        if name in made.extensions:
            made.extensions[name].dispose()


def test_a_class_is_taught_certified_and_verified_with_these_rights_alone(  # noqa: PLR0917  # fixtures, each by name
    owner: sessionmaker[Session],
    web: sessionmaker[Session],
    worker: sessionmaker[Session],
    site: Flask,
    settings: Settings,
    tmp_path: Path,
) -> None:
    branch = replace(Branch.of(settings), keys_dir=tmp_path / "keys")
    with transaction(owner) as db:
        qr_keys.ensure(db, branch.keys_dir, not_before=FIRST, not_after=LAST)
    with transaction(web) as db:
        make = Make(db)
        course = make.new_course(skills=0, pass_mark=None)
        began = clock.now() - timedelta(hours=1)
        offering = make.offering(course=course, starts=[began])
        enrolment = make.enrolment(offering, make.trainee("张三丰"))
        meeting = offering.sessions[0]
        event = AttendanceInput(
            uuid4(), meeting.id, enrolment.id, AttendanceKind.ARRIVE, AttendanceMethod.TAP, clock.now()
        )
        recording.record(db, event, now=clock.now())
        closing.close(db, meeting, zone=settings.zone, **CONFIRMED)
    with transaction(worker) as db:
        assert issuing.issue_owed(db, branch) == 1
    with transaction(web) as db:
        certificate = db.scalars(select(Certificate)).one()
        digits = digits_of(certificate.payload)
        today = clock.today(settings.zone)
        assert verification.verify(db, digits, today=today, keys=PublicKeyCache()).state is State.VALID
        assert list(ledger.check(db, names=True)) == []
    visitor = site.test_client()
    assert "有效" in visitor.get(f"/v/{digits}").text
    assert visitor.get("/readyz").status_code == 200
    assert visitor.get(f"/tickets/{enrolment.ticket}/certificate.pdf").data.startswith(b"%PDF")
    assert visitor.get("/.well-known/jwks.json").json["keys"][0]["kid"] == "qr-1"  # type: ignore[index]
    with transaction(web) as db:
        revocation.revoke(db, db.scalars(select(Certificate)).one(), "发错人")
    with transaction(worker) as db:
        assert verification.verify(db, digits, today=today, keys=PublicKeyCache()).state is State.REVOKED


def test_a_user_who_may_not_make_roles_migrates_all_the_same(tmp_path: Path) -> None:
    tmp_path.chmod(0o711)
    with Server(tmp_path / "pg", fsync=False) as managed:
        with managed.connect() as connection:
            connection.execute("CREATE ROLE branch LOGIN")
            connection.execute("CREATE DATABASE lms OWNER branch")
        url = roles.as_login("branch", {"DATABASE_URL": managed.url("lms")})["DATABASE_URL"]
        command.upgrade(configuration(url), "head")
        engine = create_engine(url)
        asked = text("SELECT has_table_privilege('lms_web', 'trainee', 'INSERT')")
        with managed.connect() as connection:
            assert connection.execute("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'lms_%'").fetchone() == (0,)
            connection.execute("CREATE ROLE lms_web NOLOGIN")
            connection.execute("CREATE ROLE lms_worker NOLOGIN")
        with engine.begin() as db:
            assert db.scalar(asked) is False
            db.exec_driver_sql(roles.RIGHTS.read_text(), execution_options={"no_parameters": True})
            assert db.scalar(asked) is True
            assert db.scalar(text("SELECT has_table_privilege('lms_web', 'audit_entry', 'UPDATE')")) is False
        engine.dispose()
