"""Names are compared by `norm/2`: the kept forms of trainees and of legacy certificates are made anew.

PostgreSQL cannot compute the form, so the names are read, and the rows that differ are written.
"""

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

from lms.core.names import norm, norm_version_1

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_BATCH = 10_000
_TABLES = ("trainee", "legacy_certificate")


def upgrade() -> None:
    _rewrite(norm)


def downgrade() -> None:
    _rewrite(norm_version_1)


def _rewrite(form: Callable[[str], str]) -> None:
    connection = op.get_bind()
    for table in _TABLES:
        last = 0
        while True:
            rows = connection.execute(
                sa.text(f"SELECT id, name, name_key FROM {table} WHERE id > :last ORDER BY id LIMIT :batch"),  # noqa: S608
                {"last": last, "batch": _BATCH},
            ).all()
            if not rows:
                break
            last = rows[-1].id
            # A name that shows nothing has no compared form; it keeps the former one and matches no other name.
            changed = [{"id": row.id, "key": key} for row in rows if (key := form(row.name)) and key != row.name_key]
            if changed:
                connection.execute(sa.text(f"UPDATE {table} SET name_key = :key WHERE id = :id"), changed)  # noqa: S608
