"""An index by which an instructor leaves the register: without it each looks through all assessments."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_assessment_examiner_id", "assessment", ["examiner_id"], postgresql_where=sa.text("examiner_id IS NOT NULL")
    )


def downgrade() -> None:
    op.drop_index("ix_assessment_examiner_id", "assessment")
