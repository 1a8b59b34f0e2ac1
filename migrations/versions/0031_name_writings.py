"""A certificate whose name no font can print waits for a decision: another writing of the name, which its holder chose."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "name_writing",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column(
            "enrolment_id", sa.BigInteger, sa.ForeignKey("enrolment.id", ondelete="CASCADE"), nullable=False, index=True
        ),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("writing", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("recorded_by", sa.BigInteger, sa.ForeignKey("app_user.id")),
        sa.Column("withdrawn_at", MOMENT),
        sa.Column("withdrawn_by", sa.BigInteger, sa.ForeignKey("app_user.id")),
        sa.CheckConstraint("name <> '' AND writing <> '' AND reason <> ''", name="ck_name_writing_said"),
        sa.CheckConstraint("writing <> name", name="ck_name_writing_other"),
        sa.CheckConstraint("withdrawn_by IS NULL OR withdrawn_at IS NOT NULL", name="ck_name_writing_withdrawn"),
    )
    op.create_index(
        "uq_name_writing_open",
        "name_writing",
        ["enrolment_id"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_table(
        "missing_glyphs",
        sa.Column(
            "enrolment_id", sa.BigInteger, sa.ForeignKey("enrolment.id", ondelete="CASCADE"), primary_key=True,
            autoincrement=False,
        ),
        sa.Column("lacking", JSONB, nullable=False),
        sa.Column("found_at", MOMENT, nullable=False),
        sa.CheckConstraint("lacking <> '{}'", name="ck_missing_glyphs_lacking"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_table("missing_glyphs")
    op.drop_table("name_writing")
