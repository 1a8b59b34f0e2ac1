"""A request to close a session waits until a person confirms it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "closing_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("course_session_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("device_id", sa.BigInteger(), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("offset_ms", sa.BigInteger(), nullable=True),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("heads", sa.BigInteger(), nullable=True),
        sa.Column("heads_reason", sa.Text(), nullable=True),
        sa.Column("before_end", sa.Boolean(), nullable=False),
        sa.Column("hours", sa.Text(), nullable=True),
        sa.Column("hours_reason", sa.Text(), nullable=True),
        sa.Column("foreseen", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'confirmed', 'withdrawn', 'outdated')", name=op.f("ck_closing_request_state")
        ),
        sa.CheckConstraint("(state = 'waiting') = (decided_at IS NULL)", name=op.f("ck_closing_request_decided")),
        sa.CheckConstraint("heads BETWEEN 0 AND 100000", name=op.f("ck_closing_request_heads")),
        sa.CheckConstraint("hours IN ('given', 'course')", name=op.f("ck_closing_request_hours")),
        sa.ForeignKeyConstraint(
            ["course_session_id"],
            ["course_session.id"],
            name=op.f("fk_closing_request_course_session_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_closing_request_user_id")),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_closing_request_device_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["app_user.id"], name=op.f("fk_closing_request_decided_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closing_request")),
    )
    op.create_index("ix_closing_request_course_session_id", "closing_request", ["course_session_id"])
    op.create_index(
        "ix_closing_request_waiting",
        "closing_request",
        ["course_session_id"],
        postgresql_where=sa.text("state = 'waiting'"),
    )


def downgrade() -> None:
    op.drop_table("closing_request")
