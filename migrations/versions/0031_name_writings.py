"""A certificate whose name no font can print waits for a decision: another writing of the name, which its holder chose."""

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
