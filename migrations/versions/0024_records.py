"""Sealed records: blocks over the tables of record (audit, attendance and skill events, person-time ledger, ledger of issuance)."""

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
