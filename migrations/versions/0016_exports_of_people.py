"""Exports of the people behind a number, of one offering and of one session."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint(op.f("ck_export_kind"), "export")
    op.create_check_constraint(
        op.f("ck_export_kind"),
        "export",
        "kind IN ('offerings', 'participations', 'people', 'enrolments', 'attendances')",
    )


def downgrade() -> None:
    op.execute("DELETE FROM export WHERE kind IN ('people', 'enrolments', 'attendances')")
    op.drop_constraint(op.f("ck_export_kind"), "export")
    op.create_check_constraint(op.f("ck_export_kind"), "export", "kind IN ('offerings', 'participations')")
