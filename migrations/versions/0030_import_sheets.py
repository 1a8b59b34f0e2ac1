"""An import remembers the sheet that was chosen, and the meanings that a user gave to values of the file.

Files that were received before were read with their hidden rows and columns, and go on being read so.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("import_run", sa.Column("sheet_name", sa.Text(), nullable=True))
    op.add_column("import_run", sa.Column("delimiter", sa.Text(), server_default="", nullable=False))
    op.add_column("import_run", sa.Column("hidden", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("import_run", sa.Column("meanings", JSONB(), server_default="{}", nullable=False))
    op.add_column("import_mapping", sa.Column("meanings", JSONB(), server_default="{}", nullable=False))
    op.execute("UPDATE import_run SET sheet_name = '', hidden = encoding = 'xlsx'")
    for table, column in (
        ("import_run", "delimiter"),
        ("import_run", "hidden"),
        ("import_run", "meanings"),
        ("import_mapping", "meanings"),
    ):
        op.alter_column(table, column, server_default=None)


def downgrade() -> None:
    # The older program knows no file whose sheet is still to be chosen; such a file is sent again.
    op.execute("DELETE FROM import_run WHERE sheet_name IS NULL")
    op.drop_column("import_mapping", "meanings")
    for column in ("meanings", "hidden", "delimiter", "sheet_name"):
        op.drop_column("import_run", column)
