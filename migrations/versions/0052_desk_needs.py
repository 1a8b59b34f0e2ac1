"""The overview finds what needs somebody by indexes: sessions that nobody closed, and qualifications that end."""

from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index the sessions that nobody closed by their end, and the qualifications by their last day."""
    op.execute("CREATE INDEX ix_course_session_unclosed ON course_session (ends_at) WHERE closed_at IS NULL")
    op.execute("CREATE INDEX ix_qualification_valid_until ON qualification (valid_until)")


def downgrade() -> None:
    """Take the indexes away."""
    op.execute("DROP INDEX ix_qualification_valid_until")
    op.execute("DROP INDEX ix_course_session_unclosed")
