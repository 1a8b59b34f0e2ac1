"""Indexes for the rows that a page of reports looks for among millions: lines that change frozen quarters, and check-ins taken back."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("person_time_entry", sa.Column("late", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute("ALTER TABLE person_time_entry DISABLE TRIGGER append_only")  # a new column of what stands otherwise
    op.execute("UPDATE person_time_entry SET late = true WHERE kind = 'adjustment'")
    op.execute(
        "UPDATE person_time_entry AS line SET late = true FROM offering"
        " WHERE offering.id = line.offering_id AND line.kind = 'closing' AND line.dated_on <> offering.counted_on"
    )
    op.execute("ALTER TABLE person_time_entry ENABLE TRIGGER append_only")
    op.execute(
        "CREATE FUNCTION mark_late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " NEW.late := NEW.kind = 'adjustment' OR (NEW.kind = 'closing' AND EXISTS ("
        "SELECT FROM offering WHERE offering.id = NEW.offering_id AND offering.counted_on <> NEW.dated_on));"
        " RETURN NEW; END $$"
    )
    op.execute("CREATE TRIGGER mark_late BEFORE INSERT ON person_time_entry FOR EACH ROW EXECUTE FUNCTION mark_late()")
    op.create_index("ix_person_time_entry_late", "person_time_entry", ["dated_on"], postgresql_where=sa.text("late"))
    op.create_index(
        "ix_attendance_event_undoes", "attendance_event", ["undoes"], postgresql_where=sa.text("undoes IS NOT NULL")
    )
    op.execute("ANALYZE person_time_entry")  # before it, nobody knows how few are late


def downgrade() -> None:
    op.drop_index("ix_attendance_event_undoes", table_name="attendance_event")
    op.drop_index("ix_person_time_entry_late", table_name="person_time_entry")
    op.execute("DROP TRIGGER mark_late ON person_time_entry")
    op.execute("DROP FUNCTION mark_late()")
    op.drop_column("person_time_entry", "late")
