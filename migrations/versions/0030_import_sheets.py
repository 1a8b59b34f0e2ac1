"""An import remembers the sheet that was chosen, and the meanings that a user gave to values of the file."""

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
