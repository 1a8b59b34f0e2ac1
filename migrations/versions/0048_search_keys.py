"""Lists and searches are served by indexes of their own.

Offerings keep the start of their first session, by which their lists are ordered: a trigger of the sessions writes it.
The pinyin and the initials of a trainee's name are read from the key that sorts the names, by an expression, so that
indexes alone keep them: nothing is written anew, and each writer of names fills them. On four million trainees the
indexes take about half a minute.
"""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

_PINYIN = "lower(translate(replace(regexp_replace(name_sound, '[^A-Za-z:]+', '', 'g'), 'u:', 'v'), ':', ''))"
_INITIALS = (
    "COALESCE(NULLIF(upper(regexp_replace(name_sound, '([a-z])[a-z:]*[1-5].|[!{].', '\\1', 'g')), ''),"
    " upper(regexp_replace(name COLLATE \"C\", '([^ ·.-])[^ ·.-]*[ ·.-]*', '\\1', 'g')))"
)


def upgrade() -> None:
    op.create_index("ix_trainee_pinyin", "trainee", [sa.text(_PINYIN), "name_sound"])
    op.create_index("ix_trainee_initials", "trainee", [sa.text(_INITIALS), "name_sound"])
    op.create_index("ix_trainee_district", "trainee", ["district_id"])
    op.create_index("ix_certificate_plain_number", "certificate", [sa.text("replace(number COLLATE \"C\", '-', '')")])
    op.create_index("ix_certificate_holder", "certificate", [sa.text('lower(holder_name COLLATE "C")'), "id"])
    legacy = "legacy_certificate"
    digits = sa.text("regexp_replace(number_key COLLATE \"C\", '[^0-9]+', '', 'g')")
    op.create_index("ix_legacy_certificate_number", legacy, [sa.text('upper(number_key COLLATE "C")')])
    op.create_index("ix_legacy_certificate_digits", legacy, [digits])
    op.create_index("ix_legacy_certificate_name", legacy, [sa.text('upper(name_key COLLATE "C")'), "id"])
    op.create_index("ix_legacy_certificate_issued_on", legacy, ["issued_on", "id"])
    waits = sa.text("trainee_id IS NULL AND set_aside_at IS NOT NULL")
    op.create_index("ix_legacy_certificate_aside", legacy, ["id"], postgresql_where=waits)
    moment = sa.DateTime(timezone=True)
    op.add_column(
        "offering", sa.Column("first_starts_at", moment, nullable=False, server_default="9000-01-01 00:00:00+00")
    )
    op.execute(
        "UPDATE offering SET first_starts_at = first.starts_at"
        " FROM (SELECT offering_id, min(starts_at) AS starts_at FROM course_session GROUP BY offering_id) AS first"
        " WHERE offering.id = first.offering_id"
    )
    op.create_index("ix_offering_start", "offering", ["first_starts_at", "id"])
    op.create_index("ix_offering_state_start", "offering", ["state", "first_starts_at", "id"])
    op.execute(
        "CREATE FUNCTION keep_first_starts() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " UPDATE offering SET first_starts_at = first.starts_at"
        " FROM (SELECT offering_id, min(starts_at) AS starts_at FROM fresh GROUP BY offering_id) AS first"
        " WHERE offering.id = first.offering_id AND first.starts_at < offering.first_starts_at;"
        " RETURN NULL; END $$"
    )
    op.execute(
        "CREATE FUNCTION seek_first_start() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " UPDATE offering SET first_starts_at = coalesce("
        "  (SELECT min(starts_at) FROM course_session WHERE offering_id = offering.id), '9000-01-01 00:00:00+00')"
        " WHERE id = OLD.offering_id;"
        " RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER keep_first_starts AFTER INSERT ON course_session REFERENCING NEW TABLE AS fresh"
        " FOR EACH STATEMENT EXECUTE FUNCTION keep_first_starts()"
    )
    op.execute(
        "CREATE TRIGGER seek_first_start AFTER DELETE OR UPDATE OF starts_at ON course_session"
        " FOR EACH ROW EXECUTE FUNCTION seek_first_start()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER seek_first_start ON course_session")
    op.execute("DROP TRIGGER keep_first_starts ON course_session")
    op.execute("DROP FUNCTION seek_first_start()")
    op.execute("DROP FUNCTION keep_first_starts()")
    op.drop_column("offering", "first_starts_at")
    for name in ("aside", "issued_on", "name", "digits", "number"):
        op.drop_index(f"ix_legacy_certificate_{name}", "legacy_certificate")
    op.drop_index("ix_certificate_holder", "certificate")
    op.drop_index("ix_certificate_plain_number", "certificate")
    op.drop_index("ix_trainee_district", "trainee")
    op.drop_index("ix_trainee_initials", "trainee")
    op.drop_index("ix_trainee_pinyin", "trainee")
