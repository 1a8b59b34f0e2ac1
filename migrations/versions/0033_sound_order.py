"""Names are kept with the key that sorts them by their pinyin.

PostgreSQL cannot read a name, so the distinct names of each range of rows are read here, and one statement writes the
range. On two cores about 20,000 rows a second are written.
"""

import sqlalchemy as sa
from alembic import op

from lms.core.name_order import by_sound

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_BATCH = 50_000
_TABLES = ("trainee", "instructor", "app_user")


def upgrade() -> None:
    op.execute("CREATE TEMP TABLE sound (name text PRIMARY KEY, name_sound text NOT NULL) ON COMMIT DROP")
    for table in _TABLES:
        op.add_column(table, sa.Column("name_sound", sa.Text(collation="C"), nullable=True))
        _fill(table)
        op.alter_column(table, "name_sound", nullable=False)
    op.create_index("ix_trainee_name_sound", "trainee", ["name_sound"])
    # Each row is changed once, when its person gets a record: with room beside it no index is touched.
    op.execute("ALTER TABLE import_person SET (fillfactor = 50)")
    op.add_column("import_attendance", sa.Column("name_sound", sa.Text(), nullable=True))
    _fill_attendances()
    op.alter_column("import_attendance", "name_sound", nullable=False)


def downgrade() -> None:
    op.execute("ALTER TABLE import_person RESET (fillfactor)")
    op.drop_index("ix_trainee_name_sound", "trainee")
    for table in (*_TABLES, "import_attendance"):
        op.drop_column(table, "name_sound")


def _fill(table: str) -> None:
    connection = op.get_bind()
    last = connection.scalar(sa.text(f"SELECT max(id) FROM {table}")) or 0  # noqa: S608  # our own names
    for first in range(0, last, _BATCH):
        _fill_range(table, "id > :first AND id <= :last", {"first": first, "last": first + _BATCH})


def _fill_attendances() -> None:
    for run in op.get_bind().scalars(sa.text("SELECT DISTINCT run_id FROM import_attendance")).all():
        _fill_range("import_attendance", "run_id = :run", {"run": run})


def _fill_range(table: str, condition: str, values: dict[str, int]) -> None:
    connection = op.get_bind()
    unread = connection.scalars(
        sa.text(
            f"SELECT DISTINCT name FROM {table} WHERE {condition}"  # noqa: S608  # our own names
            f" AND NOT EXISTS (SELECT FROM sound WHERE sound.name = {table}.name)"
        ),
        values,
    ).all()
    if unread:
        connection.execute(
            sa.text("INSERT INTO sound VALUES (:name, :name_sound)"),
            [{"name": name, "name_sound": by_sound(name)} for name in unread],
        )
    connection.execute(
        sa.text(
            f"UPDATE {table} SET name_sound = sound.name_sound FROM sound"  # noqa: S608  # our own names
            f" WHERE sound.name = {table}.name AND {condition}"
        ),
        values,
    )
