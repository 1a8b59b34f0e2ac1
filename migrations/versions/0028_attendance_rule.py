"""The attendance that a course requires is all that was planned, or a share of the minutes, and no number of sessions.

How the numbers are translated, decided from the offerings of each course that were not cancelled:

- Without a share of minutes: a number that is the default (1), or that no offering exceeds in sessions, meant all of
  them: `all`. Example: 2 where no offering has more than two sessions.
- With a share of minutes: 1 demanded nothing beside the share: `share`. A larger number that no offering exceeds in
  sessions demanded both: `all_and_share`.
- Any other number meant a part, as 2 where an offering has three sessions: `share`, with the smallest part of the
  planned minutes that so many sessions of one of those offerings make, in whole per cent, rounded down; or the share of
  minutes that the course had already, where that is larger.

Offerings that plan fewer hours than their course get two columns for the decision about it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_SESSIONS = """
    SELECT offering.course_id, meeting.offering_id, extract(epoch FROM meeting.ends_at - meeting.starts_at) AS length,
        count(*) OVER (PARTITION BY meeting.offering_id) AS sessions,
        row_number() OVER (PARTITION BY meeting.offering_id ORDER BY meeting.ends_at - meeting.starts_at) AS nth
    FROM course_session AS meeting JOIN offering ON offering.id = meeting.offering_id
    WHERE offering.state <> 'cancelled'
"""


def upgrade() -> None:
    op.add_column("course", sa.Column("attendance_rule", sa.Text(), nullable=False, server_default="all"))
    op.execute("UPDATE course SET attendance_rule = 'share' WHERE minutes_share IS NOT NULL AND sessions_needed = 1")
    op.execute(
        "UPDATE course SET attendance_rule = 'all_and_share' WHERE minutes_share IS NOT NULL AND sessions_needed > 1"
    )
    op.execute(f"""
        WITH part AS (
            SELECT course.id, floor(100 * sum(length) FILTER (WHERE nth <= sessions_needed) / sum(length)) AS share
            FROM course JOIN ({_SESSIONS}) AS held ON held.course_id = course.id AND held.sessions > sessions_needed
            WHERE sessions_needed > 1
            GROUP BY course.id, held.offering_id
        ), smallest AS (
            SELECT id, greatest(1, min(share))::smallint AS share FROM part GROUP BY id
        )
        UPDATE course SET attendance_rule = 'share', minutes_share = greatest(minutes_share, smallest.share)
        FROM smallest WHERE smallest.id = course.id
    """)  # noqa: S608  # no value from outside
    op.alter_column("course", "attendance_rule", server_default=None)
    op.drop_constraint(op.f("ck_course_sessions_needed"), "course")
    op.drop_column("course", "sessions_needed")
    op.create_check_constraint(
        op.f("ck_course_attendance_rule"), "course", "attendance_rule IN ('all', 'share', 'all_and_share')"
    )
    op.create_check_constraint(
        op.f("ck_course_minutes_share_used"), "course", "(attendance_rule = 'all') = (minutes_share IS NULL)"
    )
    op.add_column("offering", sa.Column("certificate_hours", sa.Numeric(5, 1), nullable=True))
    op.add_column("offering", sa.Column("hours_reason", sa.Text(), nullable=True))
    op.create_check_constraint(op.f("ck_offering_certificate_hours"), "offering", "certificate_hours > 0")
    op.create_check_constraint(
        op.f("ck_offering_hours_decision"), "offering", "certificate_hours IS NULL OR hours_reason IS NULL"
    )


def downgrade() -> None:
    for name in ("certificate_hours", "hours_decision"):
        op.drop_constraint(op.f(f"ck_offering_{name}"), "offering")
    op.drop_column("offering", "hours_reason")
    op.drop_column("offering", "certificate_hours")
    op.add_column("course", sa.Column("sessions_needed", sa.SmallInteger(), nullable=False, server_default="1"))
    op.execute(f"""
        UPDATE course SET sessions_needed = most.sessions
        FROM (SELECT course_id, max(sessions) AS sessions FROM ({_SESSIONS}) AS held GROUP BY course_id) AS most
        WHERE most.course_id = course.id AND attendance_rule <> 'share'
    """)  # noqa: S608  # no value from outside
    op.alter_column("course", "sessions_needed", server_default=None)
    op.create_check_constraint(op.f("ck_course_sessions_needed"), "course", "sessions_needed >= 1")
    for name in ("attendance_rule", "minutes_share_used"):
        op.drop_constraint(op.f(f"ck_course_{name}"), "course")
    op.drop_column("course", "attendance_rule")
