"""Sealing: complete under concurrent writers, continued after a restore, and refused where blocks were removed."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, text

from certificates.keys import issuer_keys, key_files
from certificates.keys.issuer_keys import Purpose
from certificates.records import canonical, heads, leaves, status_keys
from certificates.records.checking import Check, Finding
from lms.core import clock, records
from lms.core.errors import DomainError
from lms.core.transactions import transaction
from tests.certificates.records import rows
from tests.certificates.records.conftest import Site

WRITERS = 8


def findings(site: Site) -> list[Finding]:
    with site.engine.connect() as connection:
        keys = status_keys.load(connection, site.branch.keys_dir)
        known = [(table, *head) for table, head in heads.noted(site.branch.keys_dir).items()]
        return list(Check(connection, keys, known).findings())


def numbers(blocks: list) -> dict[str, list[int]]:
    every: dict[str, list[int]] = {}
    for block in blocks:
        every.setdefault(block.record_table, []).append(block.row_count)
    return every


def test_each_table_that_bears_the_trigger_is_sealed(site: Site) -> None:
    with site.engine.connect() as connection:
        tables = connection.scalars(text("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'append_only'"))
        assert set(tables) - {"record_block"} == {table.name for table in records.registered()}


def test_the_first_block_may_be_empty_and_nothing_new_makes_no_block(site: Site) -> None:
    first = site.seal()
    assert numbers(first)["skill_event"] == [0]
    assert Counter(block.record_table for block in first) == {table.name: 1 for table in records.registered()}
    assert numbers(first)["audit_entry"] == [1]  # that the key was made
    assert site.seal() == []
    assert findings(site) == []


def test_many_rows_of_one_transaction_are_several_blocks(site: Site) -> None:
    site.write(1, 10)
    blocks = numbers(site.seal(limit=4))
    assert (blocks["skill_event"], blocks["ledger_entry"]) == ([4, 4, 2], [4, 4, 2])
    site.write(11, 13)
    assert numbers(site.seal(limit=4))["skill_event"] == [3]
    assert findings(site) == []


def test_a_row_that_commits_late_slips_behind_no_seal(site: Site) -> None:
    """A transaction stays open over two seals while later ones commit."""
    site.seal()
    with site.engine.connect() as late:
        late.begin()
        rows.write(late, 1, 1)
        site.write(2, 2)
        assert "skill_event" not in numbers(site.seal())
        site.write(3, 3)
        assert "skill_event" not in numbers(site.seal())
        late.commit()
    assert numbers(site.seal())["skill_event"] == [3]
    assert findings(site) == []


def test_each_committed_row_is_in_one_block_under_concurrent_writers(site: Site) -> None:
    """Writers hold their transactions open over seals, and some are rolled back; two workers seal at the same time."""
    site.seal()
    finished = threading.Event()

    def write(writer: int) -> int:
        committed = 0
        for turn in range(8):
            number = 1 + writer * 100 + turn
            with site.engine.connect() as connection:
                transaction = connection.begin()
                rows.write(connection, number, number)
                connection.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": 0.002 * (writer % 4)})
                if (writer + turn) % 5 == 0:
                    transaction.rollback()
                else:
                    transaction.commit()
                    committed += 1
        return committed

    def seal() -> None:
        while not finished.is_set():
            site.seal(limit=5)

    with ThreadPoolExecutor(WRITERS + 2) as threads:
        sealers = [threads.submit(seal) for _ in range(2)]
        written = sum(threads.map(write, range(WRITERS)))
        finished.set()
        for sealer in sealers:
            sealer.result()
    site.seal()
    assert findings(site) == []
    with site.engine.connect() as connection:
        for table in records.registered():
            names = leaf_keys(connection, table)
            stored = [str(key) for key in connection.scalars(text(f"SELECT {table.key} FROM {table.name}"))]
            assert sorted(names) == sorted(stored)
            assert len(stored) == written + (table.name == "audit_entry")


def leaf_keys(connection: Connection, table: records.RecordTable) -> list[str]:
    """The key of each leaf of each block of a table."""
    stored = connection.scalars(
        text("SELECT leaves FROM record_block WHERE record_table = :name"), {"name": table.name}
    )
    groups = [group for each in stored for group in leaves.read(bytes(each), table) or []]
    return [canonical.key_text(table, key) for group in groups for key in group.tags]


def test_a_new_key_vouches_for_the_whole_chain(site: Site) -> None:
    site.write(1, 3)
    site.seal()
    with transaction(site.sessions) as db:
        issuer_keys.compromise(db, site.branch.keys_dir, "status-1", clock.now())
    blocks = site.seal()
    assert {block.kid for block in blocks} == {"status-2"}
    assert {block.record_table for block in blocks} == {table.name for table in records.registered()}
    assert findings(site) == []


def test_without_the_key_nothing_is_sealed_and_nothing_is_lost(site: Site) -> None:
    site.seal()
    site.write(1, 3)
    path = key_files.private_key_path(site.branch.keys_dir, "status-1")
    kept = path.read_bytes()
    path.unlink()
    with pytest.raises(DomainError) as refusal:
        site.seal()
    assert refusal.value.code == "signing_key_missing"
    path.write_bytes(kept)
    path.chmod(0o600)
    assert numbers(site.seal())["skill_event"] == [3]


def test_sealing_stops_where_noted_blocks_were_removed(site: Site) -> None:
    site.write(1, 3)
    site.seal()
    with site.engine.begin() as connection:
        rows.disarm(connection)
        connection.execute(text("DELETE FROM record_block WHERE record_table = 'skill_event'"))
    site.write(4, 5)
    with pytest.raises(DomainError) as refusal:
        site.seal()
    assert refusal.value.code == "record_head_missing"
    assert [(finding.table, finding.block) for finding in findings(site)] == [("skill_event", 1)]
    noted = heads.noted(site.branch.keys_dir)
    assert noted["skill_event"][0] == 1
    with transaction(site.sessions) as db:
        heads.note(db, site.branch.keys_dir, list(noted))
        assert heads.noted(site.branch.keys_dir) == noted


def test_numbers_go_on_after_a_restore_into_another_server(site: Site) -> None:
    """The stored numbers are beyond the server's counter, as in a dump that came from an older server."""
    with site.engine.begin() as connection:
        connection.execute(text("ALTER TABLE skill_event ALTER transaction_number SET DEFAULT 5000000"))
        connection.execute(text("UPDATE record_numbering SET number_offset = 6000000"))
    site.write(1, 3)
    site.seal()
    with site.engine.begin() as connection:
        connection.execute(text("UPDATE record_numbering SET number_offset = 0"))
    with pytest.raises(DomainError) as refusal:
        site.seal()
    assert refusal.value.code == "record_numbers_behind"
    assert records.continue_numbers(site.url)
    assert not records.continue_numbers(site.url)
    site.write(4, 5)
    assert numbers(site.seal())["skill_event"] == [2]
    assert findings(site) == []


def test_purpose_of_the_key_is_that_of_status_lists(site: Site) -> None:
    assert {issuer_keys.purpose_of(block.kid) for block in site.seal()} == {Purpose.STATUS}
