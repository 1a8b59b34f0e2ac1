"""The tamper table: every alteration of a sealed row is found, and its table and row are named."""

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, text

from certificates.keys import key_files
from certificates.records import heads, status_keys
from certificates.records.checking import Check, Fault, Finding
from lms.core import clock, records
from lms.core.records import NUMBER, RecordTable
from tests.certificates.records.attacker import Attacker
from tests.certificates.records.conftest import Site

TIMES = 100
TABLES = (
    "attendance_decision", "attendance_event", "audit_entry", "frozen_figures", "ledger_entry", "person_time_entry", "retest_event",
    "session_event", "skill_event", "theory_event",
)  # fmt: skip
found: dict[str, dict[str, int]] = defaultdict(dict)


def table_of(name: str) -> RecordTable:
    return next(table for table in records.registered() if table.name == name)


@contextmanager
def undone(site: Site) -> Iterator[Connection]:
    """A connection whose changes are rolled back."""
    with site.engine.connect() as connection:
        transaction = connection.begin()
        yield connection
        transaction.rollback()


def check(
    site: Site, connection: Connection, only: str = "", *, with_keys: bool = True, with_heads: bool = False
) -> list[Finding]:
    keys = status_keys.load(connection, site.branch.keys_dir if with_keys else None)
    known = [(name, *head) for name, head in heads.noted(site.branch.keys_dir).items()] if with_heads else []
    return list(Check(connection, keys, known, only=[only] if only else ()).findings())


def rows_found(findings: list[Finding], table: str) -> set[tuple[Fault, str | None]]:
    return {(finding.fault, finding.key) for finding in findings if finding.table == table}


def named(findings: list[Finding], table: str) -> set[str | None]:
    return {finding.key for finding in findings if finding.table == table and finding.key is not None}


def repeated(site: Site, name: str, act: Callable[[Attacker, str, int], set[str]], *, recompute: bool) -> int:
    """Alter a row of each block at a time until TIMES rows were; return how many were named, and no others were."""
    hits = tried = 0
    while tried < TIMES:
        with undone(site) as connection:
            attacker = Attacker(connection, table_of(name), seed=tried + 1)
            picked = attacker.one_of_each_block()[: TIMES - tried]
            expected = [act(attacker, key, tried + place) for place, key in enumerate(picked)]
            if recompute:
                attacker.recompute()
            names = named(check(site, connection, name), name)
            assert names == set().union(*expected)
            hits += sum(keys <= names for keys in expected)
            tried += len(picked)
    return hits


def test_nothing_is_found_where_nothing_was_altered(sealed: Site) -> None:
    with undone(sealed) as connection:
        keys = status_keys.load(connection, sealed.branch.keys_dir)
        known = [(name, *head) for name, head in heads.noted(sealed.branch.keys_dir).items()]
        run = Check(connection, keys, known)
        assert list(run.findings()) == []
        assert [(each.table, each.sealed_rows, each.unsealed_rows) for each in run.standings] == [
            (name, 420 if name != "audit_entry" else run.standings[2].sealed_rows, 0) for name in TABLES
        ]
        assert check(sealed, connection, with_keys=False) == []


@pytest.mark.parametrize("recompute", [False, True], ids=["plain", "recomputed"])
@pytest.mark.parametrize("name", TABLES)
def test_each_alteration_is_named(sealed: Site, name: str, recompute: bool) -> None:
    def edit(attacker: Attacker, key: str, number: int) -> set[str]:
        columns = sorted(set(attacker.types) - {attacker.table.key, NUMBER})
        attacker.edit(key, columns[number % len(columns)])
        return {key}

    def delete(attacker: Attacker, key: str, _number: int) -> set[str]:
        attacker.delete(key)
        return {key}

    def insert(attacker: Attacker, key: str, _number: int) -> set[str]:
        return {attacker.insert_like(key)}

    def swap(attacker: Attacker, key: str, number: int) -> set[str]:
        other = attacker.neighbours[key]
        attacker.swap(key, other, contents=number % 2 == 0)
        return {key, other}

    label = "recomputed" if recompute else "plain"
    for act in (edit, delete, insert, swap):
        count = repeated(sealed, name, act, recompute=recompute)
        found[name][f"{act.__name__}, {label}"] = count
        assert count == TIMES


@pytest.mark.parametrize("name", TABLES)
def test_a_row_written_today_and_dated_long_ago_is_named(sealed: Site, name: str) -> None:
    table = table_of(name)
    with undone(sealed) as connection:
        attacker = Attacker(connection, table)
        number = connection.scalar(text("SELECT pg_current_xact_id()::text::bigint"))
        past = clock.now() - timedelta(days=30)
        added = {attacker.insert_like(key, **{table.moment: past, NUMBER: number}) for key in attacker.keys()[:TIMES]}
        assert rows_found(check(sealed, connection), name) == {(Fault.BACKDATED, key) for key in added}
        found[name]["backdated"] = len(added)


def test_the_table() -> None:
    kinds = [f"{act}, {label}" for label in ("plain", "recomputed") for act in ("edit", "delete", "insert", "swap")]
    kinds.append("backdated")
    lines = [f"{'':<20}" + "".join(f"{kind:>19}" for kind in kinds)]
    lines += [
        f"{name:<20}" + "".join(f"{each.get(kind, 0):>15}/{TIMES}" for kind in kinds) for name, each in found.items()
    ]
    sys.stdout.write("\n" + "\n".join(lines) + "\n")


