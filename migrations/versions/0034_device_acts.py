"""The own check-ins of instructors and the headcounts from devices are kept as they were received."""

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
