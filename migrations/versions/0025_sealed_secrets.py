"""Tickets, e-mail addresses of accounts and files of exports, sealed at rest; contacts in the audit trail, masked.

A ticket is found by its hash and sealed beside it, and what an enrolment holds sealed is bound to the row by that hash instead
of the ticket. The rows are sealed with FIELD_KEY, which the process that migrates has; a database without any such row needs
no key. Going down opens what was sealed; masks in the audit trail stay.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from lms.core import crypto, masks
from lms.core.crypto import FieldCipher

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

BATCH = 2000
TICKET, PHONE, EMAIL = "enrolment.ticket", "enrolment.phone", "enrolment.email"
ACCOUNT, CHUNK = "app_user.email", "export_chunk.data"


def upgrade() -> None:
    _seal_tickets()
    _seal_addresses()
    _seal_exports()
    _mask_trail()


def _seal_tickets() -> None:
    for name in ("ticket_hash", "ticket_sealed"):
        op.add_column("enrolment", sa.Column(name, sa.LargeBinary(), nullable=True))

    def change(row: Any) -> dict[str, Any]:
        ticket_hash = crypto.token_hash(row.ticket)
        former, binding = crypto.token_uuid(row.ticket), crypto.hash_uuid(ticket_hash)
        return {
            "ticket_hash": ticket_hash,
            "ticket_sealed": _cipher().encrypt(TICKET, binding, row.ticket),
            "phone_sealed": _moved(PHONE, former, binding, row.phone_sealed),
            "email_sealed": _moved(EMAIL, former, binding, row.email_sealed),
        }

    _rewrite("enrolment", ("id",), ("ticket", "phone_sealed", "email_sealed"), change)
    for name in ("ticket_hash", "ticket_sealed"):
        op.alter_column("enrolment", name, nullable=False)
    op.create_unique_constraint(op.f("uq_enrolment_ticket_hash"), "enrolment", ["ticket_hash"])
    op.create_check_constraint(op.f("ck_enrolment_ticket_hash"), "enrolment", "octet_length(ticket_hash) = 32")
    op.drop_column("enrolment", "ticket")


def _seal_addresses() -> None:
    for name in ("email_sealed", "email_index"):
        op.add_column("app_user", sa.Column(name, sa.LargeBinary(), nullable=True))
    _rewrite(
        "app_user",
        ("id",),
        ("ref", "email"),
        lambda row: {
            "email_sealed": _cipher().encrypt(ACCOUNT, row.ref, row.email),
            "email_index": _cipher().blind_index(ACCOUNT, row.email.lower()),
        },
        where="email IS NOT NULL",
    )
    op.drop_index("uq_app_user_email", "app_user")
    op.drop_index("ix_app_user_email_claimed", "app_user")
    op.drop_constraint(op.f("ck_app_user_reachable"), "app_user")
    op.drop_column("app_user", "email")
    _address_constraints("email_index", "email_index IS NOT NULL")
    op.create_check_constraint(
        op.f("ck_app_user_email_pair"), "app_user", "(email_sealed IS NULL) = (email_index IS NULL)"
    )


def _address_constraints(indexed: str, present: str) -> None:
    column = sa.text(indexed)
    proven, claimed = "email_proven_at IS NOT NULL", "email_proven_at IS NULL"
    op.create_index("uq_app_user_email", "app_user", [column], unique=True, postgresql_where=proven)
    op.create_index("ix_app_user_email_claimed", "app_user", [column], postgresql_where=claimed)
    op.create_check_constraint(
        op.f("ck_app_user_reachable"),
        "app_user",
        f"{present} OR phone_index IS NOT NULL OR disabled_at IS NOT NULL",
    )


def _seal_exports() -> None:
    _rewrite(
        "export_chunk",
        ("export_id", "number"),
        ("data", "(SELECT ref FROM export WHERE id = export_id) AS ref"),
        lambda row: {"data": _cipher().seal(CHUNK, f"{row.ref}:{row.number}", row.data)},
        batch=8,
    )


def _mask_trail() -> None:
    """Mask contacts and ID numbers in the entries that hold any. No block was sealed over an entry yet (0024)."""
    op.execute("ALTER TABLE audit_entry DISABLE TRIGGER append_only")
    bind = op.get_bind()
    suspicious = "concat_ws(' ', before, after, reason) ~ '@|[0-9]{11}|[0-9]{3}[ -][0-9]{4}[ -]'"
    update = sa.text("UPDATE audit_entry SET before = :before, after = :after, reason = :reason WHERE id = :id")
    update = update.bindparams(
        sa.bindparam("before", type_=JSONB(none_as_null=True)),
        sa.bindparam("after", type_=JSONB(none_as_null=True)),
    )
    for rows in _batches("audit_entry", ("id",), ("before", "after", "reason"), suspicious, BATCH):
        masked = [
            (row, masks.mask_all(row.before), masks.mask_all(row.after), masks.mask_all(row.reason)) for row in rows
        ]
        changed = [
            {"id": row.id, "before": before, "after": after, "reason": reason}
            for row, before, after, reason in masked
            if (before, after, reason) != (row.before, row.after, row.reason)
        ]
        if changed:
            bind.execute(update, changed)
    op.execute("ALTER TABLE audit_entry ENABLE TRIGGER append_only")


def downgrade() -> None:
    _rewrite(
        "export_chunk",
        ("export_id", "number"),
        ("data", "(SELECT ref FROM export WHERE id = export_id) AS ref"),
        lambda row: {"data": _cipher().open(CHUNK, f"{row.ref}:{row.number}", row.data)},
        batch=8,
    )
    op.add_column("app_user", sa.Column("email", sa.Text(), nullable=True))
    _rewrite(
        "app_user",
        ("id",),
        ("ref", "email_sealed"),
        lambda row: {"email": _cipher().decrypt(ACCOUNT, row.ref, row.email_sealed)},
        where="email_sealed IS NOT NULL",
    )
    op.drop_constraint(op.f("ck_app_user_email_pair"), "app_user")
    op.drop_constraint(op.f("ck_app_user_reachable"), "app_user")
    op.drop_index("uq_app_user_email", "app_user")
    op.drop_index("ix_app_user_email_claimed", "app_user")
    op.drop_column("app_user", "email_index")
    op.drop_column("app_user", "email_sealed")
    _address_constraints("lower(email)", "email IS NOT NULL")
    op.add_column("enrolment", sa.Column("ticket", sa.Text(), nullable=True))

    def change(row: Any) -> dict[str, Any]:
        binding = crypto.hash_uuid(row.ticket_hash)
        ticket = _cipher().decrypt(TICKET, binding, row.ticket_sealed)
        former = crypto.token_uuid(ticket)
        return {
            "ticket": ticket,
            "phone_sealed": _moved(PHONE, binding, former, row.phone_sealed),
            "email_sealed": _moved(EMAIL, binding, former, row.email_sealed),
        }

    _rewrite("enrolment", ("id",), ("ticket_hash", "ticket_sealed", "phone_sealed", "email_sealed"), change)
    op.alter_column("enrolment", "ticket", nullable=False)
    op.drop_constraint(op.f("ck_enrolment_ticket_hash"), "enrolment")
    op.drop_column("enrolment", "ticket_hash")
    op.drop_column("enrolment", "ticket_sealed")
    op.create_unique_constraint(op.f("uq_enrolment_ticket"), "enrolment", ["ticket"])


def _rewrite(
    table: str,
    keys: Sequence[str],
    columns: Sequence[str],
    change: Callable[[Any], dict[str, Any]],
    *,
    where: str = "true",
    batch: int = BATCH,
) -> None:
    """Update each row to what `change` makes of its columns, in batches by the primary key, with progress."""
    bind, done = op.get_bind(), 0
    for rows in _batches(table, keys, columns, where, batch):
        values = [change(row) | {f"key_{name}": getattr(row, name) for name in keys} for row in rows]
        sets = ", ".join(f"{name} = :{name}" for name in values[0] if not name.startswith("key_"))
        matches = " AND ".join(f"{name} = :key_{name}" for name in keys)
        bind.execute(sa.text(f"UPDATE {table} SET {sets} WHERE {matches}"), values)  # noqa: S608  # names of this file
        done += len(rows)
        if done % (BATCH * 10) == 0:
            print(f"{table}: {done} rows", file=sys.stderr, flush=True)  # noqa: T201  # the progress of a command


def _batches(
    table: str, keys: Sequence[str], columns: Sequence[str], where: str, batch: int
) -> Iterator[Sequence[Any]]:
    bind, after = op.get_bind(), None
    names = ", ".join(keys)
    while True:
        beyond = f"AND ({names}) > ({', '.join(f':after_{name}' for name in keys)})" if after is not None else ""
        query = (
            f"SELECT {names}, {', '.join(columns)} FROM {table} WHERE {where} {beyond} ORDER BY {names} LIMIT {batch}"  # noqa: S608  # as above
        )
        values = {f"after_{name}": getattr(after, name) for name in keys} if after is not None else {}
        rows = bind.execute(sa.text(query), values).all()
        if not rows:
            return
        yield rows
        after = rows[-1]


def _cipher() -> FieldCipher:
    """The cipher of this process. Alembic alone, without the application, finds the key in the environment."""
    try:
        return crypto.cipher()
    except RuntimeError:
        fallbacks = os.environ.get("FIELD_KEY_FALLBACKS", "").split(",")
        crypto.configure(os.environ["FIELD_KEY"], [key.strip() for key in fallbacks if key.strip()])
        return crypto.cipher()


def _moved(column: str, former: object, binding: object, sealed: bytes | None) -> bytes | None:
    """A sealed value, bound to another reference of its row."""
    if sealed is None:
        return None
    return _cipher().seal(column, str(binding), _cipher().open(column, str(former), sealed))
