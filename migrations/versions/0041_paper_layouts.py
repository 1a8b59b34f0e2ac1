"""Holds the layout and the wording of a course's certificate and the seals of issuing units."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "certificate_layout",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("course_id", sa.BigInteger(), nullable=True),
        sa.Column("wording", postgresql.JSONB(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["course_id"], ["course.id"], name=op.f("fk_certificate_layout_course_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["changed_by"], ["app_user.id"], name=op.f("fk_certificate_layout_changed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate_layout")),
    )
    op.create_index(
        "uq_certificate_layout_course_id",
        "certificate_layout",
        ["course_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "certificate_picture",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("suffix", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("digest ~ '^[0-9a-f]{64}$'", name=op.f("ck_certificate_picture_digest")),
        sa.CheckConstraint("suffix IN ('.png', '.svg')", name=op.f("ck_certificate_picture_suffix")),
        sa.CheckConstraint("octet_length(content) BETWEEN 1 AND 1048576", name=op.f("ck_certificate_picture_content")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_certificate_picture")),
    )
    op.create_table(
        "unit_seal",
        sa.Column("unit", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("picture", sa.Text(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("unit BETWEEN 0 AND 255", name=op.f("ck_unit_seal_unit")),
        sa.ForeignKeyConstraint(["picture"], ["certificate_picture.digest"], name=op.f("fk_unit_seal_picture")),
        sa.ForeignKeyConstraint(["set_by"], ["app_user.id"], name=op.f("fk_unit_seal_set_by")),
        sa.PrimaryKeyConstraint("unit", name=op.f("pk_unit_seal")),
    )


def downgrade() -> None:
    op.drop_table("unit_seal")
    op.drop_table("certificate_picture")
    op.drop_table("certificate_layout")
