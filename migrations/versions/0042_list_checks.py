"""Long lists of certificates that strangers send are verified by the worker, piece by piece; they are sealed and soon deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the lists, their pieces, and the rule of their retention."""
    op.create_table(
        "list_check",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ref", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("octet_length(token_hash) = 32", name=op.f("ck_list_check_token_hash")),
        sa.CheckConstraint("size > 0", name=op.f("ck_list_check_size")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_check")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_list_check_token_hash")),
    )
    op.create_index("ix_list_check_made_at", "list_check", ["made_at"])
    op.create_table(
        "list_check_piece",
        sa.Column("check_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("items", sa.LargeBinary(), nullable=False),
        sa.Column("answers", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("number >= 0", name=op.f("ck_list_check_piece_number")),
        sa.ForeignKeyConstraint(
            ["check_id"], ["list_check.id"], name=op.f("fk_list_check_piece_check_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("check_id", "number", name=op.f("pk_list_check_piece")),
    )
    op.create_index(
        "ix_list_check_piece_waiting",
        "list_check_piece",
        ["number", "check_id"],
        postgresql_where=sa.text("answers IS NULL"),
    )
    rules = sa.table(
        "retention_rule", *(sa.column(name, sa.Text()) for name in ("code", "amount", "unit", "source_zh", "source_en"))
    )
    rules.c.amount.type = sa.Integer()
    op.bulk_insert(
        rules,
        [
            {
                "code": "list_check",
                "amount": 1,
                "unit": "days",
                "source_zh": "待核验的名单保留一天，供发送者取回结果，每小时清理一次",
                "source_en": "a list to verify is kept for a day, so that its sender can fetch the results; removed each hour",
            }
        ],
    )


def downgrade() -> None:
    """Remove the lists and the rule."""
    op.execute("DELETE FROM retention_rule WHERE code = 'list_check'")
    op.drop_table("list_check_piece")
    op.drop_table("list_check")
