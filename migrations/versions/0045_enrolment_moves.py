"""A person's move to another class is kept, so that the former ticket leads to the new one."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "enrolment_move",
        sa.Column("enrolment_id", sa.BigInteger(), nullable=False),
        sa.Column("moved_to_id", sa.BigInteger(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("moved_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("enrolment_id <> moved_to_id", name=op.f("ck_enrolment_move_other")),
        sa.ForeignKeyConstraint(
            ["enrolment_id"], ["enrolment.id"], name=op.f("fk_enrolment_move_enrolment_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["moved_to_id"], ["enrolment.id"], name=op.f("fk_enrolment_move_moved_to_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["moved_by"], ["app_user.id"], name=op.f("fk_enrolment_move_moved_by")),
        sa.PrimaryKeyConstraint("enrolment_id", "moved_to_id", name=op.f("pk_enrolment_move")),
    )
    op.create_index("ix_enrolment_move_moved_to_id", "enrolment_move", ["moved_to_id"])


def downgrade() -> None:
    op.drop_table("enrolment_move")
