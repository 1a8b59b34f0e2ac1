"""Migration 0028: what a course said by a number of sessions keeps its meaning."""

from alembic import command
from sqlalchemy import create_engine, text

from lms.core.migrations import configuration
from lms.embedded.postgres import Server


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
