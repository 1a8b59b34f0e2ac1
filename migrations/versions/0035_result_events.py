"""Theory marks and retests are kept as they were received, of record, as skill results are.

Scores and retests that exist already become events too, so that an attempt can be worked out again from its events.
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _event_table("theory_event", sa.Column("score", sa.SmallInteger(), nullable=True), first_attempt=1)
    op.create_check_constraint(op.f("ck_theory_event_score"), "theory_event", "score BETWEEN 0 AND 100")
    _event_table("retest_event", first_attempt=2)
    op.execute(
        """
        INSERT INTO theory_event (id, enrolment_id, attempt, score, happened_at, received_at)
        SELECT gen_random_uuid(), enrolment_id, attempt, theory_score, assessed_at, assessed_at
        FROM assessment WHERE theory_score IS NOT NULL
        """
    )
    op.execute(
        """
        INSERT INTO retest_event (id, enrolment_id, attempt, happened_at, received_at)
        SELECT gen_random_uuid(), enrolment_id, attempt, started_at, started_at FROM assessment WHERE attempt > 1
        """
    )


def _event_table(table: str, *facts: sa.Column, first_attempt: int) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("course_session_id", sa.BigInteger(), nullable=True),
        sa.Column("enrolment_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        *facts,
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("offset_ms", sa.BigInteger(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("device_id", sa.BigInteger(), nullable=True),
        sa.Column("review", sa.Text(), nullable=True),
        sa.Column(
            "transaction_number",
            sa.BigInteger(),
            nullable=False,
            server_default=sa.text("(pg_current_xact_id()::text::bigint + 0)"),
        ),
        sa.CheckConstraint(f"attempt >= {first_attempt}", name=op.f(f"ck_{table}_attempt")),
        sa.CheckConstraint(
            "review IN ('offering_closed', 'not_running', 'not_enrolled')", name=op.f(f"ck_{table}_review")
        ),
        sa.ForeignKeyConstraint(
            ["course_session_id"], ["course_session.id"], name=op.f(f"fk_{table}_course_session_id")
        ),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolment.id"], name=op.f(f"fk_{table}_enrolment_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f(f"fk_{table}_user_id")),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f(f"fk_{table}_device_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(f"ix_{table}_attempt", table, ["enrolment_id", "attempt"])
    op.create_index(op.f(f"ix_{table}_course_session_id"), table, ["course_session_id"])
    op.create_index(f"ix_{table}_transaction_number", table, ["transaction_number"])
    op.execute(
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
        " FOR EACH ROW EXECUTE FUNCTION refuse_alteration()"
    )
    # A later table is the web's and the worker's to alter (migrations/roles.sql); a table of record is not.
    for role in ("lms_web", "lms_worker"):
        if op.get_bind().scalar(sa.text("SELECT count(*) FROM pg_roles WHERE rolname = :role"), {"role": role}):
            op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {role}")
    _number_as_elsewhere(table)


def _number_as_elsewhere(table: str) -> None:
    """Take the offset of the transaction numbers from a table of record that exists, as after a restored dump."""
    default = op.get_bind().scalar(
        sa.text(
            "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum"
            " WHERE adrelid = 'skill_event'::regclass AND attname = 'transaction_number'"
        )
    )
    op.execute(f"ALTER TABLE {table} ALTER transaction_number SET DEFAULT {default}")


def downgrade() -> None:
    op.drop_table("retest_event")
    op.drop_table("theory_event")
