"""A message of its staff to a class is kept with the people whom it was meant for, whose ticket pages show it."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "class_message",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("offering_id", sa.BigInteger(), nullable=False),
        sa.Column("course_session_id", sa.BigInteger(), nullable=True),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("form_hash", sa.LargeBinary(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "audience IN ('enrolled', 'present', 'absent', 'waiting')", name=op.f("ck_class_message_audience")
        ),
        sa.CheckConstraint(
            "(course_session_id IS NULL) = (audience IN ('enrolled', 'waiting'))", name=op.f("ck_class_message_session")
        ),
        sa.CheckConstraint("text <> ''", name=op.f("ck_class_message_text")),
        sa.ForeignKeyConstraint(["offering_id"], ["offering.id"], name=op.f("fk_class_message_offering_id")),
        sa.ForeignKeyConstraint(
            ["course_session_id"],
            ["course_session.id"],
            name=op.f("fk_class_message_course_session_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["sent_by"], ["app_user.id"], name=op.f("fk_class_message_sent_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_class_message")),
        sa.UniqueConstraint("form_hash", name=op.f("uq_class_message_form_hash")),
    )
    op.create_index("ix_class_message_offering_id", "class_message", ["offering_id"])
    op.create_index("ix_class_message_course_session_id", "class_message", ["course_session_id"])
    op.create_table(
        "class_message_recipient",
        sa.Column("class_message_id", sa.BigInteger(), nullable=False),
        sa.Column("enrolment_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["class_message_id"],
            ["class_message.id"],
            name=op.f("fk_class_message_recipient_class_message_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["enrolment_id"],
            ["enrolment.id"],
            name=op.f("fk_class_message_recipient_enrolment_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("class_message_id", "enrolment_id", name=op.f("pk_class_message_recipient")),
    )
    op.create_index("ix_class_message_recipient_enrolment_id", "class_message_recipient", ["enrolment_id"])


def downgrade() -> None:
    op.drop_table("class_message_recipient")
    op.drop_table("class_message")
