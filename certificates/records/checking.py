"""The check of the tables of record against their sealed blocks: it names table and row of whatever was altered."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import groupby

from sqlalchemy import Connection, text

from certificates.records import canonical, chains, heads, leaves
from certificates.records.blocks import Claims
from certificates.records.canonical import Digest, Row
from certificates.records.chains import ChainBlock
from certificates.records.leaves import Difference, Tagger
from certificates.records.status_keys import StatusKeys
from lms.core import records
from lms.core.records import RecordTable

TOLERANCE = int(timedelta(days=1).total_seconds())  # between the moment of a row and the seals before and after it


class Fault(StrEnum):
    """The kinds of finding. The value is how the check says it."""

    EDITED = "edited after it was sealed"
    REMOVED = "removed after it was sealed"
    ADDED = "added to a block that was sealed without it"
    BACKDATED = "dated more than a day before the seal that it follows"
    POSTDATED = "dated more than a day after it was sealed"
    AHEAD = "its transaction number was never reached, so it would never be sealed"
    ROWS = "its rows are not as they were sealed"
    SIGNATURE = "not signed with a key of ours"
    STATEMENT = "its columns differ from its signed statement"
    LEAVES = "its leaves are not as they were sealed"
    MISSING = "the blocks before it are missing"
    CHAIN = "does not continue the block before it"
    COLUMNS = "was sealed with columns that the table no longer has, so its rows cannot be checked"
    HEAD = "is known outside the database, and is missing or another one in it"
    FOREIGN_KEY = "the last one, is signed with a key whose file is not on this machine"
    KEY = "the published key is not the one of the keys folder"


_OF_DIFFERENCE = {
    Difference.EDITED: Fault.EDITED,
    Difference.REMOVED: Fault.REMOVED,
    Difference.ADDED: Fault.ADDED,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was sealed. key: of the row; None where the finding is about a whole block."""

    table: str
    fault: Fault
    key: str | None = None
    block: int | None = None


@dataclass(slots=True)
class Standing:
    """How far a table is sealed. oldest: the moment of the oldest row that is not sealed yet."""

    table: str
    blocks: int = 0
    sealed_rows: int = 0
    sealed_until: datetime | None = None
    unsealed_rows: int = 0
    oldest: datetime | None = None


