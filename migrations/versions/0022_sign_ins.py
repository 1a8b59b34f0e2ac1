"""Requests for password links, which a worker handles, so that the web answers each in the same time."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "password_request",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ref", sa.Uuid(), nullable=False),
        sa.Column("identifier_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_password_request")),
        sa.UniqueConstraint("ref", name=op.f("uq_password_request_ref")),
    )


def downgrade() -> None:
    op.drop_table("password_request")
