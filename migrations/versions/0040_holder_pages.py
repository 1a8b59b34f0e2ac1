"""Keeps what the holder's page needs: the second line of a name, and passes for wallets."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "second_name",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("trainee_id", sa.BigInteger, sa.ForeignKey("trainee.id"), nullable=False, index=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("writing", sa.Text, nullable=False),
        sa.Column("way", sa.Text, nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("recorded_by", sa.BigInteger, sa.ForeignKey("app_user.id")),
        sa.Column("withdrawn_at", MOMENT),
        sa.Column("withdrawn_by", sa.BigInteger, sa.ForeignKey("app_user.id")),
        sa.CheckConstraint("name <> '' AND writing <> '' AND writing <> name", name="ck_second_name_said"),
        sa.CheckConstraint("way IN ('reading', 'proof', 'staff')", name="ck_second_name_way"),
        sa.CheckConstraint("(way = 'staff') = (recorded_by IS NOT NULL)", name="ck_second_name_recorded"),
        sa.CheckConstraint("withdrawn_by IS NULL OR withdrawn_at IS NOT NULL", name="ck_second_name_withdrawn"),
    )
    op.create_index(
        "uq_second_name_open",
        "second_name",
        ["trainee_id"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_table(
        "wallet_pass",
        sa.Column(
            "certificate_id", sa.BigInteger, sa.ForeignKey("certificate.id"), primary_key=True, autoincrement=False
        ),
        sa.Column("wallet", sa.Text, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("owed_at", MOMENT, nullable=False),
        sa.Column("made_at", MOMENT),
        sa.Column("content", sa.LargeBinary),
        sa.CheckConstraint("wallet IN ('apple', 'google')", name="ck_wallet_pass_wallet"),
        sa.CheckConstraint("octet_length(digest) = 32", name="ck_wallet_pass_digest"),
        sa.CheckConstraint("(made_at IS NULL) = (content IS NULL)", name="ck_wallet_pass_whole"),
    )
    op.create_index("ix_wallet_pass_owed", "wallet_pass", ["owed_at"], postgresql_where=sa.text("made_at IS NULL"))
    # A later table is the web's to alter (migrations/roles.sql). It asks for a pass, and the worker signs it.
    if op.get_bind().scalar(sa.text("SELECT count(*) FROM pg_roles WHERE rolname = 'lms_web'")):
        op.execute("REVOKE UPDATE ON wallet_pass FROM lms_web")


def downgrade() -> None:
    op.drop_table("wallet_pass")
    op.drop_table("second_name")