def test_a_row_that_would_never_be_sealed_is_named(sealed: Site) -> None:
    with undone(sealed) as connection:
        attacker = Attacker(connection, table_of("audit_entry"))
        key = attacker.insert_like(attacker.keys()[0], **{NUMBER: 2**62})
        assert rows_found(check(sealed, connection), "audit_entry") == {(Fault.AHEAD, key)}


@pytest.mark.parametrize("recompute", [False, True])
def test_rows_of_two_blocks_whose_keys_were_exchanged_are_named(sealed: Site, recompute: bool) -> None:
    with undone(sealed) as connection:
        attacker = Attacker(connection, table_of("skill_event"))
        first, second = attacker.one_of_each_block()[:2]
        attacker.swap(first, second, contents=False)
        if recompute:
            attacker.recompute()
        findings = check(sealed, connection)
        assert named(findings, "skill_event") == {first, second}
        assert {finding.table for finding in findings} == {"skill_event"}


@pytest.mark.parametrize("name", TABLES)
def test_a_row_that_is_moved_to_another_transaction_is_named(sealed: Site, name: str) -> None:
    with undone(sealed) as connection:
        attacker = Attacker(connection, table_of(name))
        key = attacker.keys()[0]
        attacker.edit(key, NUMBER)
        assert key in named(check(sealed, connection), name)


def test_the_last_blocks_removed_with_their_rows_are_missed(sealed: Site) -> None:
    with undone(sealed) as connection:
        attacker = Attacker(connection, table_of("skill_event"))
        last = connection.execute(
            text(
                "DELETE FROM record_block WHERE record_table = 'skill_event' AND number ="
                " (SELECT max(number) FROM record_block WHERE record_table = 'skill_event') RETURNING number, row_count"
            )
        ).one()
        for key in attacker.keys()[-last.row_count :]:
            attacker.delete(key)
        assert check(sealed, connection) == []
        assert check(sealed, connection, with_heads=True) == [Finding("skill_event", Fault.HEAD, block=last.number)]


def test_a_key_that_was_replaced_signs_nothing_unnoticed(sealed: Site) -> None:
    """The attacker puts a key of the attacker's own into the table of keys, and signs every block with it."""
    with undone(sealed) as connection:
        attacker = Attacker(connection, table_of("ledger_entry"))
        key = attacker.keys()[5]
        attacker.edit(key, "recorded_at")
        own = Ed25519PrivateKey.generate()
        connection.execute(text("UPDATE issuer_key SET public_key = :own"), {"own": key_files.public_bytes(own)})
        attacker.recompute(own)
        findings = check(sealed, connection)
        assert Finding("issuer_key", Fault.KEY, key="status-1") in findings
        assert Finding("ledger_entry", Fault.SIGNATURE, block=1) in findings
        assert named(findings, "ledger_entry") == {key}


def test_a_second_key_put_beside_ours_is_noticed(sealed: Site) -> None:
    with undone(sealed) as connection:
        attacker = Attacker(connection, table_of("ledger_entry"))
        key = attacker.keys()[5]
        attacker.edit(key, "recorded_at")
        own = Ed25519PrivateKey.generate()
        connection.execute(
            text(
                "INSERT INTO issuer_key (kid, public_key, made_at, state) VALUES ('status-2', :own, now(), 'retired')"
            ),
            {"own": key_files.public_bytes(own)},
        )
        attacker.recompute(own, kid="status-2")
        last = connection.scalar(text("SELECT max(number) FROM record_block WHERE record_table = 'ledger_entry'"))
        findings = check(sealed, connection, with_heads=True)
        assert Finding("ledger_entry", Fault.FOREIGN_KEY, block=last) in findings
        assert Finding("ledger_entry", Fault.HEAD, block=last) in findings


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("row_count = row_count + 1", Fault.STATEMENT),
        ("sealed_at = sealed_at - interval '1 year'", Fault.STATEMENT),
        ("columns = columns[1:3]", Fault.STATEMENT),
        ("to_number = 7", Fault.STATEMENT),
        ("leaves = set_byte(leaves, 12, 255 - get_byte(leaves, 12))", Fault.LEAVES),
        ("document = ''", Fault.SIGNATURE),
        ("document = (SELECT document FROM record_block WHERE record_table = 'audit_entry' AND number = 4)", Fault.SIGNATURE),
        ("columns = ARRAY['transaction_number', 'id', 'no_such_column'], document = ''", Fault.SIGNATURE),
    ],
)  # fmt: skip
def test_an_altered_block_is_named_and_its_rows_are_not_doubted(sealed: Site, change: str, fault: Fault) -> None:
    with undone(sealed) as connection:
        Attacker(connection, table_of("audit_entry"))
        connection.execute(text(f"UPDATE record_block SET {change} WHERE record_table = 'audit_entry' AND number = 3"))
        assert check(sealed, connection) == [Finding("audit_entry", fault, block=3)]


def test_a_missing_block_is_noticed(sealed: Site) -> None:
    with undone(sealed) as connection:
        Attacker(connection, table_of("audit_entry"))
        connection.execute(text("DELETE FROM record_block WHERE record_table = 'audit_entry' AND number IN (3, 4)"))
        assert check(sealed, connection) == [Finding("audit_entry", Fault.MISSING, block=5)]


def test_without_the_private_key_the_block_and_missing_rows_are_named(sealed: Site) -> None:
    with undone(sealed) as connection:
        attacker = Attacker(connection, table_of("person_time_entry"))
        first, _second, third = attacker.one_of_each_block()[:3]
        attacker.edit(first, "named")
        attacker.delete(third)
        assert check(sealed, connection, with_keys=False) == [
            Finding("person_time_entry", Fault.ROWS, block=1),
            Finding("person_time_entry", Fault.REMOVED, third, 3),
        ]
