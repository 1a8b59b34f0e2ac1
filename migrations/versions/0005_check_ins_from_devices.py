"""Check-ins from devices: paired browsers, walk-ins known by name alone, and events that wait for somebody's decision."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_METHODS = "'tap', 'scan', 'photo', 'walk_in', 'correction'"


def upgrade() -> None:
    op.create_table(
        "device",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("paired_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_device_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_device_token_hash")),
    )
    op.create_index(op.f("ix_device_user_id"), "device", ["user_id"])
    op.create_table(
        "walk_in",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("course_session_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("device_id", sa.BigInteger(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("enrolment_id", sa.BigInteger(), nullable=True),
        sa.Column("rejected_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["course_session_id"], ["course_session.id"], name=op.f("fk_walk_in_course_session_id")
        ),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_walk_in_device_id")),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"], name=op.f("fk_walk_in_enrolment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_walk_in")),
    )
    op.create_index(op.f("ix_walk_in_course_session_id"), "walk_in", ["course_session_id"])
    op.create_index(op.f("ix_walk_in_enrolment_id"), "walk_in", ["enrolment_id"])
    _widen_events()
    op.create_table(
        "attendance_decision",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("enrolment_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("decision IN ('accept', 'merge', 'reject')", name=op.f("ck_attendance_decision_decision")),
        sa.CheckConstraint("(decision = 'reject') = (enrolment_id IS NULL)", name=op.f("ck_attendance_decision_whose")),
        sa.CheckConstraint(
            "decision <> 'reject' OR reason IS NOT NULL", name=op.f("ck_attendance_decision_reject_reason")
        ),
        sa.ForeignKeyConstraint(["event_id"], ["attendance_event.id"], name=op.f("fk_attendance_decision_event_id")),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"], name=op.f("fk_attendance_decision_enrolment_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_attendance_decision_user_id")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_attendance_decision")),
    )
    op.create_index(op.f("ix_attendance_decision_enrolment_id"), "attendance_decision", ["enrolment_id"])
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON attendance_decision"
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
                EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON attendance_decision FROM %I', given);
            END LOOP;
        END $$
        """
    )


def _widen_events() -> None:
    op.alter_column("attendance_event", "enrolment_id", nullable=True)
    for column in (
        sa.Column("device_id", sa.BigInteger(), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("offset_ms", sa.BigInteger(), nullable=True),
        sa.Column("undoes", sa.Uuid(), nullable=True),
        sa.Column("ticket", sa.Text(), nullable=True),
        sa.Column("walk_in_id", sa.Uuid(), nullable=True),
        sa.Column("review", sa.Text(), nullable=True),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    ):
        op.add_column("attendance_event", column)
    op.create_foreign_key(op.f("fk_attendance_event_device_id"), "attendance_event", "device", ["device_id"], ["id"])
    op.create_foreign_key(op.f("fk_attendance_event_walk_in_id"), "attendance_event", "walk_in", ["walk_in_id"], ["id"])
    op.drop_constraint(op.f("ck_attendance_event_method"), "attendance_event")
    op.create_check_constraint(
        op.f("ck_attendance_event_method"), "attendance_event", f"method IN ({_METHODS}, 'self', 'import')"
    )
    op.create_check_constraint(
        op.f("ck_attendance_event_review"),
        "attendance_event",
        "review IN ('outside_window', 'session_closed', 'not_enrolled', 'unknown_ticket', 'walk_in_match',"
        " 'second_from_browser', 'not_running')",
    )
    op.create_check_constraint(
        op.f("ck_attendance_event_whose"), "attendance_event", "enrolment_id IS NOT NULL OR review IS NOT NULL"
    )
    op.create_index(
        "ix_attendance_event_review",
        "attendance_event",
        ["course_session_id"],
        postgresql_where=sa.text("review IS NOT NULL"),
    )
    op.create_index(
        "ix_attendance_event_walk_in_id",
        "attendance_event",
        ["walk_in_id"],
        postgresql_where=sa.text("walk_in_id IS NOT NULL"),
    )


def downgrade() -> None:
    """Only where no event without an enrolment came in: such a one cannot stand in the older table, nor be removed."""
    op.drop_table("attendance_decision")
    op.drop_index("ix_attendance_event_walk_in_id", table_name="attendance_event")
    op.drop_index("ix_attendance_event_review", table_name="attendance_event")
    for name in ("whose", "review", "method"):
        op.drop_constraint(op.f(f"ck_attendance_event_{name}"), "attendance_event")
    op.create_check_constraint(op.f("ck_attendance_event_method"), "attendance_event", f"method IN ({_METHODS})")
    for name in ("answer", "review", "walk_in_id", "ticket", "undoes", "offset_ms", "told_at", "device_id"):
        op.drop_column("attendance_event", name)
    op.alter_column("attendance_event", "enrolment_id", nullable=False)
    op.drop_table("walk_in")
    op.drop_table("device")
