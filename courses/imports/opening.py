"""The import kind of opening balances. A file is imported whole or not at all: half a source is a total of nothing."""

from collections.abc import Callable, Sequence

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from courses.counting import opening_balances
from courses.imports import files, overlaps, row_kind
from courses.imports.kinds import Column, ImportContext, register
from courses.imports.overlaps import Overlap
from courses.imports.row_kind import LAST_LINE, Cells, LineRange, ParsedRow, RowKind, range_sql
from courses.models.imports import ImportLine, ImportRun, RowOutcome
from courses.models.opening_balances import OpeningSource
from lms.core import clock
from lms.core.errors import N_
from lms.core.exports import MEDIA_TYPES, Format

LARGEST_SOURCE = 8 << 20  # bytes: the file is stored with its source
SOURCES_LIMIT = 10  # each source stores the file
REASON = "导入已撤销。The import was undone."
COLUMNS = (
    Column("month", "月份", "month", ("年月",), True, "2012-05"),
    Column("district", "区", "district", ("区县", "所属区"), True, "东城区"),
    Column("programme", "培训项目", "programme", ("项目",), True, "救护员培训"),
    Column("person_times", "人次", "person-times", ("培训人次",), True, "12000"),
    Column("certificates", "发证数", "certificates", ("证书", "发证数量"), False, "750"),
    Column("source", "来源", "source", ("数据来源", "出处"), False, "2012年年报表4"),
)
_HELD = range_sql(
    "UPDATE import_line AS line SET outcome = 'known' FROM (SELECT line.line FROM import_line AS line"
    " JOIN opening_balance AS held ON held.active AND held.month = CAST(facts->>'month' AS date)"
    " AND held.district_id = CAST(facts->>'district_id' AS smallint) AND held.programme_code = facts->>'programme_code'"
    " AND held.person_times = CAST(facts->>'person_times' AS bigint)"
    " AND held.certificates = CAST(facts->>'certificates' AS bigint)"
    " WHERE {part} AND line.made_id IS NULL) AS found WHERE line.run_id = :run AND line.line = found.line"
)
_WHOLE = text(
    "UPDATE import_line AS line SET outcome = 'refused', code = 'whole', params = jsonb_build_object('line', wrong.line)"
    " FROM (SELECT min(line) AS line FROM import_line WHERE run_id = :run AND outcome IN ('refused', 'double')) AS wrong"
    " WHERE line.run_id = :run AND line.outcome = 'new' AND wrong.line IS NOT NULL"
)
_FEW = text(
    "UPDATE import_line AS line SET outcome = 'refused', code = 'sources', params = jsonb_build_object('most', :most)"
    " WHERE line.run_id = :run AND line.outcome = 'new' AND (SELECT count(DISTINCT facts->>'source') FROM import_line"
    " WHERE run_id = :run AND outcome = 'new') > :most"
)
_WRITE = range_sql(
    "INSERT INTO opening_balance (source_id, month, district_id, programme_code, person_times, certificates, active)"
    " SELECT made_id, CAST(facts->>'month' AS date), CAST(facts->>'district_id' AS smallint), facts->>'programme_code',"
    " CAST(facts->>'person_times' AS bigint), CAST(facts->>'certificates' AS bigint), true"
    " FROM import_line AS line WHERE {part} ORDER BY line.line"
)
_SOURCES = range_sql(
    "SELECT facts->>'source' AS title, count(*) AS rows, CAST(sum(CAST(facts->>'person_times' AS bigint)) AS bigint)"
    " AS person_times FROM import_line AS line WHERE {part} GROUP BY 1 ORDER BY min(line.line)"
)
_LEAD = range_sql("UPDATE import_line AS line SET made_id = :source WHERE {part} AND facts->>'source' = :title")


class OpeningBalancesKind(RowKind):
    """The import kind `opening_balances`."""

    name = "opening_balances"
    title = N_("Totals from before this system")
    hint = N_(
        "One row for each month, district and programme. The file is stored with its totals and can only be "
        "imported as a whole. If a row has no source, the file name is used."
    )
    columns = COLUMNS
    city_only = True
    largest = LARGEST_SOURCE
    waiting_codes = frozenset({"whole"})
    reasons = {  # noqa: RUF012  # read only
        "double": N_("Line %(line)s already has this month, district and programme."),
        "whole": N_("Line %(line)s cannot be imported. A source can only be imported as a whole."),
        "sources": N_("A file may name at most %(most)s sources."),
    }

    def row_reader(self, db: Session, run: ImportRun, context: ImportContext) -> Callable[[Cells], ParsedRow]:
        """See `RowKind.row_reader`; `courses.counting.opening_balances` reads the cells."""
        parse = opening_balances.row_reader(db, clock.today(context.zone))

        def read(row: Cells) -> ParsedRow:
            balance = parse(row)
            month = balance.month.isoformat()
            facts = {**vars(balance), "month": month, "source": row.get("source") or run.file_name}
            return ParsedRow(facts, f"{month}:{balance.district_id}:{balance.programme_code}")

        return read

    def classify(self, db: Session, part: LineRange) -> None:
        """Mark balances that exist with the same figures; one row at fault refuses the whole file."""
        row_kind.execute(db, _HELD, part)
        db.execute(_FEW, {"run": part.run.id, "most": SOURCES_LIMIT})
        db.execute(_WHOLE, {"run": part.run.id})

    def overlaps(self, db: Session, run: ImportRun) -> list[Overlap]:
        """See `ImportKind.overlaps`: months with records of the programme, or with a balance of another source."""
        return overlaps.of_balances(db, run)

    def write(self, db: Session, part: LineRange) -> None:
        """Write a source, with the file, for each source that the rows name, and its balances."""
        content = files.content(db, part.run)
        media_type = MEDIA_TYPES[Format.XLSX if part.run.encoding == files.XLSX else Format.CSV]
        for title, rows, person_times in db.execute(_SOURCES, part.values).all():
            source = opening_balances.add_source(
                db,
                title=title,
                file_name=part.run.file_name,
                media_type=media_type,
                content=content,
                rows=rows,
                person_times=person_times,
            )
            db.execute(_LEAD, {**part.values, "source": source.id, "title": title})
        row_kind.execute(db, _WRITE, part)

    def last_line(self, db: Session, run: ImportRun, chunk: int) -> int | None:  # noqa: ARG002  # signature of RowKind
        """See `RowKind.last_line`: the whole file is one chunk."""
        return None if run.cursor else LAST_LINE

    def undo_rows(self, db: Session, part: LineRange, step: str) -> tuple[int, Sequence[str]]:  # noqa: ARG002  # signature of RowKind
        """Withdraw the sources, which stay on record; one that was withdrawn already stays as it is."""
        sources = db.execute(
            select(ImportLine.made_id, func.count())
            .join(OpeningSource, OpeningSource.id == ImportLine.made_id)
            .where(
                ImportLine.run_id == part.run.id,
                ImportLine.outcome == RowOutcome.NEW,
                OpeningSource.withdrawn_at.is_(None),
            )
            .group_by(ImportLine.made_id)
            .order_by(ImportLine.made_id)
        ).all()
        for source_id, _rows in sources:
            opening_balances.withdraw(db, source_id or 0, REASON)
        return sum(rows for _source, rows in sources), []


OPENING_BALANCES = OpeningBalancesKind()
register(OPENING_BALANCES)
