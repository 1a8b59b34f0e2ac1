"""The canonical text: the same on every connection, and readable for whoever checks a copy."""

import hashlib

from sqlalchemy import create_engine, text

from certificates.records import canonical
from certificates.records.canonical import Boundary, Digest, Row
from lms.core import records
from tests.certificates.records.conftest import Site

AUDIT = next(table for table in records.registered() if table.name == "audit_entry")
SKILL = next(table for table in records.registered() if table.name == "skill_event")


def lines(site: Site, options: str, table: records.RecordTable) -> list[bytes]:
    engine = create_engine(site.url, connect_args={"options": options})
    with engine.connect() as connection:
        canonical.set_formats(connection)
        columns = canonical.columns_of(connection, table)
        every = [row.line for row in canonical.rows(connection, table, columns, None, None)]
    engine.dispose()
    return every


def test_the_text_does_not_depend_on_the_connection(sealed: Site) -> None:
    strange = (
        "-c timezone=Asia/Shanghai -c datestyle=German,DMY -c bytea_output=escape -c intervalstyle=sql_standard"
        " -c extra_float_digits=-15"
    )
    for table in records.registered():
        assert lines(sealed, "-c timezone=UTC", table) == lines(sealed, strange, table) != []


def test_a_line_is_as_written_down(site: Site) -> None:
    with site.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO audit_entry (id, at, user_id, action, subject, after, reason, transaction_number)"
                " OVERRIDING SYSTEM VALUE VALUES (7, '2026-03-01 08:00:00.5+08', NULL, 'a.b', '张:1',"
                ' \'{"b":[1,null],"a":"x"}\', E\'line\\nnext\\t\\\\\', 3)'
            )
        )
        canonical.set_formats(connection)
        columns = canonical.columns_of(connection, AUDIT)
        (row,) = canonical.rows(connection, AUDIT, columns, None, None)
    assert columns == ["transaction_number", "id", "at", "user_id", "action", "subject", "before", "after", "reason"]
    line = '3\t7\t2026-03-01 00:00:00.5+00\t\\N\ta.b\t张:1\t\\N\t{"a": "x", "b": [1, null]}\tline\\nnext\\t\\\\\n'
    assert row == Row(1772323200, 3, "7", line.encode())


def test_a_moment_without_end_is_read(site: Site) -> None:
    with site.engine.begin() as connection:
        connection.execute(text("INSERT INTO audit_entry (at, action, subject) VALUES ('infinity', 'a', 'b')"))
        columns = canonical.columns_of(connection, AUDIT)
        assert [row.moment for row in canonical.rows(connection, AUDIT, columns, None, None)] == [0]


def test_the_digest_is_as_written_down() -> None:
    row = Row(0, 3, "7", b"3\t7\tx\n")
    digest = Digest("t", ["transaction_number", "id"], Boundary(0), Boundary(5, "7"), bytes(32)).add([row]).value()
    head = b'["lms sealed records, 1","t",["transaction_number","id"],[0,null],[5,"7"],"' + b"0" * 64 + b'"]\n'
    assert digest == hashlib.sha256(head + b"3\t7\tx\n").digest()


def test_keys_sort_as_their_bytes() -> None:
    numbers = ["-5", "0", "9", "10", str(2**63 - 1)]
    assert sorted(numbers, key=lambda key: canonical.key_bytes(AUDIT, key)) == numbers
    assert [canonical.key_text(AUDIT, canonical.key_bytes(AUDIT, key)) for key in numbers] == numbers
    name = "0b1ba3a0-0000-4000-8000-00000000000f"
    assert canonical.key_text(SKILL, canonical.key_bytes(SKILL, name)) == name


def test_a_boundary_divides_rows() -> None:
    def row(number: int, key: str) -> Row:
        return Row(0, number, key, b"")

    assert [Boundary(5).precedes(row(number, "1"), AUDIT) for number in (4, 5, 6)] == [False, True, True]
    assert [Boundary(5, "9").precedes(row(5, key), AUDIT) for key in ("8", "9", "10")] == [False, False, True]
    assert [Boundary(5, "9").precedes(row(number, "1"), AUDIT) for number in (4, 6)] == [False, True]
