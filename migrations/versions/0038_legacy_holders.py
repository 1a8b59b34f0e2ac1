"""Ties legacy certificates to people, with their certificate type and what superseded them.

The blind index of an ID number is made anew under the column of the trainees, so that a join finds the holders. Matching
itself is the work of `flask certificates legacy match`, which the schedule runs each night.
"""

import os
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

from lms.core import crypto
from lms.core.crypto import FieldCipher

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

_BATCH = 10_000
_LEGACY, _TRAINEE = "legacy_certificate.id_number", "trainee.id_number"
_WAITING = "trainee_id IS NULL"
_STANDING = "trainee_id IS NOT NULL AND revoked_at IS NULL AND superseded_by_id IS NULL"


def upgrade() -> None:
    _index_anew(_TRAINEE)
    op.add_column("legacy_certificate", sa.Column("phone_sealed", sa.LargeBinary(), nullable=True))
    op.add_column("legacy_certificate", sa.Column("phone_index", sa.LargeBinary(), nullable=True))
    op.add_column("legacy_certificate", sa.Column("certificate_type", sa.SmallInteger(), nullable=True))
    op.add_column("legacy_certificate", sa.Column("trainee_id", sa.BigInteger(), nullable=True))
    op.add_column("legacy_certificate", sa.Column("matched_how", sa.Text(), nullable=True))
    op.add_column("legacy_certificate", sa.Column("matched_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("legacy_certificate", sa.Column("matched_by", sa.BigInteger(), nullable=True))
    op.add_column("legacy_certificate", sa.Column("superseded_by_id", sa.BigInteger(), nullable=True))
    op.add_column("legacy_certificate", sa.Column("suggestion", sa.Text(), nullable=True))
    op.add_column("legacy_certificate", sa.Column("set_aside_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("legacy_certificate", sa.Column("set_aside_by", sa.BigInteger(), nullable=True))
    for column, table in (("trainee_id", "trainee"), ("matched_by", "app_user"), ("set_aside_by", "app_user")):
        op.create_foreign_key(
            op.f(f"fk_legacy_certificate_{column}"), "legacy_certificate", table, [column], ["id"]
        )  # fmt: skip
    op.create_foreign_key(
        op.f("fk_legacy_certificate_superseded_by_id"),
        "legacy_certificate",
        "certificate",
        ["superseded_by_id"],
        ["id"],
        initially="DEFERRED",
        deferrable=True,
    )
    for name, condition in (
        ("phone_pair", "(phone_sealed IS NULL) = (phone_index IS NULL)"),
        ("certificate_type", "certificate_type BETWEEN 0 AND 255"),
        (
            "matched",
            "num_nonnulls(trainee_id, matched_how, matched_at) IN (0, 3)"
            " AND (trainee_id IS NOT NULL OR (matched_by IS NULL AND superseded_by_id IS NULL))",
        ),
        ("suggestion", "suggestion IN ('id_number', 'phone', 'name')"),
        ("matched_how", "matched_how IN ('id_number', 'name_and_phone', 'by_hand')"),
        (
            "set_aside",
            "set_aside_at IS NULL AND set_aside_by IS NULL OR set_aside_at IS NOT NULL AND trainee_id IS NULL",
        ),
    ):
        op.create_check_constraint(op.f(f"ck_legacy_certificate_{name}"), "legacy_certificate", condition)
    op.create_index(op.f("ix_legacy_certificate_trainee_id"), "legacy_certificate", ["trainee_id"])
    for name, columns, where in (
        ("phone", ["phone_index", "name_key"], f"{_WAITING} AND phone_index IS NOT NULL"),
        ("waiting", ["name_key"], _WAITING),
        ("suggestion", ["suggestion", "id"], f"{_WAITING} AND set_aside_at IS NULL AND suggestion IS NOT NULL"),
        ("superseded_by", ["superseded_by_id"], "superseded_by_id IS NOT NULL"),
        ("standing", ["valid_until"], _STANDING),
    ):
        op.create_index(
            f"ix_legacy_certificate_{name}", "legacy_certificate", columns, postgresql_where=sa.text(where)
        )  # fmt: skip
    # A person's record that an undone import had made is removed; the certificate is nobody's again. The update has the
    # rights of the owner, as that of a foreign key has.
    op.execute(
        "CREATE FUNCTION release_legacy_certificates() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER"
        " SET search_path = public, pg_temp AS $$ BEGIN"
        " UPDATE legacy_certificate SET trainee_id = NULL, matched_how = NULL, matched_at = NULL, matched_by = NULL,"
        " superseded_by_id = NULL WHERE trainee_id = OLD.id; RETURN OLD; END $$"
    )
    op.execute(
        "CREATE TRIGGER release_legacy_certificates BEFORE DELETE ON trainee"
        " FOR EACH ROW EXECUTE FUNCTION release_legacy_certificates()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER release_legacy_certificates ON trainee")
    op.execute("DROP FUNCTION release_legacy_certificates()")
    for name in ("standing", "superseded_by", "suggestion", "waiting", "phone"):
        op.drop_index(f"ix_legacy_certificate_{name}", "legacy_certificate")
    for column in (
        "set_aside_by",
        "set_aside_at",
        "suggestion",
        "superseded_by_id",
        "matched_by",
        "matched_at",
        "matched_how",
        "trainee_id",
        "certificate_type",
        "phone_index",
        "phone_sealed",
    ):
        op.drop_column("legacy_certificate", column)
    _index_anew(_LEGACY)


def _index_anew(column: str) -> None:
    """Make the blind indexes of all ID numbers under a column: in the table, and in the rows of imports not yet written."""
    bind = op.get_bind()
    last, query = (
        0,
        (
            "SELECT id, CAST(ref AS text) AS ref, id_number_sealed FROM legacy_certificate"
            " WHERE id > :last AND id_number_sealed IS NOT NULL ORDER BY id LIMIT :batch"
        ),
    )
    update = sa.text(
        "UPDATE legacy_certificate AS row SET id_number_index = made.index"
        " FROM unnest(CAST(:ids AS bigint[]), CAST(:indexes AS bytea[])) AS made (id, index) WHERE row.id = made.id"
    )
    while rows := bind.execute(sa.text(query), {"last": last, "batch": _BATCH}).all():
        open_number, index = _cipher().opener(_LEGACY), _cipher().indexer(column)
        indexes = [index(open_number(row.ref.encode(), row.id_number_sealed)) for row in rows]
        bind.execute(update, {"ids": [row.id for row in rows], "indexes": indexes})
        last = rows[-1].id
    _index_lines_anew(bind, _cipher, column)


def _index_lines_anew(bind: Any, cipher: Callable[[], FieldCipher], column: str) -> None:
    rows = bind.execute(
        sa.text(
            "SELECT line.run_id, line.line, line.facts->>'ref' AS ref, line.facts->>'id_number_sealed' AS sealed"
            " FROM import_line AS line JOIN import_run AS run ON run.id = line.run_id"
            " WHERE run.kind = 'legacy_certificates' AND run.state NOT IN ('done', 'undone') AND line.made_id IS NULL"
            " AND line.facts->>'id_number_sealed' IS NOT NULL"
        )
    ).all()
    if not rows:
        return
    open_number, index = cipher().opener(_LEGACY), cipher().indexer(column)
    bind.execute(
        sa.text(
            "UPDATE import_line AS row SET facts = facts || jsonb_build_object('id_number_index', made.index)"
            " FROM unnest(CAST(:runs AS bigint[]), CAST(:lines AS integer[]), CAST(:indexes AS text[]))"
            " AS made (run_id, line, index) WHERE row.run_id = made.run_id AND row.line = made.line"
        ),
        {
            "runs": [row.run_id for row in rows],
            "lines": [row.line for row in rows],
            "indexes": [index(open_number(row.ref.encode(), bytes.fromhex(row.sealed))).hex() for row in rows],
        },
    )


def _cipher() -> FieldCipher:
    """The cipher of this process. Alembic alone, without the application, finds the key in the environment."""
    try:
        return crypto.cipher()
    except RuntimeError:
        fallbacks = os.environ.get("FIELD_KEY_FALLBACKS", "").split(",")
        crypto.configure(os.environ["FIELD_KEY"], [key.strip() for key in fallbacks if key.strip()])
        return crypto.cipher()
