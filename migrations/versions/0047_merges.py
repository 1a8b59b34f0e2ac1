"""Two records of one person become one, and the merge can be undone."""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

# An enrolment is refused for a merged record as for an erased one: new enrolments go to the record that it was merged into.
_REFUSE_ENROLMENT = """
    CREATE OR REPLACE FUNCTION refuse_enrolment_of_erased() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT FROM added JOIN trainee ON trainee.id = added.trainee_id WHERE trainee.erased_at IS NOT NULL) THEN
            RAISE EXCEPTION 'the data of this person was erased'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_enrolment_person_erased';
        END IF;
        {merged}
        RETURN NULL;
    END $$
"""
_MERGED = """
        IF EXISTS (SELECT FROM added JOIN trainee ON trainee.id = added.trainee_id
                WHERE trainee.merged_into_id IS NOT NULL) THEN
            RAISE EXCEPTION 'this record was merged into another one'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_enrolment_person_merged';
        END IF;
"""
# The record that is kept is locked, so that two merges at once (A into B, and B into A or into C) see one another.
_CHAIN = """
    CREATE FUNCTION refuse_chain_of_merges() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        further bigint;
    BEGIN
        SELECT merged_into_id INTO further FROM trainee WHERE id = NEW.merged_into_id FOR UPDATE;
        IF further IS NOT NULL OR EXISTS (SELECT FROM trainee WHERE merged_into_id = NEW.id) THEN
            RAISE EXCEPTION 'a merged record is merged no further'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_trainee_merge_chain';
        END IF;
        RETURN NEW;
    END $$
"""


def upgrade() -> None:
    op.add_column("trainee", sa.Column("merged_into_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_trainee_merged_into_id"), "trainee", "trainee", ["merged_into_id"], ["id"])
    op.create_check_constraint(
        op.f("ck_trainee_merged"), "trainee", "merged_into_id <> id AND (merged_into_id IS NULL OR user_id IS NULL)"
    )
    op.create_index(
        "ix_trainee_merged_into", "trainee", ["merged_into_id"], postgresql_where=sa.text("merged_into_id IS NOT NULL")
    )
    op.create_table(
        "trainee_merge",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ref", sa.Uuid(), nullable=False),
        sa.Column("kept_id", sa.BigInteger(), nullable=False),
        sa.Column("merged_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("former_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("merged_by", sa.BigInteger(), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kept_id <> merged_id", name=op.f("ck_trainee_merge_other")),
        sa.CheckConstraint("undone_at IS NOT NULL OR undone_by IS NULL", name=op.f("ck_trainee_merge_undone")),
        sa.ForeignKeyConstraint(["kept_id"], ["trainee.id"], name=op.f("fk_trainee_merge_kept_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["merged_id"], ["trainee.id"], name=op.f("fk_trainee_merge_merged_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["merged_by"], ["app_user.id"], name=op.f("fk_trainee_merge_merged_by")),
        sa.ForeignKeyConstraint(["undone_by"], ["app_user.id"], name=op.f("fk_trainee_merge_undone_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trainee_merge")),
        sa.UniqueConstraint("ref", name=op.f("uq_trainee_merge_ref")),
    )
    op.create_index(op.f("ix_trainee_merge_kept_id"), "trainee_merge", ["kept_id"])
    op.create_index(op.f("ix_trainee_merge_merged_id"), "trainee_merge", ["merged_id"])
    op.create_index(
        "uq_trainee_merge_open", "trainee_merge", ["merged_id"], unique=True,
        postgresql_where=sa.text("undone_at IS NULL"),
    )  # fmt: skip
    op.create_table(
        "trainee_merge_row",
        sa.Column("merge_id", sa.BigInteger(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("row_id", sa.BigInteger(), nullable=False),
        sa.Column("former", sa.dialects.postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["merge_id"], ["trainee_merge.id"], name=op.f("fk_trainee_merge_row_merge_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("merge_id", "table_name", "row_id", name=op.f("pk_trainee_merge_row")),
    )  # fmt: skip
    op.create_table(
        "trainee_pair",
        sa.Column("first_id", sa.BigInteger(), nullable=False),
        sa.Column("second_id", sa.BigInteger(), nullable=False),
        sa.Column("reasons", sa.dialects.postgresql.JSONB(), nullable=False),
        sa.Column("weight", sa.SmallInteger(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("apart_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("apart_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("first_id < second_id", name=op.f("ck_trainee_pair_order")),
        sa.CheckConstraint("apart_at IS NOT NULL OR apart_by IS NULL", name=op.f("ck_trainee_pair_apart")),
        sa.ForeignKeyConstraint(
            ["first_id"], ["trainee.id"], name=op.f("fk_trainee_pair_first_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["second_id"], ["trainee.id"], name=op.f("fk_trainee_pair_second_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["apart_by"], ["app_user.id"], name=op.f("fk_trainee_pair_apart_by")),
        sa.PrimaryKeyConstraint("first_id", "second_id", name=op.f("pk_trainee_pair")),
    )
    op.create_index(op.f("ix_trainee_pair_second_id"), "trainee_pair", ["second_id"])
    op.create_index(
        "ix_trainee_pair_open", "trainee_pair", [sa.text("weight DESC"), "first_id", "second_id"],
        postgresql_where=sa.text("apart_at IS NULL"),
    )  # fmt: skip
    op.execute(_REFUSE_ENROLMENT.format(merged=_MERGED))
    op.execute(_CHAIN)
    op.execute(
        "CREATE TRIGGER merge_chain BEFORE UPDATE OF merged_into_id ON trainee FOR EACH ROW"
        " WHEN (NEW.merged_into_id IS NOT NULL) EXECUTE FUNCTION refuse_chain_of_merges()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER merge_chain ON trainee")
    op.execute("DROP FUNCTION refuse_chain_of_merges()")
    op.execute(_REFUSE_ENROLMENT.format(merged=""))
    op.drop_table("trainee_pair")
    op.drop_table("trainee_merge_row")
    op.drop_table("trainee_merge")
    op.drop_index("ix_trainee_merged_into", "trainee")
    op.drop_constraint(op.f("ck_trainee_merged"), "trainee")
    op.drop_constraint(op.f("fk_trainee_merged_into_id"), "trainee")
    op.drop_column("trainee", "merged_into_id")
