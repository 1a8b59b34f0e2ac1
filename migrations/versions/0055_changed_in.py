"""A participation bears the number of the transaction that wrote it, so that copies in memory can follow the changes.

Such a copy answers every question of a report. The numbers of people and the sums by lead instructor are no longer kept
in tables.
"""

import runpy
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

NUMBERED = ("participation", "former_participation")
DROPPED = ("people_count", "person_time_lead")
# The number is written as those of the tables of record are (`lms.core.records`), whoever writes the row.
FUNCTION = """
CREATE FUNCTION number_participation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed_in := pg_current_xact_id()::text::bigint + (SELECT number_offset FROM public.record_numbering);
    RETURN NEW;
END
$$
"""


def _former(name: str) -> dict[str, object]:
    """The names of another migration, whose statements are written once."""
    return runpy.run_path(str(Path(__file__).with_name(name)))


def _keep(tables: int) -> None:
    """Let the trigger of the ledger keep the first of the tables of sums."""
    former = _former("0029_withdrawals.py")
    offerings = f"{former['CLOSINGS']} - count(*) FILTER (WHERE line.kind = 'withdrawal')"
    body = "\n".join(
        former["_added"](table, key, "fresh", offerings, "line.late")  # type: ignore[operator]
        for table, key in former["SUMS"][:tables]  # type: ignore[index]
    )
    op.execute(
        "CREATE OR REPLACE FUNCTION keep_person_times() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN {body} RETURN NULL; END $$"
    )


def upgrade() -> None:
    """Add the number; the rows that are there have 0, which is before every transaction. Drop what is kept no more."""
    op.execute(FUNCTION)
    for table in NUMBERED:
        op.add_column(table, sa.Column("changed_in", sa.BigInteger(), server_default="0", nullable=False))
        op.create_index(f"ix_{table}_changed_in", table, ["changed_in"])
        op.execute(
            f"CREATE TRIGGER number_participation BEFORE INSERT OR UPDATE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION number_participation()"
        )
    _keep(2)
    op.execute("DROP FUNCTION rebuild_people()")
    op.execute("DROP VIEW people_recounted")
    op.execute("DROP FUNCTION last_day_of(text)")
    for table in DROPPED:
        op.drop_table(table)


def downgrade() -> None:
    """Keep the sums and numbers in their tables again."""
    for table in NUMBERED:
        op.execute(f"DROP TRIGGER number_participation ON {table}")
        op.drop_index(f"ix_{table}_changed_in", table)
        op.drop_column(table, "changed_in")
    op.execute("DROP FUNCTION number_participation()")
    first, later = _former("0009_kept_totals.py"), _former("0029_withdrawals.py")
    first["_sums_table"](  # type: ignore[operator]
        "person_time_lead", ("year", sa.SmallInteger()), ("instructor_id", sa.BigInteger())
    )
    offerings = f"{later['CLOSINGS']} - count(*) FILTER (WHERE line.kind = 'withdrawal')"
    for table, key in later["SUMS"][2:]:  # type: ignore[index]
        op.execute(later["_added"](table, key, "person_time_entry", offerings, "line.late"))  # type: ignore[operator]
    _keep(3)
    op.create_table(
        "people_count",
        sa.Column("programme_code", sa.Text(), nullable=False),
        sa.Column("district_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.CheckConstraint("programme_code = '' OR district_id = 0", name=op.f("ck_people_count_one_dimension")),
        sa.CheckConstraint("period ~ '^([0-9]{4}(-[0-9]{2})?)?$'", name=op.f("ck_people_count_period")),
        sa.PrimaryKeyConstraint("programme_code", "district_id", "period", name=op.f("pk_people_count")),
    )
    op.execute(_former("0050_frozen_figures.py")["LAST_DAY"])
    op.execute(first["RECOUNTED"])
    op.execute(first["REBUILD"])
    op.execute(
        "INSERT INTO people_count (programme_code, district_id, period, people)"
        " SELECT programme_code, district_id, period, people FROM people_recounted"
    )
