"""The ten years: exact, proven by a recount, the same for the same seed, and the tables as burdened afterwards as before."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from flask import Flask
from sqlalchemy import select

from courses.enrolment.id_numbers import normalise
from courses.models.trainees import IdType, Trainee
from lms.app import create_app
from lms.config import Settings
from lms.core import clock
from lms.core.transactions import transaction
from lms.demo.decade.making import RESCUE, RESPONDERS
from lms.embedded.postgres import Server

SCALE = "0.005"
BURDEN = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT tgrelid::regclass::text, tgname, tgenabled::text FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2, 3
"""
FIGURES = """
SELECT programme_code, sum(named)::int, sum(counted)::int, min(dated_on) >= '2008-01-01'
    AND max(dated_on) FILTER (WHERE kind <> 'certification') <= '2017-12-31'
FROM person_time_entry JOIN offering ON offering.id = offering_id JOIN course ON course.id = course_id
GROUP BY programme_code ORDER BY programme_code
"""
# What the rows say, without what is sealed and the numbers of transactions (each time otherwise) and the moments of loading.
FACTS = """
SELECT md5(string_agg(line, '|' ORDER BY line)) FROM (
    SELECT row(id, ref, district_id, name, birth_year, phone_index, id_number_index, guardian_name, created_at)::text FROM trainee
    UNION ALL SELECT (to_jsonb(enrolment) - 'ticket_sealed')::text FROM enrolment UNION ALL SELECT attendance::text FROM attendance
    UNION ALL SELECT (to_jsonb(attendance_event) - 'transaction_number')::text FROM attendance_event
    UNION ALL SELECT (to_jsonb(person_time_entry) - 'transaction_number')::text FROM person_time_entry
    UNION ALL SELECT session_instructor::text FROM session_instructor
) AS lines (line)
"""


@contextmanager
def loaded(
    settings: Settings, url: str, folder: Path, *more: str
) -> Iterator[tuple[Flask, "psycopg.Connection[tuple[object, ...]]"]]:
    app = create_app(settings.model_copy(update={"database_url": url, "instance_dir": folder}))
    try:
        result = app.test_cli_runner().invoke(args=["demo", "load", "--scale", SCALE, *more])
        assert result.exit_code == 0, result.output
        with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as connection:
            yield app, connection
    finally:
        app.extensions["engine"].dispose()


def test_the_ten_years_are_exact_and_proven_and_leave_every_constraint(
    fresh_database: str, settings: Settings, tmp_path: Path
) -> None:
    with psycopg.connect(fresh_database.replace("+psycopg", "")) as connection:
        before = connection.execute(BURDEN).fetchall()
    with loaded(settings, fresh_database, tmp_path) as (app, connection):
        assert connection.execute(BURDEN).fetchall() == before
        responders, rescue = connection.execute(FIGURES).fetchall()
        assert responders == ("FIRST_RESPONDER", round(RESPONDERS * 0.005), 0, True)
        assert (rescue[0], rescue[1] + rescue[2], rescue[3]) == ("RESCUE", round(RESCUE * 0.005), True)
        assert abs(rescue[2] / (rescue[1] + rescue[2]) - 1 / 3) < 0.01
        checked = app.test_cli_runner().invoke(args=["person-time", "check"])
        assert "no difference" in checked.output
        meetings = connection.execute(
            "SELECT DISTINCT count(*) FROM course_session s JOIN offering o ON o.id = s.offering_id JOIN course c ON"
            " c.id = o.course_id WHERE c.programme_code = 'FIRST_RESPONDER' GROUP BY o.id ORDER BY 1"
        ).fetchall()
        assert meetings == [(2,), (3,), (4,)]
        assert connection.execute("SELECT count(*) FROM person_time_entry WHERE kind = 'correction'").fetchone() != (0,)
        assert connection.execute(
            "SELECT count(*) FROM enrolment WHERE certificate_due AND certified_at IS NULL"
        ).fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM certificate").fetchone() == (0,)
        with app.app_context(), transaction(app.extensions["sessions"]) as db:
            opened = db.scalars(select(Trainee).order_by(Trainee.id).limit(300)).all()
            assert all(len(one.phone) == 14 for one in opened if one.phone)
            numbers = [number for one in opened if (number := one.open_id_number())]
            assert numbers
            for number in numbers:
                assert normalise(IdType.RESIDENT, number, clock.today(settings.zone)) == number


def test_the_same_seed_makes_the_same_years(
    server: Server, fresh_database: str, settings: Settings, tmp_path: Path
) -> None:
    name = fresh_database.partition("@/")[2].partition("?")[0]
    found = []
    for turn, seed in enumerate(("7", "7", "8")):
        other = f"{name}_{turn}"
        server.create_database(other, template="template_lms")
        try:
            with loaded(settings, server.url(other), tmp_path, "--seed", seed) as (_app, connection):
                found.append(connection.execute(FACTS).fetchone())
        finally:
            server.drop_database(other)
    assert found[0] == found[1] != found[2]
