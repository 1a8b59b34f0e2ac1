"""The ledger takes a closing back: an entry of the kind `withdrawal` counts one offering less.

Imports that were undone before get theirs here, dated and recorded as the correction that took their figures back. There
is no way down while the ledger has a withdrawal. A month of a district and a programme may have opening balances of
several sources: a person decides on the second one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

FIGURES = ("offerings", "enrolled", "named", "counted", "minutes", "passed", "certificates", "adjusted")
SUMS = (
    ("person_time_month", (("month", "date_trunc('month', line.dated_on)::date"),)),
    (
        "person_time_host",
        (("year", "extract(year FROM line.dated_on)::smallint"), ("organisation_id", "offering.organisation_id")),
    ),
    (
        "person_time_lead",
        (
            ("year", "extract(year FROM line.dated_on)::smallint"),
            ("instructor_id", "coalesce(offering.lead_instructor_id, 0)"),
        ),
    ),
)
KINDS = ("closing", "correction", "adjustment", "certification")
CORRECTING = ("correction", "adjustment")
CLOSINGS = "count(*) FILTER (WHERE line.kind = 'closing')"
LATE_CLOSING = (
    "NEW.kind = 'closing' AND EXISTS (SELECT FROM offering"
    " WHERE offering.id = NEW.offering_id AND offering.counted_on <> NEW.dated_on)"
)
LATE_WITHDRAWAL = (
    "NEW.kind = 'withdrawal' AND EXISTS (SELECT FROM person_time_entry AS closing"
    " WHERE closing.id = NEW.corrects_id AND (closing.late OR closing.dated_on <> NEW.dated_on))"
)


def _added(table: str, key: tuple[tuple[str, str], ...], source: str, offerings: str, late: str) -> str:
    """Return the statement that adds entries to a rollup, its rows in one order, so that writers do not deadlock."""
    columns = (*key, ("course_id", "offering.course_id"), ("district_id", "offering.district_id"))
    names = ", ".join(name for name, _expression in columns)
    chosen = ", ".join(expression for _name, expression in columns)
    places = ", ".join(str(number) for number in range(1, len(columns) + 1))
    sums = ", ".join(f"sum(line.{name})" for name in FIGURES[1:-1])
    added = ", ".join(f"{name} = kept.{name} + excluded.{name}" for name in FIGURES)
    return " ".join(
        (
            f"INSERT INTO {table} AS kept ({names}, {', '.join(FIGURES)})",
            f"SELECT {chosen}, {offerings}, {sums},",
            f"coalesce(sum(line.named + line.counted) FILTER (WHERE {late}), 0)",
            f"FROM {source} AS line JOIN offering ON offering.id = line.offering_id",
            f"GROUP BY {places} ORDER BY {places} ON CONFLICT ({names}) DO UPDATE SET {added};",
        )
    )


def _keep(offerings: str, late: str) -> None:
    body = "\n".join(_added(table, key, "fresh", offerings, late) for table, key in SUMS)
    op.execute(
        "CREATE OR REPLACE FUNCTION keep_person_times() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN {body} RETURN NULL; END $$"
    )


def _mark_late(*conditions: str) -> None:
    late = " OR ".join(f"({condition})" for condition in ("NEW.kind = 'adjustment'", *conditions))
    op.execute(
        "CREATE OR REPLACE FUNCTION mark_late() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN NEW.late := {late}; RETURN NEW; END $$"
    )


def _check_kinds(kinds: tuple[str, ...], correcting: tuple[str, ...]) -> None:
    all_kinds, those = (", ".join(f"'{kind}'" for kind in names) for names in (kinds, correcting))
    checks = {
        "kind": f"kind IN ({all_kinds})",
        "reason": f"kind NOT IN ({those}) OR reason IS NOT NULL",
        "corrects": f"(kind IN ({those})) = (corrects_id IS NOT NULL)",
    }
    for name, condition in checks.items():
        op.drop_constraint(op.f(f"ck_person_time_entry_{name}"), "person_time_entry")
        op.create_check_constraint(op.f(f"ck_person_time_entry_{name}"), "person_time_entry", condition)


def upgrade() -> None:
    _check_kinds((*KINDS, "withdrawal"), (*CORRECTING, "withdrawal"))
    _mark_late(LATE_CLOSING, LATE_WITHDRAWAL)
    _keep(f"{CLOSINGS} - count(*) FILTER (WHERE line.kind = 'withdrawal')", "line.late")
    op.create_index(
        "uq_person_time_entry_withdrawal",
        "person_time_entry",
        ["offering_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'withdrawal'"),
    )
    op.execute(
        "INSERT INTO person_time_entry (offering_id, kind, dated_on, recorded_at, recorded_by, corrects_id, reason,"
        " enrolled, named, counted, minutes, passed, certificates)"
        " SELECT line.offering_id, 'withdrawal', line.dated_on, line.recorded_at, line.recorded_by, closing.id,"
        " line.reason, 0, 0, 0, 0, 0, 0 FROM offering"
        " JOIN person_time_entry AS closing ON closing.offering_id = offering.id AND closing.kind = 'closing'"
        " JOIN person_time_entry AS line ON line.corrects_id = closing.id"
        " WHERE offering.state = 'cancelled' ORDER BY line.id"
    )
    _unique_balance("month", "district_id", "programme_code", "source_id")


def _unique_balance(*columns: str) -> None:
    op.drop_index("uq_opening_balance_active", table_name="opening_balance")
    op.create_index(
        "uq_opening_balance_active", "opening_balance", list(columns), unique=True, postgresql_where=sa.text("active")
    )


def downgrade() -> None:
    _unique_balance("month", "district_id", "programme_code")
    op.drop_index("uq_person_time_entry_withdrawal", table_name="person_time_entry")
    # A table of record is never altered, and the older schema has no withdrawals: with one of them this fails.
    _check_kinds(KINDS, CORRECTING)
    _mark_late(LATE_CLOSING)
    late = "line.kind = 'adjustment' OR (line.kind = 'closing' AND line.dated_on <> offering.counted_on)"
    _keep(CLOSINGS, late)