@dataclass(slots=True)
class Check:
    """A check of all tables, on a connection whose transaction sees one snapshot.

    known: blocks that are noted outside the database: table, number, digest in hexadecimal. advance: called with
    numbers of checked rows. only: the tables to check, all where it is empty. `standings` are complete when `findings`
    has ended.
    """

    connection: Connection
    keys: StatusKeys
    known: Sequence[tuple[str, int, str]] = ()
    advance: Callable[[int], None] = lambda _rows: None
    only: Collection[str] = ()
    standings: list[Standing] = field(default_factory=list)

    def findings(self) -> Iterator[Finding]:
        """Check everything, table by table; yield each finding."""
        canonical.set_formats(self.connection)
        for kid in self.keys.replaced:
            yield Finding("issuer_key", Fault.KEY, key=kid)
        for table in records.registered():
            if self.only and table.name not in self.only:
                continue
            standing = Standing(table.name)
            self.standings.append(standing)
            yield from self._table(table, standing)
        for name, number, digest in self.known:
            if self.only and name not in self.only:
                continue
            stored = heads.block(self.connection, name, number)
            if stored is None or stored.digest != digest:
                yield Finding(name, Fault.HEAD, block=number)

    def _table(self, table: RecordTable, standing: Standing) -> Iterator[Finding]:
        columns = canonical.columns_of(self.connection, table)
        previous: ChainBlock | None = None
        for batch in chains.batches(self.connection, table, columns, self.keys):
            findings: list[Finding] = []
            for block in batch:
                findings += _links(previous, block)
                previous = block
                standing.blocks += 1
                standing.sealed_rows += block.claims.count
                if block.claims.end.key is None:
                    standing.sealed_until = block.claims.sealed_at
            for names, group in groupby(batch, key=lambda block: block.columns):
                if names is not None:
                    findings += self._rows(table, names, list(group))
            yield from findings
        if previous is not None and self.keys.private and previous.claims.kid not in self.keys.private:
            yield Finding(table.name, Fault.FOREIGN_KEY, block=previous.claims.number)
        yield from self._unsealed(table, columns, previous, standing)

    def _rows(self, table: RecordTable, columns: Sequence[str], group: Sequence[ChainBlock]) -> Iterator[Finding]:
        """Compare the rows of consecutive blocks with the same columns, which one COPY reads."""
        begin = None if group[0].claims.number == 1 else group[0].begin
        stream = canonical.rows(self.connection, table, columns, begin, group[-1].end)
        row = next(stream, None)
        for block in group:
            # Rows between two blocks that do not meet: the blocks that held them are missing.
            while row is not None and block.claims.number > 1 and not block.begin.precedes(row, table):
                row = next(stream, None)
            rows: list[Row] = []
            while row is not None and not block.end.precedes(row, table):
                rows.append(row)
                row = next(stream, None)
            yield from self._block(table, block, rows)
            self.advance(len(rows))

    def _block(self, table: RecordTable, block: ChainBlock, rows: Sequence[Row]) -> Iterator[Finding]:
        claims = block.claims
        yield from _misdated(table, block, rows)
        if block.is_signed:
            digest = Digest(table.name, claims.columns, claims.begin, claims.end, claims.previous).add(rows).value()
            if digest == claims.digest:
                return
        groups = leaves.read(block.leaves, table)
        named = False
        for difference, key in leaves.compare(groups or [], rows, table, self._tagger(table, block, groups, rows)):
            named = True
            yield Finding(table.name, _OF_DIFFERENCE[difference], key, claims.number)
        if block.is_signed and not named:
            yield Finding(table.name, Fault.ROWS, block=claims.number)

    def _tagger(
        self, table: RecordTable, block: ChainBlock, groups: Sequence[leaves.Group] | None, rows: Sequence[Row]
    ) -> Tagger | None:
        """The keyed hashes of a block. Of a block that is not signed, the key is the one that made any of its leaves."""
        number = block.claims.number
        if block.is_signed:
            private = self.keys.private.get(block.claims.kid)
            return Tagger(private, table, number) if private is not None else None
        taggers = [Tagger(private, table, number) for private in self.keys.private.values()]
        tags = {key: tag for group in groups or () for key, tag in group.tags.items()}
        for tagger in taggers:
            for row in rows:
                key = canonical.key_bytes(table, row.key)
                if key in tags and tagger.tag(key, row.line) == tags[key]:
                    return tagger
        return taggers[0] if taggers else None

    def _unsealed(
        self, table: RecordTable, columns: Sequence[str], last: ChainBlock | None, standing: Standing
    ) -> Iterator[Finding]:
        """Look at the rows behind the last block: they are not sealed yet, but must not be dated before it."""
        upcoming = int(self.connection.scalar(text(_UPCOMING)) or 0)
        findings: list[Finding] = []
        for row in canonical.rows(self.connection, table, columns, last.end if last is not None else None, None):
            moment = datetime.fromtimestamp(max(row.moment, 0), UTC)
            standing.unsealed_rows += 1
            standing.oldest = min(standing.oldest or moment, moment)
            if row.number >= upcoming:
                findings.append(Finding(table.name, Fault.AHEAD, row.key))
            elif last is not None and last.follows is not None and row.moment < last.follows.timestamp() - TOLERANCE:
                findings.append(Finding(table.name, Fault.BACKDATED, row.key))
        yield from findings


# The number that no finished transaction has reached; one that this transaction wrote itself is reached.
_UPCOMING = (
    "SELECT greatest(pg_snapshot_xmax(pg_current_snapshot())::text::bigint,"
    " coalesce(pg_current_xact_id_if_assigned()::text::bigint + 1, 0)) + number_offset FROM record_numbering"
)


def _links(previous: ChainBlock | None, block: ChainBlock) -> Iterator[Finding]:
    """Look at a block by itself and as the successor of the block before."""
    claims, table, number = block.claims, block.claims.table, block.claims.number
    if not block.is_signed:
        yield Finding(table, Fault.SIGNATURE, block=number)
    elif block.row != claims:
        yield Finding(table, Fault.LEAVES if block.row.leaves != claims.leaves else Fault.STATEMENT, block=number)
    if block.columns is None:
        yield Finding(table, Fault.COLUMNS, block=number)
    if number != (previous.claims.number + 1 if previous is not None else 1):
        yield Finding(table, Fault.MISSING, block=number)
    elif previous is not None and block.is_signed and previous.is_signed and not _continues(claims, previous.claims):
        yield Finding(table, Fault.CHAIN, block=number)


def _continues(claims: Claims, previous: Claims) -> bool:
    return claims.previous == previous.digest and claims.begin == previous.end


def _misdated(table: RecordTable, block: ChainBlock, rows: Sequence[Row]) -> Iterator[Finding]:
    """Rows whose moment cannot be: a row is written between the seal before its block and the seal of its block."""
    if block.follows is None:
        return
    earliest = block.follows.timestamp() - TOLERANCE
    latest = block.claims.sealed_at.timestamp() + TOLERANCE
    for row in rows:
        if not earliest <= row.moment <= latest:
            fault = Fault.BACKDATED if row.moment < earliest else Fault.POSTDATED
            yield Finding(table.name, fault, row.key, block.claims.number)
