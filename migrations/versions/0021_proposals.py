"""Proposed changes of a person, proven contacts of a person, the contact given for an enrolment, and daily counts of reads."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

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
    op.create_table(
        "proposal",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ref", sa.Uuid(), nullable=False),
        sa.Column("trainee_id", sa.BigInteger(), nullable=False),
        sa.Column("fact_names", postgresql.JSONB(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("conflict", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.BigInteger(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decider", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('open', 'accepted', 'refused', 'withdrawn')", name=op.f("ck_proposal_state")),
        sa.CheckConstraint("decider IN ('staff', 'person')", name=op.f("ck_proposal_decider")),
        sa.CheckConstraint("(state = 'open') = (decided_at IS NULL)", name=op.f("ck_proposal_decided")),
        sa.CheckConstraint(
            "decider IS NULL OR state IN ('accepted', 'refused')", name=op.f("ck_proposal_decider_state")
        ),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> proposed_by OR state = 'withdrawn'", name=op.f("ck_proposal_not_own")
        ),
        sa.ForeignKeyConstraint(
            ["trainee_id"], ["trainee.id"], name=op.f("fk_proposal_trainee_id_trainee"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["proposed_by"], ["app_user.id"], name=op.f("fk_proposal_proposed_by_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal")),
        sa.UniqueConstraint("ref", name=op.f("uq_proposal_ref")),
    )
    op.create_index(op.f("ix_proposal_trainee_id"), "proposal", ["trainee_id"])
    op.create_index(op.f("ix_proposal_proposed_by"), "proposal", ["proposed_by"])
    op.create_index("ix_proposal_open", "proposal", ["id"], postgresql_where="state = 'open'")
    op.create_table(
        "daily_count",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("act IN ('read', 'call', 'conflict')", name=op.f("ck_daily_count_act")),
        sa.CheckConstraint("number > 0", name=op.f("ck_daily_count_number")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_daily_count_user_id_app_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "act", "day", name=op.f("pk_daily_count")),
    )


def downgrade() -> None:
    op.drop_table("daily_count")
    op.drop_table("proposal")
    op.drop_column("enrolment", "email_sealed")
    op.drop_column("enrolment", "phone_sealed")
    op.drop_index("ix_trainee_email_proven", "trainee")
    op.drop_column("trainee", "email_index")
    _drop_proofs("trainee")
