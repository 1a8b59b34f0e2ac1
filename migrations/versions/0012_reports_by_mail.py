"""Reports by mail: who asked for which, and which were owed."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

RHYTHM = "rhythm IN ('month', 'quarter')"


def upgrade() -> None:
    op.create_table(
        "report_subscription",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("rhythm", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(RHYTHM, name=op.f("ck_report_subscription_rhythm")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_report_subscription_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "rhythm", name=op.f("pk_report_subscription")),
    )
    op.create_table(
        "report_mail",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("rhythm", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("owed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(RHYTHM, name=op.f("ck_report_mail_rhythm")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_report_mail_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "rhythm", "period", name=op.f("pk_report_mail")),
    )


def downgrade() -> None:
    op.drop_table("report_mail")
    op.drop_table("report_subscription")
