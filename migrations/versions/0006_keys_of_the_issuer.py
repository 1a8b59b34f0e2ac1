"""Let the keys of badges and status lists be retired and disowned, as those of codes are."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("issuer_key", sa.Column("state", sa.Text(), server_default="active", nullable=False))
    op.add_column("issuer_key", sa.Column("compromised_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("ck_issuer_key_state"), "issuer_key", "state IN ('active', 'retired', 'compromised')"
    )
    op.create_check_constraint(
        op.f("ck_issuer_key_compromised"), "issuer_key", "(state = 'compromised') = (compromised_at IS NOT NULL)"
    )
    op.create_index(
        "uq_issuer_key_active",
        "issuer_key",
        [sa.literal_column("split_part(kid, '-', 1)")],
        unique=True,
        postgresql_where=sa.text("state = 'active'"),
    )


def downgrade() -> None:
    op.drop_index("uq_issuer_key_active", table_name="issuer_key")
    for name in ("compromised", "state"):
        op.drop_constraint(op.f(f"ck_issuer_key_{name}"), "issuer_key")
    op.drop_column("issuer_key", "compromised_at")
    op.drop_column("issuer_key", "state")
