"""Reports are saved by name and shared within one's reach."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "saved_view",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("arguments", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("district_id", sa.SmallInteger(), nullable=True),
        sa.Column("organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "audience IN ('nobody', 'organisation', 'district', 'branch')", name=op.f("ck_saved_view_audience")
        ),
        sa.CheckConstraint("(audience = 'district') = (district_id IS NOT NULL)", name=op.f("ck_saved_view_district")),
        sa.CheckConstraint(
            "(audience = 'organisation') = (organisation_id IS NOT NULL)", name=op.f("ck_saved_view_organisation")
        ),
        sa.CheckConstraint("name <> ''", name=op.f("ck_saved_view_name")),
        sa.ForeignKeyConstraint(["owner_id"], ["app_user.id"], name=op.f("fk_saved_view_owner_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["district_id"], ["district.id"], name=op.f("fk_saved_view_district_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_saved_view_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint("ref", name=op.f("uq_saved_view_ref")),
        sa.UniqueConstraint("owner_id", "name", name=op.f("uq_saved_view_owner_id")),
    )
    op.create_index(op.f("ix_saved_view_district_id"), "saved_view", ["district_id"])
    op.create_index(op.f("ix_saved_view_organisation_id"), "saved_view", ["organisation_id"])
    op.add_column(
        "export",
        sa.Column(
            "organisation_ids", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False
        ),
    )
    op.create_index(op.f("ix_person_time_host_organisation_id"), "person_time_host", ["organisation_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_person_time_host_organisation_id"), table_name="person_time_host")
    op.drop_column("export", "organisation_ids")
    op.drop_table("saved_view")
