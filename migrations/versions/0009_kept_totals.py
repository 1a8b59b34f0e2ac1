"""Totals that are kept, so that reports answer at once at the branch's size, and an index by which a recount reads."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

FIGURES = ("offerings", "enrolled", "named", "counted", "minutes", "passed", "certificates", "adjusted")

# table, its key's columns, and what each is of a line
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


def _added(table: str, key: tuple[tuple[str, str], ...], source: str) -> str:
    """The statement that adds a set of lines to a table of sums; cells in one order, so that no two writers lock crosswise."""
    columns = (*key, ("course_id", "offering.course_id"), ("district_id", "offering.district_id"))
    names = ", ".join(name for name, _expression in columns)
    chosen = ", ".join(expression for _name, expression in columns)
    places = ", ".join(str(number) for number in range(1, len(columns) + 1))
    adjusted = "line.kind = 'adjustment' OR (line.kind = 'closing' AND line.dated_on <> offering.counted_on)"
    sums = ", ".join(f"sum(line.{name})" for name in FIGURES[1:-1])
    kept = ", ".join(f"{name} = kept.{name} + excluded.{name}" for name in FIGURES)
    return " ".join(
        (
            f"INSERT INTO {table} AS kept ({names}, {', '.join(FIGURES)})",
            f"SELECT {chosen}, count(*) FILTER (WHERE line.kind = 'closing'), {sums},",
            f"coalesce(sum(line.named + line.counted) FILTER (WHERE {adjusted}), 0)",
            f"FROM {source} AS line JOIN offering ON offering.id = line.offering_id",
            f"GROUP BY {places} ORDER BY {places} ON CONFLICT ({names}) DO UPDATE SET {kept};",
        )
    )


# People from the attendances, whole: at this migration, and after data came in by COPY.
REBUILD = """
CREATE FUNCTION rebuild_people() RETURNS void LANGUAGE sql BEGIN ATOMIC
DELETE FROM people_count;
DELETE FROM participation;
INSERT INTO participation (offering_id, trainees)
SELECT line.offering_id, coalesce(array_agg(DISTINCT there.trainee_id) FILTER (WHERE there.trainee_id IS NOT NULL), '{}')
FROM person_time_entry AS line
LEFT JOIN (
    SELECT enrolment.offering_id, enrolment.trainee_id
    FROM enrolment WHERE EXISTS (SELECT FROM attendance WHERE attendance.enrolment_id = enrolment.id)
) AS there ON there.offering_id = line.offering_id
WHERE line.kind = 'closing'
GROUP BY line.offering_id;
INSERT INTO people_count (programme_code, district_id, period, people)
SELECT programme_code, district_id, period, people FROM people_recounted;
END
"""

RECOUNTED = """
CREATE VIEW people_recounted AS
WITH took AS MATERIALIZED (
    SELECT held.programme_code, held.district_id, held.month, person.id
    FROM (
        SELECT course.programme_code, offering.district_id, participation.trainees,
            extract(year FROM line.dated_on)::integer * 100 + extract(month FROM line.dated_on)::integer AS month
        FROM participation
        JOIN person_time_entry AS line ON line.offering_id = participation.offering_id AND line.kind = 'closing'
        JOIN offering ON offering.id = participation.offering_id
        JOIN course ON course.id = offering.course_id
    ) AS held CROSS JOIN LATERAL unnest(held.trainees) AS person (id)
), by_month AS MATERIALIZED (SELECT DISTINCT month, id FROM took
), by_year AS MATERIALIZED (SELECT DISTINCT month / 100 AS year, id FROM by_month
), by_programme AS MATERIALIZED (SELECT DISTINCT programme_code, month / 100 AS year, id FROM took
), by_district AS MATERIALIZED (SELECT DISTINCT district_id, month / 100 AS year, id FROM took
)
SELECT '' AS programme_code, 0::smallint AS district_id, to_char(month, 'FM0000"-"00') AS period, count(*)::integer AS people
FROM by_month GROUP BY month
UNION ALL SELECT '', 0::smallint, year::text, count(*)::integer FROM by_year GROUP BY year
UNION ALL SELECT '', 0::smallint, '', count(*)::integer FROM (SELECT DISTINCT id FROM by_year) AS everybody HAVING count(*) > 0
UNION ALL SELECT programme_code, 0::smallint, year::text, count(*)::integer FROM by_programme GROUP BY programme_code, year
UNION ALL SELECT programme_code, 0::smallint, '', count(*)::integer
FROM (SELECT DISTINCT programme_code, id FROM by_programme) AS ever GROUP BY programme_code
UNION ALL SELECT '', district_id, year::text, count(*)::integer FROM by_district GROUP BY district_id, year
UNION ALL SELECT '', district_id, '', count(*)::integer
FROM (SELECT DISTINCT district_id, id FROM by_district) AS ever GROUP BY district_id
"""


def _sums_table(name: str, first: tuple[str, sa.types.TypeEngine], *last: tuple[str, sa.types.TypeEngine]) -> None:
    columns = (first, ("course_id", sa.BigInteger()), ("district_id", sa.SmallInteger()), *last)
    pointing = [column for column, _kind in columns if column in {"course_id", "district_id", "organisation_id"}]
    op.create_table(
        name,
        *(sa.Column(column, kind, autoincrement=False, nullable=False) for column, kind in columns),
        *(sa.Column(figure, sa.Integer(), nullable=False) for figure in FIGURES),
        *(
            sa.ForeignKeyConstraint([column], [f"{column.removesuffix('_id')}.id"], name=op.f(f"fk_{name}_{column}"))
            for column in pointing
        ),
        sa.PrimaryKeyConstraint(*(column for column, _kind in columns), name=op.f(f"pk_{name}")),
    )


def upgrade() -> None:
    _sums_table("person_time_month", ("month", sa.Date()))
    _sums_table("person_time_host", ("year", sa.SmallInteger()), ("organisation_id", sa.BigInteger()))
    _sums_table("person_time_lead", ("year", sa.SmallInteger()), ("instructor_id", sa.BigInteger()))
    op.create_table(
        "participation",
        sa.Column("offering_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("trainees", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.ForeignKeyConstraint(["offering_id"], ["offering.id"], name=op.f("fk_participation_offering_id")),
        sa.PrimaryKeyConstraint("offering_id", name=op.f("pk_participation")),
    )
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
    op.create_index("ix_enrolment_offering_id", "enrolment", ["offering_id"])
    op.execute(RECOUNTED)
    op.execute(REBUILD)
    for table, key in SUMS:
        op.execute(_added(table, key, "person_time_entry"))
    body = "\n".join(_added(table, key, "fresh") for table, key in SUMS)
    op.execute(
        f"CREATE FUNCTION keep_person_times() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER keep_person_times AFTER INSERT ON person_time_entry REFERENCING NEW TABLE AS fresh"
        " FOR EACH STATEMENT EXECUTE FUNCTION keep_person_times()"
    )
    op.execute("SELECT rebuild_people()")


def downgrade() -> None:
    op.execute("DROP TRIGGER keep_person_times ON person_time_entry")
    op.execute("DROP FUNCTION keep_person_times()")
    op.execute("DROP FUNCTION rebuild_people()")
    op.execute("DROP VIEW people_recounted")
    op.drop_index("ix_enrolment_offering_id", table_name="enrolment")
    for table in ("people_count", "participation", "person_time_lead", "person_time_host", "person_time_month"):
        op.drop_table(table)
