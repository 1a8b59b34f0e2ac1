"""A course demands certificates that its trainees hold already, and says how long these may have lapsed.

Each refresher demands the type that it renews, with any lapse: until now its certificate was given to holders and to
everybody else alike. The rows hold for classes that end on the day of this migration or later. All certificates of a
person, the superseded ones, too, are found by an index.
"""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

SOURCE = (
    "启用前的做法：复训面向持证人员，过期时间不限。Former practice: refreshers are for holders; any lapse is accepted."
)


def upgrade() -> None:
    op.create_table(
        "course_prerequisite",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), nullable=False),
        sa.Column("certificate_type", sa.SmallInteger(), nullable=False),
        sa.Column("lapsed_months", sa.SmallInteger(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_prerequisite")),
        sa.ForeignKeyConstraint(
            ["course_id"], ["course.id"], name=op.f("fk_course_prerequisite_course_id"), ondelete="CASCADE"
        ),
        sa.UniqueConstraint(
            "course_id", "certificate_type", name=op.f("uq_course_prerequisite_course_id_certificate_type")
        ),
        sa.CheckConstraint("certificate_type BETWEEN 0 AND 255", name=op.f("ck_course_prerequisite_certificate_type")),
        sa.CheckConstraint("lapsed_months BETWEEN 0 AND 1200", name=op.f("ck_course_prerequisite_lapsed_months")),
        sa.CheckConstraint("source <> ''", name=op.f("ck_course_prerequisite_source")),
    )
    op.execute(
        sa.text(
            "INSERT INTO course_prerequisite (course_id, certificate_type, source, since)"
            " SELECT id, certificate_type, :source, CAST(now() AT TIME ZONE 'Asia/Shanghai' AS date) FROM course"
            " WHERE refresher AND certificate_type IS NOT NULL ORDER BY id"
        ).bindparams(source=SOURCE)
    )
    op.add_column("enrolment", sa.Column("held_elsewhere", sa.Text(), nullable=True))
    op.create_check_constraint(op.f("ck_enrolment_held_elsewhere"), "enrolment", "held_elsewhere <> ''")
    op.create_index("ix_certificate_enrolment", "certificate", ["enrolment_id"])


def downgrade() -> None:
    op.drop_index("ix_certificate_enrolment", "certificate")
    op.drop_constraint(op.f("ck_enrolment_held_elsewhere"), "enrolment")
    op.drop_column("enrolment", "held_elsewhere")
    op.drop_table("course_prerequisite")
