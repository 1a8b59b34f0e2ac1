"""The table of certificate types and issuing units is signed and stored beside the status lists."""

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

_CONSTRAINT = op.f("ck_status_list_purpose")


def upgrade() -> None:
    op.drop_constraint(_CONSTRAINT, "status_list")
    op.create_check_constraint(_CONSTRAINT, "status_list", "purpose IN ('revocation', 'superseded', 'types')")


def downgrade() -> None:
    op.execute("DELETE FROM status_list WHERE purpose = 'types'")
    op.drop_constraint(_CONSTRAINT, "status_list")
    op.create_check_constraint(_CONSTRAINT, "status_list", "purpose IN ('revocation', 'superseded')")
