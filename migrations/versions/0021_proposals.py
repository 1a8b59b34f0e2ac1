"""Proposed changes of a person, proven contacts of a person, and the contact given for an enrolment."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("phone_proven_at", sa.DateTime(timezone=True)),
    ("phone_proof", sa.Text()),
    ("phone_proven_by", sa.BigInteger()),
    ("email_proven_at", sa.DateTime(timezone=True)),
    ("email_proof", sa.Text()),
    ("email_proven_by", sa.BigInteger()),
)


def _add_proofs(table: str) -> None:
    for name, kind in _COLUMNS:
        op.add_column(table, sa.Column(name, kind, nullable=True))
    for contact in ("phone", "email"):
        op.create_check_constraint(
            op.f(f"ck_{table}_{contact}_proof"),
            table,
            f"({contact}_proven_at IS NULL) = ({contact}_proof IS NULL) AND {contact}_proof IN ('code', 'link', 'staff')"
            f" AND ({contact}_proven_by IS NULL OR {contact}_proof = 'staff')",
        )


def _drop_proofs(table: str) -> None:
    for name, _kind in reversed(_COLUMNS):
        op.drop_column(table, name)


def upgrade() -> None:
    _add_proofs("trainee")
    op.add_column("trainee", sa.Column("email_index", sa.LargeBinary(), nullable=True))
    op.create_index(
        "ix_trainee_email_proven", "trainee", ["email_index"], postgresql_where="email_proven_at IS NOT NULL"
    )
    op.add_column("enrolment", sa.Column("phone_sealed", sa.LargeBinary(), nullable=True))
    op.add_column("enrolment", sa.Column("email_sealed", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column("enrolment", "email_sealed")
    op.drop_column("enrolment", "phone_sealed")
    op.drop_index("ix_trainee_email_proven", "trainee")
    op.drop_column("trainee", "email_index")
    _drop_proofs("trainee")
