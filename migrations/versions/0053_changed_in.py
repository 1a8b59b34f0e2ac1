"""A participation bears the number of the transaction that wrote it, so that copies in memory can follow the changes."""

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

# The number is written as those of the tables of record are (`lms.core.records`), whoever writes the row.
FUNCTION = """
CREATE FUNCTION number_participation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed_in := pg_current_xact_id()::text::bigint + (SELECT number_offset FROM public.record_numbering);
    RETURN NEW;
END
$$
"""
TRIGGER = """
CREATE TRIGGER number_participation BEFORE INSERT OR UPDATE ON participation
FOR EACH ROW EXECUTE FUNCTION number_participation()
"""


def upgrade() -> None:
    """Add the number; the rows that are there have 0, which is before every transaction."""
    op.add_column("participation", sa.Column("changed_in", sa.BigInteger(), server_default="0", nullable=False))
    op.create_index("ix_participation_changed_in", "participation", ["changed_in"])
    op.execute(FUNCTION)
    op.execute(TRIGGER)


def downgrade() -> None:
    """Remove it."""
    op.execute("DROP TRIGGER number_participation ON participation")
    op.execute("DROP FUNCTION number_participation()")
    op.drop_index("ix_participation_changed_in", "participation")
    op.drop_column("participation", "changed_in")
