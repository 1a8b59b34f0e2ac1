"""Holds what the public page of a class says and the trainings that organisations ask for."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

OFFERING_TEXTS = ("contact_name", "contact_phone", "directions", "map_address", "bring", "fee_note")
# Code, months, and the reasons for the period.
RULES = (
    ("training_request", 6, "区里处理完毕后，留作核对的时间", "time for questions after the district has decided"),
    ("class_contact", 6, "班次结束后，留作咨询的时间", "time for questions after the training has ended"),
)


def upgrade() -> None:
    for name in OFFERING_TEXTS:
        op.add_column("offering", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("offering", sa.Column("fee", sa.Numeric(8, 2), nullable=True))
    op.create_check_constraint(op.f("ck_offering_fee"), "offering", "fee >= 0")
    op.create_check_constraint(
        op.f("ck_offering_contact"), "offering", "contact_name IS NULL OR contact_phone IS NOT NULL"
    )
    for table, names in (("course", ("bring_zh", "bring_en")), ("organisation", ("contact_name", "contact_phone"))):
        for name in names:
            op.add_column(table, sa.Column(name, sa.Text(), nullable=True))
    op.create_check_constraint(
        op.f("ck_organisation_contact"), "organisation", "contact_name IS NULL OR contact_phone IS NOT NULL"
    )
    op.create_table(
        "training_request",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ref", sa.Uuid(), nullable=False),
        sa.Column("district_id", sa.SmallInteger(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_name", sa.Text(), nullable=False),
        sa.Column("people", sa.SmallInteger(), nullable=False),
        sa.Column("days", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("privacy_version", sa.SmallInteger(), nullable=False),
        sa.Column("form_hash", sa.LargeBinary(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("offering_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("state IN ('open', 'accepted', 'declined')", name=op.f("ck_training_request_state")),
        sa.CheckConstraint("(state = 'open') = (decided_at IS NULL)", name=op.f("ck_training_request_decided")),
        sa.CheckConstraint("(state = 'declined') = (answer IS NOT NULL)", name=op.f("ck_training_request_answer")),
        sa.CheckConstraint("people >= 1", name=op.f("ck_training_request_people")),
        sa.CheckConstraint("language IN ('zh', 'en')", name=op.f("ck_training_request_language")),
        sa.CheckConstraint("octet_length(form_hash) = 32", name=op.f("ck_training_request_form_hash")),
        sa.ForeignKeyConstraint(["district_id"], ["district.id"], name=op.f("fk_training_request_district_id")),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_training_request_course_id")),
        sa.ForeignKeyConstraint(
            ["offering_id"], ["offering.id"], name=op.f("fk_training_request_offering_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_request")),
        sa.UniqueConstraint("ref", name=op.f("uq_training_request_ref")),
        sa.UniqueConstraint("form_hash", name=op.f("uq_training_request_form_hash")),
    )
    op.create_index(op.f("ix_training_request_course_id"), "training_request", ["course_id"])
    op.create_index(op.f("ix_training_request_offering_id"), "training_request", ["offering_id"])
    op.create_index(
        "ix_training_request_open",
        "training_request",
        ["district_id", "id"],
        postgresql_where=sa.text("state = 'open'"),
    )
    rules = sa.table(
        "retention_rule", *(sa.column(name, sa.Text()) for name in ("code", "amount", "unit", "source_zh", "source_en"))
    )
    rules.c.amount.type = sa.Integer()
    op.bulk_insert(
        rules,
        [
            {"code": code, "amount": months, "unit": "months", "source_zh": chinese, "source_en": english}
            for code, months, chinese, english in RULES
        ],
    )


def downgrade() -> None:
    op.execute("DELETE FROM retention_rule WHERE code IN ('training_request', 'class_contact')")
    op.drop_table("training_request")
    op.drop_constraint(op.f("ck_organisation_contact"), "organisation")
    for table, names in (("course", ("bring_zh", "bring_en")), ("organisation", ("contact_name", "contact_phone"))):
        for name in names:
            op.drop_column(table, name)
    op.drop_constraint(op.f("ck_offering_contact"), "offering")
    op.drop_constraint(op.f("ck_offering_fee"), "offering")
    op.drop_column("offering", "fee")
    for name in reversed(OFFERING_TEXTS):
        op.drop_column("offering", name)
