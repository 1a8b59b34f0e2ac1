"""Messages: what the system tells a person, by which channel, and who has to be called.

Mails that were not sent yet become messages. Their content stays encrypted for its former column, which the purpose
`earlier_mail` tells (`lms.core.messages.owing.content_of`). Mails older than three days were given up and go aside.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "message",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ref", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("district_id", sa.SmallInteger(), nullable=True),
        sa.Column("organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("patient", sa.Boolean(), nullable=False),
        sa.Column("called", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("trying_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.BigInteger(), nullable=True),
        sa.Column("calls", sa.SmallInteger(), nullable=False),
        sa.Column("call_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'sent', 'aside', 'to_call', 'called')", name=op.f("ck_message_state")),
        sa.CheckConstraint("channel IN ('sms', 'email')", name=op.f("ck_message_channel")),
        sa.CheckConstraint("(state = 'waiting') = (settled_at IS NULL)", name=op.f("ck_message_settled")),
        sa.CheckConstraint(
            "state NOT IN ('waiting', 'to_call') OR content IS NOT NULL", name=op.f("ck_message_content")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("ref", name=op.f("uq_message_ref")),
        sa.UniqueConstraint("key", name=op.f("uq_message_key")),
    )
    waiting = "state = 'waiting'"
    op.create_index("ix_message_waiting", "message", ["patient", "next_at", "id"], postgresql_where=waiting)
    op.create_index("ix_message_to_call", "message", ["district_id", "id"], postgresql_where="state = 'to_call'")
    old = "state <> 'waiting' AND content IS NOT NULL"
    op.create_index("ix_message_old", "message", ["settled_at"], postgresql_where=old)
    op.create_table(
        "channel_pause",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("failures", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("channel IN ('sms', 'email')", name=op.f("ck_channel_pause_channel")),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_channel_pause")),
    )
    op.execute(
        """
        INSERT INTO message (
            ref, purpose, language, content, channel, position, state, reason, patient, called, attempts, trying_since,
            next_at, created_at, settled_at, calls
        )
        SELECT ref, 'earlier_mail', 'zh', content, 'email', 0,
               CASE WHEN created_at > now() - interval '3 days' THEN 'waiting' ELSE 'aside' END,
               CASE WHEN created_at > now() - interval '3 days' THEN NULL ELSE 'expired' END,
               true, false, 0, created_at, now(), created_at,
               CASE WHEN created_at > now() - interval '3 days' THEN NULL ELSE now() END, 0
        FROM outgoing_mail
        WHERE sent_at IS NULL AND content IS NOT NULL
        ORDER BY id
        """
    )
    op.drop_table("outgoing_mail")


def downgrade() -> None:
    op.create_table(
        "outgoing_mail",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ref", sa.Uuid(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_mail")),
        sa.UniqueConstraint("ref", name=op.f("uq_outgoing_mail_ref")),
    )
    op.create_index("ix_outgoing_mail_owed", "outgoing_mail", ["id"], unique=False, postgresql_where="sent_at IS NULL")
    op.execute(
        """
        INSERT INTO outgoing_mail (ref, content, created_at, attempts)
        SELECT ref, content, created_at, 0 FROM message WHERE purpose = 'earlier_mail' AND state = 'waiting' ORDER BY id
        """
    )
    op.drop_table("channel_pause")
    op.drop_table("message")
