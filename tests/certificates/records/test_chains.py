"""The stored chain: read in order, with the seal that each block follows."""

from certificates.records import canonical, chains, status_keys
from lms.core import records
from tests.certificates.records.conftest import Site

SKILL = next(table for table in records.registered() if table.name == "skill_event")


def test_blocks_come_in_order_and_only_those_of_the_first_sealing_follow_no_seal(sealed: Site) -> None:
    with sealed.engine.connect() as connection:
        keys = status_keys.load(connection, sealed.branch.keys_dir)
        columns = canonical.columns_of(connection, SKILL)
        every = [block for batch in chains.batches(connection, SKILL, columns, keys) for block in batch]
    assert [block.claims.number for block in every] == list(range(1, len(every) + 1))
    assert all(block.is_signed and block.claims == block.row for block in every)
    first_sealing = [block for block in every if block.follows is None]
    assert [block.claims.count for block in first_sealing] == [12] * 8 + [4]
    assert [block.claims.end.key is None for block in first_sealing] == [False] * 8 + [True]
    # A block of a later sealing follows the last block of the sealing before, and not one of its own sealing.
    seals = [block.claims.sealed_at for block in every if block.claims.end.key is None]
    assert {block.follows for block in every[9:]} == set(seals[:-1])
