"""Second factors, known browsers and the moment at which a session was confirmed."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("browser_session", sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("browser_session", sa.Column("second_factor_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "known_browser",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("browser", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("second_factor_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_known_browser_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_known_browser")),
        sa.UniqueConstraint("token_hash", "user_id", name=op.f("uq_known_browser_token_hash_user_id")),
    )
    op.create_index(op.f("ix_known_browser_user_id"), "known_browser", ["user_id"])


def downgrade() -> None:
    op.drop_table("known_browser")
    op.drop_column("browser_session", "second_factor_at")
    op.drop_column("browser_session", "confirmed_at")
