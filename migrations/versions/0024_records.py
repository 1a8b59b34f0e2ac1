"""Sealed records: blocks over the tables of record (audit, attendance and skill events, person-time ledger, ledger of issuance).

Each row of record bears the number of the transaction that wrote it; rows from before bear 0. Adding the column writes no row.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

TABLES = ("audit_entry", "attendance_event", "attendance_decision", "skill_event", "person_time_entry", "ledger_entry")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(
            table, sa.Column("transaction_number", sa.BigInteger(), nullable=False, server_default=sa.text("0"))
        )
        op.execute(f"ALTER TABLE {table} ALTER transaction_number SET DEFAULT (pg_current_xact_id()::text::bigint + 0)")
        op.create_index(f"ix_{table}_transaction_number", table, ["transaction_number"])
    op.create_table(
        "record_numbering",
        sa.Column("single", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("number_offset", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("single", name=op.f("ck_record_numbering_single")),
        sa.PrimaryKeyConstraint("single", name=op.f("pk_record_numbering")),
    )
    op.execute("INSERT INTO record_numbering (number_offset) VALUES (0)")
    op.create_table(
        "record_block",
        sa.Column("record_table", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("from_number", sa.BigInteger(), nullable=False),
        sa.Column("from_key", sa.Text(), nullable=True),
        sa.Column("to_number", sa.BigInteger(), nullable=False),
        sa.Column("to_key", sa.Text(), nullable=True),
        sa.Column("columns", ARRAY(sa.Text()), nullable=False),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("previous_digest", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("leaves", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "number > 0 AND row_count >= 0 AND to_number >= from_number", name=op.f("ck_record_block_range")
        ),
        sa.CheckConstraint(
            "octet_length(digest) = 32 AND octet_length(previous_digest) = 32", name=op.f("ck_record_block_lengths")
        ),
        sa.PrimaryKeyConstraint("record_table", "number", name=op.f("pk_record_block")),
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON record_block"
        " FOR EACH ROW EXECUTE FUNCTION refuse_alteration()"
    )
    # Migration 0003 gives both roles all rights on tables that come later.
    _where_role("lms_web", "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON record_block, record_numbering FROM lms_web")
    _where_role("lms_worker", "REVOKE UPDATE, DELETE, TRUNCATE ON record_block FROM lms_worker")
    _where_role("lms_worker", "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON record_numbering FROM lms_worker")


def _where_role(role: str, statement: str) -> None:
    """Run a statement if the server has this role."""
    known = op.get_bind().scalar(sa.text("SELECT count(*) FROM pg_roles WHERE rolname = :role"), {"role": role})
    if known:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("record_block")
    op.drop_table("record_numbering")
    for table in TABLES:
        op.drop_index(f"ix_{table}_transaction_number", table_name=table)
        op.drop_column(table, "transaction_number")
