"""Contacts that are claimed or proven, and the codes and links that prove them.

Accounts with a role besides the trainee's were made by administrators, whose owners use them; their contacts count as proven by
staff. A trainee's account was made with a contact that anybody could type, so its owner proves it at the next sign-in, and the
record that it showed is linked again once the owner has proven the record's phone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
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
    _add_proofs("app_user")
    op.add_column("app_user", sa.Column("messages_by", sa.Text(), nullable=True))
    op.create_check_constraint(op.f("ck_app_user_messages_by"), "app_user", "messages_by IN ('phone', 'email')")
    op.execute(
        """
        UPDATE app_user
        SET phone_proven_at = CASE WHEN phone_index IS NOT NULL THEN created_at END,
            phone_proof = CASE WHEN phone_index IS NOT NULL THEN 'staff' END,
            email_proven_at = CASE WHEN email IS NOT NULL THEN created_at END,
            email_proof = CASE WHEN email IS NOT NULL THEN 'staff' END
        WHERE EXISTS (SELECT FROM role_grant WHERE user_id = app_user.id AND role <> 'trainee')
        """
    )
    # Such an account may have been made by whoever knew a name and a phone. Its owner proves the phone and gets the record
    # back by a tap, which name and proven phone allow.
    op.execute(
        """
        UPDATE trainee SET user_id = NULL FROM app_user
        WHERE app_user.id = trainee.user_id AND phone_proven_at IS NULL AND email_proven_at IS NULL
        """
    )
    op.drop_index("uq_app_user_email", "app_user")
    op.drop_index("uq_app_user_phone_index", "app_user")
    _index("uq_app_user_email", sa.text("lower(email)"), "email_proven_at IS NOT NULL", unique=True)
    _index("uq_app_user_phone_index", "phone_index", "phone_proven_at IS NOT NULL", unique=True)
    _index("ix_app_user_email_claimed", sa.text("lower(email)"), "email_proven_at IS NULL")
    _index("ix_app_user_phone_claimed", "phone_index", "phone_proven_at IS NULL")
    # An account that loses its only contact, because somebody else proved it, stays as a disabled one.
    op.drop_constraint(op.f("ck_app_user_reachable"), "app_user")
    op.create_check_constraint(
        op.f("ck_app_user_reachable"),
        "app_user",
        "email IS NOT NULL OR phone_index IS NOT NULL OR disabled_at IS NOT NULL",
    )
    op.add_column("instructor", sa.Column("email_sealed", sa.LargeBinary(), nullable=True))
    op.create_table(
        "instructor_invitation",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("instructor_id", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("proves", sa.Text(), nullable=True),
        sa.Column("handed_over_by", sa.BigInteger(), nullable=True),
        sa.Column("invited_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("proves IN ('phone', 'email')", name=op.f("ck_instructor_invitation_proves")),
        sa.ForeignKeyConstraint(
            ["instructor_id"],
            ["instructor.id"],
            name=op.f("fk_instructor_invitation_instructor_id_instructor"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instructor_invitation")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_instructor_invitation_token_hash")),
    )
    op.create_index(
        "uq_instructor_invitation_open",
        "instructor_invitation",
        ["instructor_id"],
        unique=True,
        postgresql_where="accepted_at IS NULL AND withdrawn_at IS NULL",
    )
    op.create_table(
        "contact_check",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ref", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("contact_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("contact_index", sa.LargeBinary(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=True),
        sa.Column("link_hash", sa.LargeBinary(), nullable=True),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("started_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proven_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("proof", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('phone', 'email')", name=op.f("ck_contact_check_kind")),
        sa.CheckConstraint("language IN ('zh', 'en')", name=op.f("ck_contact_check_language")),
        sa.CheckConstraint("tries BETWEEN 0 AND 5", name=op.f("ck_contact_check_tries")),
        sa.CheckConstraint("(proven_at IS NULL) = (proof IS NULL)", name=op.f("ck_contact_check_proof")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_check")),
        sa.UniqueConstraint("ref", name=op.f("uq_contact_check_ref")),
        sa.UniqueConstraint("link_hash", name=op.f("uq_contact_check_link_hash")),
    )
    op.create_index(op.f("ix_contact_check_contact_index"), "contact_check", ["contact_index"])
    op.create_index("ix_contact_check_subject", "contact_check", ["purpose", "subject"])
    op.add_column("password_reset", sa.Column("proves", sa.Text(), nullable=True))
    op.add_column("password_reset", sa.Column("handed_over_by", sa.BigInteger(), nullable=True))
    op.create_check_constraint(op.f("ck_password_reset_proves"), "password_reset", "proves IN ('phone', 'email')")


def downgrade() -> None:
    op.drop_column("password_reset", "handed_over_by")
    op.drop_column("password_reset", "proves")
    op.drop_table("contact_check")
    op.drop_table("instructor_invitation")
    op.drop_column("instructor", "email_sealed")
    op.execute("DELETE FROM app_user WHERE email IS NULL AND phone_index IS NULL")
    op.drop_constraint(op.f("ck_app_user_reachable"), "app_user")
    op.create_check_constraint(
        op.f("ck_app_user_reachable"), "app_user", "email IS NOT NULL OR phone_index IS NOT NULL"
    )
    op.drop_index("ix_app_user_phone_claimed", "app_user")
    op.drop_index("ix_app_user_email_claimed", "app_user")
    op.drop_index("uq_app_user_phone_index", "app_user")
    op.drop_index("uq_app_user_email", "app_user")
    op.create_index("uq_app_user_email", "app_user", [sa.text("lower(email)")], unique=True)
    op.create_index("uq_app_user_phone_index", "app_user", ["phone_index"], unique=True)
    op.drop_column("app_user", "messages_by")
    _drop_proofs("app_user")


def _index(name: str, column: object, where: str, *, unique: bool = False) -> None:
    op.create_index(name, "app_user", [column], unique=unique, postgresql_where=where)  # type: ignore[list-item]
