"""Roles for the web and the worker, with the rights that each needs and no more.

Roles belong to the whole server and may be in use by its other databases, so they are made when missing and never dropped.
Where the migrating user may not make them, the migration goes on with a warning: docs/operations.md has the SQL.
"""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ROLES = Path(__file__).parent.parent / "roles.sql"


def upgrade() -> None:
    _run(_ROLES.read_text(encoding="utf-8"))


def downgrade() -> None:
    _run(
        """
        DO $$
        DECLARE
            given text;
        BEGIN
            FOR given IN SELECT rolname FROM pg_roles WHERE rolname IN ('lms_web', 'lms_worker') LOOP
                EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM %I', given);
                EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON SEQUENCES FROM %I', given);
                EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA public FROM %I', given);
                EXECUTE format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM %I', given);
                EXECUTE format('REVOKE USAGE ON SCHEMA public FROM %I', given);
            END LOOP;
        END $$
        """
    )


def _run(statements: str) -> None:
    """Run SQL as it is written: a percent sign in it is none of the driver's."""
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})
