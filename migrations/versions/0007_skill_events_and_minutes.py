"""A course's rule of minutes, every skill result as it came in, and examiners at sessions.

Results that exist already become events too, so that a skill's result can be worked out again from its events.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("course", sa.Column("minutes_share", sa.SmallInteger(), nullable=True))
    op.create_check_constraint(op.f("ck_course_minutes_share"), "course", "minutes_share BETWEEN 1 AND 100")
    op.add_column(
        "assessment",
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    )
    op.execute("UPDATE assessment SET started_at = assessed_at")
    _events()
    _roles("'lead', 'assistant', 'examiner'")


def _events() -> None:
    op.create_table(
        "skill_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("course_session_id", sa.BigInteger(), nullable=True),
        sa.Column("enrolment_id", sa.BigInteger(), nullable=False),
        sa.Column("skill_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=True),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("offset_ms", sa.BigInteger(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("device_id", sa.BigInteger(), nullable=True),
        sa.Column("review", sa.Text(), nullable=True),
        sa.CheckConstraint("attempt >= 1", name=op.f("ck_skill_event_attempt")),
        sa.CheckConstraint(
            "review IN ('offering_closed', 'not_running', 'not_enrolled')", name=op.f("ck_skill_event_review")
        ),
        sa.ForeignKeyConstraint(
            ["course_session_id"], ["course_session.id"], name=op.f("fk_skill_event_course_session_id")
        ),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"], name=op.f("fk_skill_event_enrolment_id")),
        sa.ForeignKeyConstraint(["skill_id"], ["course_skill.id"], name=op.f("fk_skill_event_skill_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_skill_event_user_id")),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_skill_event_device_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_skill_event")),
    )
    op.create_index("ix_skill_event_cell", "skill_event", ["enrolment_id", "skill_id", "attempt"])
    op.create_index(op.f("ix_skill_event_course_session_id"), "skill_event", ["course_session_id"])
    op.create_index(op.f("ix_skill_event_skill_id"), "skill_event", ["skill_id"])
    op.execute(
        """
        INSERT INTO skill_event (id, enrolment_id, skill_id, attempt, passed, happened_at, received_at)
        SELECT gen_random_uuid(), assessment.enrolment_id, skill_result.skill_id, assessment.attempt,
               skill_result.passed, assessment.assessed_at, assessment.assessed_at
        FROM skill_result JOIN assessment ON assessment.id = skill_result.assessment_id
        """
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON skill_event"
        " FOR EACH ROW EXECUTE FUNCTION refuse_alteration()"
    )
    # A later table is the web's and the worker's to alter (migrations/roles.sql); a table of record is not.
    op.execute(
        """
        DO $$
        DECLARE
            given text;
        BEGIN
            FOR given IN SELECT rolname FROM pg_roles WHERE rolname IN ('lms_web', 'lms_worker') LOOP
                EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON skill_event FROM %I', given);
            END LOOP;
        END $$
        """
    )


def _roles(allowed: str) -> None:
    op.drop_constraint(op.f("ck_session_instructor_role"), "session_instructor")
    op.create_check_constraint(op.f("ck_session_instructor_role"), "session_instructor", f"role IN ({allowed})")


def downgrade() -> None:
    """An examiner becomes an assistant, the nearest that the older table knows."""
    op.execute("UPDATE session_instructor SET role = 'assistant' WHERE role = 'examiner'")
    _roles("'lead', 'assistant'")
    op.drop_table("skill_event")
    op.drop_column("assessment", "started_at")
    op.drop_constraint(op.f("ck_course_minutes_share"), "course")
    op.drop_column("course", "minutes_share")
