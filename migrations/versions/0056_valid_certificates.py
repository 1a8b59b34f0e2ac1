"""Legacy certificates that are valid on a day are found by an index; the table was read whole for each indicators page."""

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index(
        "ix_legacy_certificate_valid",
        "legacy_certificate",
        ["valid_until"],
        postgresql_where=sa.text("revoked_at IS NULL AND superseded_by_id IS NULL"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_legacy_certificate_valid", "legacy_certificate")
