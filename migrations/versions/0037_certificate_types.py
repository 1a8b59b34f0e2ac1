"""The table of certificate types is stored beside the status lists; alarms are found in the audit trail by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint(op.f("ck_status_list_purpose"), "status_list")
    op.create_check_constraint(
        op.f("ck_status_list_purpose"), "status_list", "purpose IN ('revocation', 'superseded', 'types')"
    )
    op.create_index(
        "ix_audit_entry_alarm", "audit_entry", ["at"], postgresql_where=sa.text("action = 'certificate.alarm'")
    )


def downgrade() -> None:
    op.drop_index("ix_audit_entry_alarm", "audit_entry")
    op.execute("DELETE FROM status_list WHERE purpose = 'types'")
    op.drop_constraint(op.f("ck_status_list_purpose"), "status_list")
    op.create_check_constraint(op.f("ck_status_list_purpose"), "status_list", "purpose IN ('revocation', 'superseded')")
