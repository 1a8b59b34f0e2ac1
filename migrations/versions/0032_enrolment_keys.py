"""A form of enrolment is answered once: sent again, it shows the ticket of the first time."""

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
