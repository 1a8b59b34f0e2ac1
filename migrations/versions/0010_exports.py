"""Exports that run in the background: what was asked, how far each is, and its file in pieces."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "export",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("personal", sa.Text(), nullable=False),
        sa.Column("question", postgresql.JSONB(), nullable=False),
        sa.Column("head", postgresql.JSONB(), nullable=False),
        sa.Column("district_ids", postgresql.JSONB(), nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('offerings', 'participations')", name=op.f("ck_export_kind")),
        sa.CheckConstraint("format IN ('csv', 'xlsx', 'parquet')", name=op.f("ck_export_format")),
        sa.CheckConstraint("personal IN ('none', 'masked', 'full')", name=op.f("ck_export_personal")),
        sa.CheckConstraint("state IN ('waiting', 'done', 'failed')", name=op.f("ck_export_state")),
        sa.CheckConstraint("(state = 'done') = (bytes IS NOT NULL)", name=op.f("ck_export_done")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_export_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export")),
        sa.UniqueConstraint("ref", name=op.f("uq_export_ref")),
    )
    op.create_index("ix_export_user_id", "export", ["user_id", "created_at"])
    op.create_index("ix_export_waiting", "export", ["id"], postgresql_where=sa.text("state = 'waiting'"))
    op.create_index("ix_export_expires_at", "export", ["expires_at"])
    op.create_table(
        "export_progress",
        sa.Column("export_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["export_id"], ["export.id"], name=op.f("fk_export_progress_export_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("export_id", name=op.f("pk_export_progress")),
    )
    op.create_table(
        "export_chunk",
        sa.Column("export_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["export_id"], ["export.id"], name=op.f("fk_export_chunk_export_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("export_id", "number", name=op.f("pk_export_chunk")),
    )
    # PostgreSQL would try to compress each piece: XLSX and Parquet are compressed, and CSV is here for a week.
    op.execute("ALTER TABLE export_chunk ALTER COLUMN data SET STORAGE EXTERNAL")


def downgrade() -> None:
    for table in ("export_chunk", "export_progress", "export"):
        op.drop_table(table)
