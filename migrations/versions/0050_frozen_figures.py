"""A frozen quarter keeps its figures, people included, and report mails say what is in them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

FIGURES = ("offerings", "enrolled", "named", "counted", "refresher", "minutes", "passed", "certificates", "adjusted")

# The last day of the latest frozen quarter, if the quarter of the day is frozen; else nothing.
REPORTED_UNTIL = """
CREATE FUNCTION reported_until(dated_on date) RETURNS date LANGUAGE sql STABLE AS $$
    SELECT (max(make_date(year, quarter * 3, 1)) + interval '1 month' - interval '1 day')::date FROM frozen_quarter
    HAVING bool_or(year = extract(year FROM dated_on) AND quarter = extract(quarter FROM dated_on))
$$
"""

# The last day of a period of people_count: "2017-03", "2017", or "" for all time.
LAST_DAY = """
CREATE FUNCTION last_day_of(period text) RETURNS date LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE length(period)
        WHEN 0 THEN 'infinity'::date
        WHEN 4 THEN make_date(period::integer, 12, 31)
        ELSE (make_date(left(period, 4)::integer, right(period, 2)::integer, 1) + interval '1 month' - interval '1 day')::date
    END
$$
"""

KEEP_FORMER = """
CREATE FUNCTION keep_former_participation() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last_reported date;
BEGIN
    SELECT reported_until(line.dated_on) INTO last_reported
    FROM person_time_entry AS line WHERE line.offering_id = OLD.offering_id AND line.kind = 'closing';
    IF last_reported IS NOT NULL THEN
        INSERT INTO former_participation (offering_id, until, trainees)
        VALUES (OLD.offering_id, last_reported, OLD.trainees) ON CONFLICT DO NOTHING;
    END IF;
    RETURN NEW;
END
$$
"""

# The figures of the quarters that are frozen already, as they are today.
FREEZE = f"""
INSERT INTO frozen_figures (year, quarter, month, programme_code, district_id, frozen_at, {", ".join(FIGURES)}, people)
WITH line AS (
    SELECT frozen.year, frozen.quarter, extract(month FROM sums.month)::smallint AS month, course.programme_code,
        sums.district_id, sums.offerings, sums.enrolled, sums.named, sums.counted,
        CASE WHEN course.refresher THEN sums.named + sums.counted ELSE 0 END AS refresher, sums.minutes, sums.passed,
        sums.certificates, sums.adjusted
    FROM frozen_quarter AS frozen
    JOIN person_time_month AS sums ON sums.month >= make_date(frozen.year, frozen.quarter * 3 - 2, 1)
        AND sums.month <= make_date(frozen.year, frozen.quarter * 3, 1)
    JOIN course ON course.id = sums.course_id
), figures AS (
    SELECT year, quarter, coalesce(month, 0) AS month, coalesce(programme_code, '') AS programme_code,
        coalesce(district_id, 0) AS district_id, {", ".join(f"sum({name}) AS {name}" for name in FIGURES)}
    FROM line
    GROUP BY GROUPING SETS ((year, quarter), (year, quarter, programme_code), (year, quarter, district_id),
        (year, quarter, programme_code, district_id), (year, quarter, month), (year, quarter, month, programme_code),
        (year, quarter, month, district_id), (year, quarter, month, programme_code, district_id))
), present AS (
    SELECT DISTINCT frozen.year, frozen.quarter, extract(month FROM closing.dated_on)::smallint AS month,
        course.programme_code, offering.district_id, person.id
    FROM frozen_quarter AS frozen
    JOIN person_time_entry AS closing ON closing.kind = 'closing'
        AND closing.dated_on >= make_date(frozen.year, frozen.quarter * 3 - 2, 1)
        AND closing.dated_on < make_date(frozen.year, frozen.quarter * 3 - 2, 1) + interval '3 months'
    JOIN offering ON offering.id = closing.offering_id
    JOIN course ON course.id = offering.course_id
    JOIN participation ON participation.offering_id = offering.id
    CROSS JOIN LATERAL unnest(participation.trainees) AS person (id)
), people AS (
    SELECT year, quarter, coalesce(month, 0) AS month, coalesce(programme_code, '') AS programme_code,
        coalesce(district_id, 0) AS district_id, count(DISTINCT id) AS people
    FROM present
    GROUP BY GROUPING SETS ((year, quarter), (year, quarter, programme_code), (year, quarter, district_id),
        (year, quarter, programme_code, district_id), (year, quarter, month), (year, quarter, month, programme_code),
        (year, quarter, month, district_id), (year, quarter, month, programme_code, district_id))
)
SELECT figures.year, figures.quarter, figures.month, figures.programme_code, figures.district_id, now(),
    {", ".join(f"figures.{name}" for name in FIGURES)}, coalesce(people.people, 0)
