"""The chain of a table's blocks as it is stored, each block verified by itself."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from certificates.records import blocks
from certificates.records.blocks import Claims
from certificates.records.canonical import Boundary
from certificates.records.models import RecordBlock
from certificates.records.status_keys import StatusKeys
from lms.core.records import RecordTable

BLOCKS_AT_ONCE = 100  # with at most 10,000 leaves each: some 24 MB


@dataclass(slots=True)
class ChainBlock:
    """A stored block.

    claims: its signed statement, or its columns where the statement is not signed with a key of ours. row: its columns.
    begin, end: the range of its rows; without a signature, as the signed blocks before and after it say. columns: the
    columns of its rows; None where the table no longer has one of them. follows: when the last seal before it was, of
    which its rows are the successors; None for the blocks of the first sealing, whose rows may be of any age.
    """

    claims: Claims
    row: Claims
    is_signed: bool
    leaves: bytes
    begin: Boundary
    end: Boundary
    columns: tuple[str, ...] | None
    follows: datetime | None = None


def batches(
    connection: Connection, table: RecordTable, columns: Sequence[str], keys: StatusKeys
) -> Iterator[list[ChainBlock]]:
    """Read the chain of a table, some blocks at a time. columns: the columns that the table has now."""
    previous: ChainBlock | None = None
    seal: datetime | None = None
    while batch := _read(connection, table, columns, keys, previous.row.number if previous is not None else 0):
        for place, block in enumerate(batch):
            if not block.is_signed:
                following = batch[place + 1] if place + 1 < len(batch) else None
                _infer_range(block, previous, following)
            block.follows = seal
            if block.claims.end.key is None:
                seal = block.claims.sealed_at
            previous = block
        yield batch


def _infer_range(block: ChainBlock, previous: ChainBlock | None, following: ChainBlock | None) -> None:
    """Take the range of an unsigned block from its neighbours where they are signed."""
    number = block.claims.number
    if previous is not None and previous.claims.number == number - 1:
        block.begin = previous.end
    if following is not None and following.is_signed and following.claims.number == number + 1:
        block.end = following.begin
    if block.end.number < block.begin.number:
        block.end = block.begin


def _read(
    connection: Connection, table: RecordTable, columns: Sequence[str], keys: StatusKeys, after: int
) -> list[ChainBlock]:
    statement = (
        select(RecordBlock.__table__)
        .where(RecordBlock.record_table == table.name, RecordBlock.number > after)
        .order_by(RecordBlock.number)
        .limit(BLOCKS_AT_ONCE)
    )
    return [_verified(row, table, columns, keys) for row in connection.execute(statement)]


def _verified(row: Row[Any], table: RecordTable, columns: Sequence[str], keys: StatusKeys) -> ChainBlock:
    leaves = bytes(row.leaves)
    stored = blocks.of_row(row, leaves)
    try:
        claims = blocks.read(row.document, keys.public)
        # A statement that was signed for another block does not speak for this one.
        is_signed = (claims.table, claims.number) == (table.name, row.number)
    except ValueError:
        is_signed = False
    if not is_signed:
        claims = stored
    names: tuple[str, ...] | None = claims.columns
    if not is_signed and not _are_canonical(claims.columns, columns):
        names = tuple(columns)
    elif not set(claims.columns) <= set(columns):
        names = None
    return ChainBlock(claims, stored, is_signed, leaves, claims.begin, claims.end, names)


def _are_canonical(names: Sequence[str], columns: Sequence[str]) -> bool:
    return list(names[:2]) == list(columns[:2]) and set(names) <= set(columns)
