"""The figures that reports are held against: targets, the registered population, and totals from before the system."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "target",
        sa.Column("year", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("programme_code", sa.Text(), nullable=False),
        sa.Column("district_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("person_times", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("year BETWEEN 1980 AND 2100", name=op.f("ck_target_year")),
        sa.CheckConstraint("person_times BETWEEN 1 AND 10000000", name=op.f("ck_target_person_times")),
        sa.ForeignKeyConstraint(["programme_code"], ["programme.code"], name=op.f("fk_target_programme_code")),
        sa.ForeignKeyConstraint(["district_id"], ["district.id"], name=op.f("fk_target_district_id")),
        sa.PrimaryKeyConstraint("year", "programme_code", "district_id", name=op.f("pk_target")),
    )
    op.create_table(
        "population",
        sa.Column("district_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("year", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("people", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint("year BETWEEN 1980 AND 2100", name=op.f("ck_population_year")),
        sa.CheckConstraint("people BETWEEN 1 AND 100000000", name=op.f("ck_population_people")),
        sa.ForeignKeyConstraint(["district_id"], ["district.id"], name=op.f("fk_population_district_id")),
        sa.PrimaryKeyConstraint("district_id", "year", name=op.f("pk_population")),
    )
    op.create_table(
        "opening_source",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("file", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_reason IS NULL)", name=op.f("ck_opening_source_withdrawn")
        ),
        sa.CheckConstraint("octet_length(file) <= 8388608", name=op.f("ck_opening_source_file")),
        sa.ForeignKeyConstraint(["added_by"], ["app_user.id"], name=op.f("fk_opening_source_added_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opening_source")),
    )
    op.create_table(
        "opening_balance",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("district_id", sa.SmallInteger(), nullable=False),
        sa.Column("programme_code", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("person_times", sa.BigInteger(), nullable=False),
        sa.Column("certificates", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("extract(day FROM month) = 1", name=op.f("ck_opening_balance_month")),
        sa.CheckConstraint("person_times BETWEEN 0 AND 100000000", name=op.f("ck_opening_balance_person_times")),
        sa.CheckConstraint("certificates BETWEEN 0 AND 100000000", name=op.f("ck_opening_balance_certificates")),
        sa.ForeignKeyConstraint(["source_id"], ["opening_source.id"], name=op.f("fk_opening_balance_source_id")),
        sa.ForeignKeyConstraint(["district_id"], ["district.id"], name=op.f("fk_opening_balance_district_id")),
        sa.ForeignKeyConstraint(["programme_code"], ["programme.code"], name=op.f("fk_opening_balance_programme_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opening_balance")),
    )
    op.create_index(op.f("ix_opening_balance_source_id"), "opening_balance", ["source_id"])
    op.create_index(
        "uq_opening_balance_active",
        "opening_balance",
        ["month", "district_id", "programme_code"],
        unique=True,
        postgresql_where=sa.text("active"),
    )


def downgrade() -> None:
    for table in ("opening_balance", "opening_source", "population", "target"):
        op.drop_table(table)
