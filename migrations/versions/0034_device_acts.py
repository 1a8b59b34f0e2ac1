"""The own check-ins of instructors and the headcounts are kept as they were received."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "session_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("course_session_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("offset_ms", sa.BigInteger(), nullable=True),
        sa.Column("device_id", sa.BigInteger(), nullable=True),
        sa.Column("answer", JSONB(), nullable=False),
        sa.Column(
            "transaction_number",
            sa.BigInteger(),
            nullable=False,
            server_default=sa.text("(pg_current_xact_id()::text::bigint + 0)"),
        ),
        sa.CheckConstraint("kind IN ('arrive', 'leave', 'attended', 'headcount')", name=op.f("ck_session_event_kind")),
        sa.CheckConstraint("(kind = 'headcount') = (number IS NOT NULL)", name=op.f("ck_session_event_number")),
        sa.CheckConstraint("number BETWEEN 0 AND 100000", name=op.f("ck_session_event_number_range")),
        sa.ForeignKeyConstraint(
            ["course_session_id"], ["course_session.id"], name=op.f("fk_session_event_course_session_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_session_event_user_id")),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_session_event_device_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session_event")),
    )
    op.create_index("ix_session_event_course_session_id", "session_event", ["course_session_id"])
    op.create_index("ix_session_event_transaction_number", "session_event", ["transaction_number"])
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON session_event"
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
                EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON session_event FROM %I', given);
            END LOOP;
        END $$
        """
    )


def downgrade() -> None:
    op.drop_table("session_event")
