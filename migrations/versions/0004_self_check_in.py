"""Self check-in: the key of a session's rotating code, the claims that its scans gave, and the heads counted at closing."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "check_in_key",
        sa.Column("course_session_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ref", sa.Uuid(), nullable=False),
        sa.Column("key_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["course_session_id"],
            ["course_session.id"],
            name=op.f("fk_check_in_key_course_session_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_check_in_key_user_id")),
        sa.PrimaryKeyConstraint("course_session_id", name=op.f("pk_check_in_key")),
    )
    op.create_table(
        "check_in_claim",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("course_session_id", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("enrolment_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("enrolment_id IS NULL OR used_at IS NOT NULL", name=op.f("ck_check_in_claim_used")),
        sa.CheckConstraint("tries >= 0", name=op.f("ck_check_in_claim_tries")),
        sa.ForeignKeyConstraint(
            ["course_session_id"],
            ["course_session.id"],
            name=op.f("fk_check_in_claim_course_session_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["enrolment_id"], ["enrolment.id"], name=op.f("fk_check_in_claim_enrolment_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_in_claim")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_check_in_claim_token_hash")),
    )
    op.create_index(op.f("ix_check_in_claim_enrolment_id"), "check_in_claim", ["enrolment_id"])
    op.create_index("ix_check_in_claim_browser", "check_in_claim", ["course_session_id", "browser_hash"])
    op.create_table(
        "spot_check",
        sa.Column("course_session_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("counted", sa.BigInteger(), nullable=False),
        sa.Column("expected", sa.BigInteger(), nullable=False),
        sa.Column("by_self", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("counted BETWEEN 0 AND 100000", name=op.f("ck_spot_check_counted")),
        sa.CheckConstraint("counted = expected OR reason IS NOT NULL", name=op.f("ck_spot_check_reason")),
        sa.ForeignKeyConstraint(
            ["course_session_id"],
            ["course_session.id"],
            name=op.f("fk_spot_check_course_session_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_spot_check_user_id")),
        sa.PrimaryKeyConstraint("course_session_id", name=op.f("pk_spot_check")),
    )


def downgrade() -> None:
    for table in ("spot_check", "check_in_claim", "check_in_key"):
        op.drop_table(table)