FROM figures LEFT JOIN people USING (year, quarter, month, programme_code, district_id)
WHERE {" OR ".join(f"figures.{name} <> 0" for name in FIGURES)} OR people.people > 0
ORDER BY 1, 2, 3, 4, 5
"""  # noqa: S608  # names of columns alone


def upgrade() -> None:
    _frozen_figures()
    op.create_table(
        "former_participation",
        sa.Column("offering_id", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("trainees", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.ForeignKeyConstraint(["offering_id"], ["offering.id"], name=op.f("fk_former_participation_offering_id")),
        sa.PrimaryKeyConstraint("offering_id", "until", name=op.f("pk_former_participation")),
    )
    op.execute(REPORTED_UNTIL)
    op.execute(LAST_DAY)
    op.execute(KEEP_FORMER)
    op.execute(
        "CREATE TRIGGER keep_former BEFORE UPDATE OF trainees ON participation FOR EACH ROW"
        " WHEN (OLD.trainees IS DISTINCT FROM NEW.trainees) EXECUTE FUNCTION keep_former_participation()"
    )
    op.execute(FREEZE)
    _purposes("'revocation', 'superseded', 'types', 'figures'")


def _purposes(purposes: str) -> None:
    """Say which documents the table of signed lists holds."""
    op.drop_constraint(op.f("ck_status_list_purpose"), "status_list")
    op.create_check_constraint(op.f("ck_status_list_purpose"), "status_list", f"purpose IN ({purposes})")


def _frozen_figures() -> None:
    offset = op.get_bind().scalar(sa.text("SELECT number_offset FROM record_numbering")) or 0  # of a restored database
    op.create_table(
        "frozen_figures",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("quarter", sa.SmallInteger(), nullable=False),
        sa.Column("month", sa.SmallInteger(), nullable=False),
        sa.Column("programme_code", sa.Text(), nullable=False),
        sa.Column("district_id", sa.SmallInteger(), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in (*FIGURES, "people")),
        sa.Column(
            "transaction_number",
            sa.BigInteger(),
            nullable=False,
            server_default=sa.text(f"(pg_current_xact_id()::text::bigint + {offset})"),
        ),
        sa.CheckConstraint("quarter BETWEEN 1 AND 4", name=op.f("ck_frozen_figures_quarter")),
        sa.CheckConstraint(
            "month = 0 OR month BETWEEN quarter * 3 - 2 AND quarter * 3", name=op.f("ck_frozen_figures_month")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_frozen_figures")),
    )
    op.create_index(
        "uq_frozen_figures_place",
        "frozen_figures",
        ["year", "quarter", "month", "programme_code", "district_id"],
        unique=True,
    )
    op.create_index("ix_frozen_figures_transaction_number", "frozen_figures", ["transaction_number"])
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON frozen_figures"
        " FOR EACH ROW EXECUTE FUNCTION refuse_alteration()"
    )
    # A later table is the web's and the worker's to alter (migrations/roles.sql); a table of record is not.
    op.execute(
        """
        DO $$
        DECLARE
            given text;
        BEGIN
            FOR given IN SELECT rolname FROM pg_roles WHERE rolname IN ('lms_web', 'lms_worker') LOOP
                EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON frozen_figures FROM %I', given);
            END LOOP;
        END $$
        """
    )


def downgrade() -> None:
    op.execute("DELETE FROM status_list WHERE purpose = 'figures'")
    _purposes("'revocation', 'superseded', 'types'")
    op.execute("DROP TRIGGER keep_former ON participation")
    op.execute("DROP FUNCTION keep_former_participation()")
    op.execute("DROP FUNCTION last_day_of(text)")
    op.execute("DROP FUNCTION reported_until(date)")
    op.drop_table("former_participation")
    op.drop_table("frozen_figures")
