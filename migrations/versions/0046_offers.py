"""A place that became free is offered to the waiting list, with an end; people who were enrolled together wait together."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

OFFERED = "state = 'waitlisted' AND offered_until IS NOT NULL"


def upgrade() -> None:
    op.create_table(
        "enrolment_group",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("offering_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("may_split", sa.Boolean(), nullable=False),
        sa.Column("passed_over", sa.BigInteger(), nullable=False),
        sa.Column("kept_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("passed_over >= 0", name=op.f("ck_enrolment_group_passed_over")),
        sa.CheckConstraint("kept_since IS NULL OR NOT may_split", name=op.f("ck_enrolment_group_kept")),
        sa.ForeignKeyConstraint(
            ["offering_id"], ["offering.id"], name=op.f("fk_enrolment_group_offering_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["enrolment.id"], name=op.f("fk_enrolment_group_contact_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment_group")),
        sa.UniqueConstraint("contact_id", name=op.f("uq_enrolment_group_contact_id")),
    )
    op.create_index("ix_enrolment_group_offering_id", "enrolment_group", ["offering_id"])
    op.create_index(
        "ix_enrolment_group_kept", "enrolment_group", ["kept_since"], postgresql_where="kept_since IS NOT NULL"
    )
    op.add_column("enrolment", sa.Column("offered_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("enrolment", sa.Column("group_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_enrolment_group_id"), "enrolment", "enrolment_group", ["group_id"], ["id"])
    op.create_index("ix_enrolment_offered", "enrolment", ["offered_until", "offering_id"], postgresql_where=OFFERED)
    op.create_index("ix_enrolment_group_id", "enrolment", ["group_id"], postgresql_where="group_id IS NOT NULL")
    op.create_check_constraint(
        op.f("ck_enrolment_offered"),
        "enrolment",
        "offered_until IS NULL OR state = 'waitlisted' OR (state = 'cancelled' AND cancelled_at >= offered_until)",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_enrolment_offered"), "enrolment", type_="check")
    op.drop_index("ix_enrolment_group_id", table_name="enrolment", postgresql_where="group_id IS NOT NULL")
    op.drop_index("ix_enrolment_offered", table_name="enrolment", postgresql_where=OFFERED)
    op.drop_constraint(op.f("fk_enrolment_group_id"), "enrolment", type_="foreignkey")
    op.drop_column("enrolment", "group_id")
    op.drop_column("enrolment", "offered_until")
    op.drop_table("enrolment_group")
