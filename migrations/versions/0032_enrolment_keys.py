"""A form of enrolment is answered once: sent again, it shows the ticket of the first time."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "enrolment_key",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("form_hash", sa.LargeBinary(), nullable=False),
        sa.Column("enrolment_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("octet_length(form_hash) = 32", name=op.f("ck_enrolment_key_form_hash")),
        sa.ForeignKeyConstraint(
            ["enrolment_id"], ["enrolment.id"], name=op.f("fk_enrolment_key_enrolment_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment_key")),
        sa.UniqueConstraint("form_hash", name=op.f("uq_enrolment_key_form_hash")),
    )
    op.create_index(op.f("ix_enrolment_key_enrolment_id"), "enrolment_key", ["enrolment_id"])
    op.create_index(op.f("ix_enrolment_key_created_at"), "enrolment_key", ["created_at"])
    rules = sa.table(
        "retention_rule", *(sa.column(name, sa.Text()) for name in ("code", "amount", "unit", "source_zh", "source_en"))
    )
    rules.c.amount.type = sa.Integer()
    op.bulk_insert(
        rules,
        [
            {
                "code": "enrolment_key",
                "amount": 1,
                "unit": "days",
                "source_zh": "重复提交的报名表一天内显示同一张报名凭证",
                "source_en": "a form that is sent again within a day shows the same ticket",
            }
        ],
    )


def downgrade() -> None:
    op.execute("DELETE FROM retention_rule WHERE code = 'enrolment_key'")
    op.drop_table("enrolment_key")
