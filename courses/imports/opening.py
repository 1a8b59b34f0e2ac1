"""Totals from before this system, from a file. It goes in whole or not at all: half a source would be nobody's total."""

from collections.abc import Callable, Sequence

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from courses.counting import opening_balances
from courses.imports import files, simple
from courses.imports.kinds import Column, Context, register
from courses.imports.simple import LAST, Cells, Fact, Part, Simple, sql
from courses.models.imports import ImportLine, ImportRun, RowOutcome
from courses.models.opening_balances import OpeningSource
from lms.core.errors import N_
from lms.core.exports import MEDIA_TYPES, Format

LARGEST = 8 << 20  # bytes of a source's file: it is kept with it
MOST_SOURCES = 10  # each keeps the file
REASON = "导入已撤销。The import was undone."
COLUMNS = (
    Column("month", "月份", "month", ("年月",), True, "2012-05"),
    Column("district", "区", "district", ("区县", "所属区"), True, "东城区"),
    Column("programme", "培训项目", "programme", ("项目",), True, "救护员培训"),
    Column("person_times", "人次", "person-times", ("培训人次",), True, "12000"),
    Column("certificates", "发证数", "certificates", ("证书", "发证数量"), False, "750"),
    Column("source", "来源", "source", ("数据来源", "出处"), False, "2012年年报表4"),
)
_HELD = sql(
    "UPDATE import_line AS line SET outcome = CASE WHEN same THEN 'known' ELSE 'refused' END,"
    " code = CASE WHEN same THEN NULL ELSE 'held' END"
    " FROM (SELECT line.line, held.person_times = CAST(facts->>'person_times' AS bigint)"
    " AND held.certificates = CAST(facts->>'certificates' AS bigint) AS same FROM import_line AS line"
    " JOIN opening_balance AS held ON held.active AND held.month = CAST(facts->>'month' AS date)"
    " AND held.district_id = CAST(facts->>'district_id' AS smallint) AND held.programme_code = facts->>'programme_code'"
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
_WRITE = sql(
    "INSERT INTO opening_balance (source_id, month, district_id, programme_code, person_times, certificates, active)"
    " SELECT made_id, CAST(facts->>'month' AS date), CAST(facts->>'district_id' AS smallint), facts->>'programme_code',"
    " CAST(facts->>'person_times' AS bigint), CAST(facts->>'certificates' AS bigint), true"
    " FROM import_line AS line WHERE {part} ORDER BY line.line"
)
_SOURCES = sql(
    "SELECT facts->>'source' AS title, count(*) AS rows, CAST(sum(CAST(facts->>'person_times' AS bigint)) AS bigint)"
    " AS person_times FROM import_line AS line WHERE {part} GROUP BY 1 ORDER BY min(line.line)"
)
_LEAD = sql("UPDATE import_line AS line SET made_id = :source WHERE {part} AND facts->>'source' = :title")


class OpeningBalances(Simple):
    """The kind."""

    name = "opening_balances"
    title = N_("Totals from before this system")
    hint = N_(
        "One row for each month, district and programme. The file is kept with its totals; it goes in whole, or not at all. "
        "Without a source in the row, its name is the source."
    )
    columns = COLUMNS
    city_only = True
    largest = LARGEST
    reasons = {  # noqa: RUF012  # read only
        "double": N_("Line %(line)s gives this month, district and programme already."),
        "held": N_("This month, district and programme has a balance already."),
        "whole": N_("Line %(line)s cannot be imported, and a source is imported whole or not at all."),
        "sources": N_("A file names no more than %(most)s sources."),
    }

    def reader(self, db: Session, run: ImportRun, context: Context) -> Callable[[Cells], Fact]:  # noqa: ARG002  # the engine's form
        """By the rule of opening balances."""
        parse = opening_balances.row_reader(db)

        def read(given: Cells) -> Fact:
            found = parse(given)
            month = found.month.isoformat()
            facts = {**vars(found), "month": month, "source": given.get("source") or run.file_name}
            return Fact(facts, f"{month}:{found.district_id}:{found.programme_code}")

        return read

    def judge(self, db: Session, part: Part) -> None:
        """Known is a balance of the same figures; anything wrong keeps all of the file out."""
        simple.run_part(db, _HELD, part)
        db.execute(_FEW, {"run": part.run.id, "most": MOST_SOURCES})
        db.execute(_WHOLE, {"run": part.run.id})

    def write(self, db: Session, part: Part) -> None:
        """A source for each that rows name, with the file, and its balances."""
        content = files.whole(db, part.run)
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
        simple.run_part(db, _WRITE, part)

    def last(self, db: Session, run: ImportRun, chunk: int) -> int | None:  # noqa: ARG002  # the engine's form
        """All of it in one transaction."""
        return None if run.cursor else LAST

    def take_back(self, db: Session, part: Part, step: str) -> tuple[int, Sequence[str]]:  # noqa: ARG002  # the engine's form
        """Sources stay on record, withdrawn; one that somebody has withdrawn already stays as it is."""
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


OPENING_BALANCES = OpeningBalances()
register(OPENING_BALANCES)
