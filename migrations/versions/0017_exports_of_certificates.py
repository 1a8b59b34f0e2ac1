"""Exports of certificates."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint(op.f("ck_export_kind"), "export")
    op.create_check_constraint(
        op.f("ck_export_kind"),
        "export",
        "kind IN ('offerings', 'participations', 'people', 'enrolments', 'attendances', 'certificates')",
    )


def downgrade() -> None:
    op.execute("DELETE FROM export WHERE kind = 'certificates'")
    op.drop_constraint(op.f("ck_export_kind"), "export")
    op.create_check_constraint(
        op.f("ck_export_kind"),
        "export",
        "kind IN ('offerings', 'participations', 'people', 'enrolments', 'attendances')",
    )
