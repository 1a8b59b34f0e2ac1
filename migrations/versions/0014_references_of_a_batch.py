"""References that are the same throughout a batch, looked up once for a statement and not once for each of its rows.

Forty check-ins of one phone name one session, one user and one device; a foreign key looks each of them up forty times, and
that was a third of what the database did for them. What is refused, and when, is what a foreign key refuses.
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

REFERENCES = {
    "attendance_event": {"course_session_id": "course_session", "user_id": "app_user", "device_id": "device"},
    "attendance": {"course_session_id": "course_session"},
    "audit_entry": {"user_id": "app_user"},
}
# Tables of record are never updated.
CHANGES = {"attendance_event": ("INSERT",), "attendance": ("INSERT", "UPDATE"), "audit_entry": ("INSERT",)}
# As a foreign key does, they look with the rights of the owner.
OWNED = "LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp"


def upgrade() -> None:
    for table, references in REFERENCES.items():
        looking = " ".join(_looking(table, column, parent) for column, parent in references.items())
        op.execute(
            f"CREATE FUNCTION demand_references_of_{table}() RETURNS trigger {OWNED} AS"
            f" $$ DECLARE wanted bigint; BEGIN {looking} RETURN NULL; END $$"
        )
        for change in CHANGES[table]:
            op.execute(
                f"CREATE TRIGGER demand_references_{change.lower()} AFTER {change} ON {table}"
                f" REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION demand_references_of_{table}()"
            )
        for column in references:
            op.drop_constraint(f"fk_{table}_{column}", table, type_="foreignkey")
    op.execute(
        # Its arguments: a table, its column, and so on. After the row has gone: whoever had looked it up has then committed.
        f"CREATE FUNCTION refuse_while_referenced() RETURNS trigger {OWNED} AS $$ DECLARE found boolean; BEGIN"  # noqa: S608
        " FOR at IN 0 .. TG_NARGS - 1 BY 2 LOOP"
        " EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE %I = $1)', TG_ARGV[at], TG_ARGV[at + 1])"
        " INTO found USING OLD.id;"
        " IF found THEN RAISE EXCEPTION '% % is named in %', TG_TABLE_NAME, OLD.id, TG_ARGV[at]"
        " USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'fk_' || TG_ARGV[at] || '_' || TG_ARGV[at + 1]; END IF;"
        " END LOOP; RETURN NULL; END $$"
    )
    for parent, named_in in _parents().items():
        op.execute(
            f"CREATE TRIGGER refuse_while_referenced AFTER DELETE OR UPDATE OF id ON {parent}"
            f" FOR EACH ROW EXECUTE FUNCTION refuse_while_referenced({', '.join(named_in)})"
        )


def _looking(table: str, column: str, parent: str) -> str:
    """Each of them once, held until the commit as a foreign key holds it."""
    return (
        f"FOR wanted IN SELECT DISTINCT {column} FROM written WHERE {column} IS NOT NULL LOOP"  # noqa: S608
        f" PERFORM FROM {parent} WHERE id = wanted FOR KEY SHARE;"
        f" IF NOT FOUND THEN RAISE EXCEPTION '{table} names {parent} %, which is not there', wanted"
        f" USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'fk_{table}_{column}'; END IF; END LOOP;"
    )


def _parents() -> dict[str, list[str]]:
    """Parent → the tables that name it, each followed by its column."""
    found: dict[str, list[str]] = {}
    for table, references in REFERENCES.items():
        for column, parent in references.items():
            found.setdefault(parent, []).extend((table, column))
    return found


def downgrade() -> None:
    for parent in _parents():
        op.execute(f"DROP TRIGGER refuse_while_referenced ON {parent}")
    op.execute("DROP FUNCTION refuse_while_referenced()")
    for table, references in REFERENCES.items():
        for change in CHANGES[table]:
            op.execute(f"DROP TRIGGER demand_references_{change.lower()} ON {table}")
        op.execute(f"DROP FUNCTION demand_references_of_{table}()")
        for column, parent in references.items():
            op.create_foreign_key(f"fk_{table}_{column}", table, parent, [column], ["id"])
