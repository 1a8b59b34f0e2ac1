"""Moments that no clock tells: a page's request could store one of the year 1, which made each later read of it an error.

The moment that counts (`happened_at`) was the server's wherever the told one was impossible, so nothing that counts changes.
"""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE attendance_event DISABLE TRIGGER append_only")
    op.execute(
        "UPDATE attendance_event SET told_at = NULL"
        " WHERE told_at < '1969-12-30T00:00:00Z' OR told_at > '2200-01-01T00:00:00Z'"
    )
    op.execute("ALTER TABLE attendance_event ENABLE TRIGGER append_only")


def downgrade() -> None:
    """Nothing to undo: the mended moments stay as they are."""
