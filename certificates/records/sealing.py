"""Sealing: new rows of the tables of record become signed blocks. For the worker, which alone has the key."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Connection, func, select, text
from sqlalchemy.orm import Session, sessionmaker

from certificates.branch import Branch
from certificates.keys import issuer_keys
from certificates.keys.issuer_keys import Purpose
from certificates.models import IssuerKey, KeyState
from certificates.records import blocks, canonical, heads, leaves
from certificates.records.blocks import Claims
from certificates.records.canonical import Boundary, Digest, Row
from certificates.records.leaves import Tagger
from certificates.records.models import RecordBlock
from lms.core import clock, records
from lms.core.errors import N_, DomainError
from lms.core.records import RecordTable
from lms.core.transactions import transaction

BLOCK_ROWS = 10_000
_LOCK = (
    0x424A_5243  # "BJRC": with the table's name PostgreSQL's advisory lock, so that one worker seals a table at a time
)

Opening = Callable[[], AbstractContextManager[Connection]]


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of a chain, from which the next block goes on."""

    number: int
    end: Boundary
    digest: bytes
    kid: str | None


_NO_BLOCK = Tail(0, Boundary(0), blocks.GENESIS, None)


def seal(
    sessions: sessionmaker[Session], opening: Opening, branch: Branch, *, limit: int = BLOCK_ROWS
) -> Iterator[RecordBlock]:
    """Seal every row whose transaction and all before it have ended; yield each block when it is committed.

    Each table has a first block, also an empty one, and an empty block follows where the signing key was replaced, so
    that the new key vouches for the whole chain. Otherwise nothing new makes no block. A table that another worker
    seals at present is left out. opening: opens a connection that reads while blocks are committed. limit: the largest
    number of rows in a block.

    Raises DomainError after all tables, the first of: `record_numbers_behind`, `record_head_missing`, and the errors of
    `issuer_keys.for_signing`; and OSError where the heads cannot be noted in the keys folder.
    """
    sealed: list[str] = []
    first_error: DomainError | None = None
    for table in records.registered():
        try:
            with opening() as reader:
                yield from _seal_table(sessions, reader, branch, table, limit)
            sealed.append(table.name)
        except DomainError as error:
            first_error = first_error or error
    with transaction(sessions) as db:
        heads.note(db, branch.keys_dir, sealed)
    if first_error is not None:
        raise first_error


def _seal_table(
    sessions: sessionmaker[Session], reader: Connection, branch: Branch, table: RecordTable, limit: int
) -> Iterator[RecordBlock]:
    if not reader.scalar(select(func.pg_try_advisory_xact_lock(_LOCK, func.hashtext(table.name)))):
        return
    canonical.set_formats(reader)
    tail = _tail(reader, table)
    horizon = Boundary(horizon_of(reader))
    if horizon.number < tail.end.number:
        raise DomainError(
            "record_numbers_behind",
            N_(
                "The database counts transactions from a smaller number than its records have: it was restored."
                " Run: flask migrate"
            ),
        )
    if not heads.is_noted(reader, branch.keys_dir, table.name):
        raise DomainError(
            "record_head_missing",
            N_(
                "A sealed block of %(table)s that this machine noted is not in the database."
                " Run: flask records check; after a restored backup: flask records head --accept"
            ),
            table=table.name,
        )
    active = _active_kid(reader)
    columns = canonical.columns_of(reader, table)
    lines = canonical.rows(reader, table, columns, tail.end if tail.number else None, horizon)
    batch = list(islice(lines, limit))
    if not batch and tail.number and active in {None, tail.kid}:
        return
    while True:
        following = list(islice(lines, limit))
        end = Boundary(batch[-1].number, batch[-1].key) if following else horizon
        with transaction(sessions) as db:
            block = _block(db, branch, table, columns=columns, tail=tail, end=end, rows=batch)
            db.add(block)
        yield block
        if not following:
            return
        tail = Tail(block.number, end, block.digest, block.kid)
        batch = following


def _block(
    db: Session, branch: Branch, table: RecordTable, *, columns: list[str], tail: Tail, end: Boundary, rows: list[Row]
) -> RecordBlock:
    key, private = issuer_keys.for_signing(db, branch.keys_dir, Purpose.STATUS)
    number = tail.number + 1
    stored_leaves = leaves.make(rows, table, Tagger(private, table, number))
    claims = Claims(
        table=table.name,
        number=number,
        begin=tail.end,
        end=end,
        columns=tuple(columns),
        count=len(rows),
        digest=Digest(table.name, columns, tail.end, end, tail.digest).add(rows).value(),
        previous=tail.digest,
        leaves=blocks.hash_of(stored_leaves),
        sealed_at=clock.now(),
        kid=key.kid,
    )
    return RecordBlock(
        record_table=claims.table,
        number=claims.number,
        from_number=claims.begin.number,
        from_key=claims.begin.key,
        to_number=claims.end.number,
        to_key=claims.end.key,
        columns=list(claims.columns),
        row_count=claims.count,
        digest=claims.digest,
        previous_digest=claims.previous,
        sealed_at=claims.sealed_at,
        kid=claims.kid,
        document=blocks.document(claims, branch.public_url, private.sign),
        leaves=stored_leaves,
    )


def _tail(reader: Connection, table: RecordTable) -> Tail:
    row = reader.execute(
        select(RecordBlock.number, RecordBlock.to_number, RecordBlock.to_key, RecordBlock.digest, RecordBlock.kid)
        .where(RecordBlock.record_table == table.name)
        .order_by(RecordBlock.number.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return _NO_BLOCK
    return Tail(row.number, Boundary(row.to_number, row.to_key), bytes(row.digest), row.kid)


def horizon_of(reader: Connection) -> int:
    """The number below which every transaction has ended."""
    query = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint + number_offset FROM record_numbering"
    return int(reader.scalar(text(query)) or 0)


def _active_kid(reader: Connection) -> str | None:
    return reader.scalar(
        select(IssuerKey.kid).where(IssuerKey.kid.startswith(f"{Purpose.STATUS}-"), IssuerKey.state == KeyState.ACTIVE)
    )
