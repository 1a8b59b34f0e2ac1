"""Targets are set by sector, too."""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sector_target",
        sa.Column("year", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("programme_code", sa.Text(), nullable=False),
        sa.Column("sector", sa.Text(), nullable=False),
        sa.Column("person_times", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("year BETWEEN 1980 AND 2100", name=op.f("ck_sector_target_year")),
        sa.CheckConstraint("person_times BETWEEN 1 AND 10000000", name=op.f("ck_sector_target_person_times")),
        sa.ForeignKeyConstraint(["programme_code"], ["programme.code"], name=op.f("fk_sector_target_programme_code")),
        sa.PrimaryKeyConstraint("year", "programme_code", "sector", name=op.f("pk_sector_target")),
    )


def downgrade() -> None:
    op.drop_table("sector_target")
