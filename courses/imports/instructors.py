"""The import kind of instructors: a row is an instructor with one qualification, or with none.

An instructor is known by the registration number; a known instructor gets the qualification and is not changed
otherwise. The same name and phone under another number is a mistake in the number: no person is registered twice.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.imports import cells, row_kind, statements
from courses.imports.cells import refusal
from courses.imports.kinds import UNPRINTABLE, UNPRINTABLE_NAME, Column, ImportContext, normalised, register
from courses.imports.row_kind import Cells, DistrictLookup, LineRange, ParsedRow, RowKind, range_sql
from courses.models.catalogue import Programme
from courses.models.imports import ImportLine, ImportRun, RowOutcome
from instructors.models import PHONE_COLUMN, Instructor, Level
from lms.core import clock, crypto, fonts
from lms.core.cell_text import person_name
from lms.core.cell_values import refuse_shortened, whole_number
from lms.core.errors import N_
from lms.core.name_order import by_sound
from lms.core.names import norm

COLUMNS = (
    Column(
        "registration_number", "师资编号", "registration number", ("编号", "师资证号", "登记号"), True, "BJ-SZ-0001"
    ),
    Column("name", "姓名", "name", ("师资姓名",), True, "王小明", literal=True),
    Column("district", "区", "district", ("区县", "所属区", "登记区"), True, "东城区"),
    Column("level", "级别", "level", ("等级", "师资级别"), False, "中级"),
    Column("phone", "手机", "phone", ("手机号", "手机号码", "电话", "联系电话"), False, "13800138000"),
    Column("programme", "培训项目", "programme", ("项目", "资格", "师资资格"), False, "救护员培训"),
    Column("valid_from", "有效期自", "valid from", ("资格起始日期", "起始日期"), False, "2024-01-01"),
    Column("valid_until", "有效期至", "valid until", ("资格截止日期", "截止日期", "有效期"), False, "2026-12-31"),
)
NAME_LIMIT, NUMBER_LIMIT = 100, 50
OVERLAP = N_("The periods of two qualifications for one programme must not overlap.")
_LEVELS = cells.lookup_table(
    {
        Level.JUNIOR: ("junior", "初级"),
        Level.INTERMEDIATE: ("intermediate", "中级"),
        Level.SENIOR: ("senior", "高级"),
    }
)
# Temporary tables of the register: `held` by number, `named` by number and name, `phoned` by name and phone.
_JUDGE = (
    range_sql(
        "UPDATE import_line AS line SET outcome = 'refused', code = 'other_number'"
        " FROM (SELECT DISTINCT said.facts->>'person' AS person FROM import_line AS said"
        " JOIN phoned ON phoned.key = said.facts->>'reached' WHERE said.run_id = :run) AS there"
        " WHERE {part} AND there.person = facts->>'person' AND NOT EXISTS (SELECT FROM held WHERE held.key = there.person)"
    ),
    range_sql(
        "UPDATE import_line AS line SET outcome = 'refused', code = 'number_taken' FROM held"
        " WHERE {part} AND held.key = facts->>'person' AND NOT EXISTS (SELECT FROM named WHERE named.key = facts->>'who')"
    ),
    range_sql(
        "UPDATE import_line AS line SET outcome = 'refused', code = 'elsewhere' FROM held JOIN instructor USING (id)"
        " WHERE {part} AND held.key = facts->>'person' AND instructor.district_id <> ALL (CAST(:districts AS smallint[]))"
    ),
    range_sql(
        "UPDATE import_line AS line SET outcome = 'known' FROM held"
        " WHERE {part} AND held.key = facts->>'person' AND facts->>'programme_code' IS NULL"
    ),
    range_sql(
        "UPDATE import_line AS line SET outcome = CASE WHEN there.whole THEN 'known' ELSE 'refused' END,"
        " code = CASE WHEN there.whole THEN NULL ELSE 'overlap' END"
        " FROM (WITH mine AS MATERIALIZED (SELECT line.line, held.id, facts->>'programme_code' AS code,"
        " CAST(facts->>'valid_from' AS date) AS first, CAST(facts->>'valid_until' AS date) AS last"
        " FROM import_line AS line JOIN held ON held.key = facts->>'person' WHERE {part})"
        " SELECT mine.line, bool_or(valid_from <= first AND valid_until >= last) AS whole"
        " FROM mine JOIN qualification ON instructor_id = mine.id AND programme_code = code"
        " AND valid_from <= last AND valid_until >= first GROUP BY mine.line) AS there"
        " WHERE line.run_id = :run AND line.line = there.line"
    ),
)
_TWO_NUMBERS = range_sql(
    "WITH said AS MATERIALIZED (SELECT line, facts->>'person' AS person, facts->>'reached' AS reached FROM import_line AS line"
    " WHERE {part} AND facts->>'reached' IS NOT NULL), earliest AS MATERIALIZED"
    " (SELECT DISTINCT ON (reached) reached, person, line FROM said ORDER BY reached, line),"
    " twice AS (SELECT said.person, min(earliest.line) AS line FROM said JOIN earliest USING (reached)"
    " WHERE said.person <> earliest.person GROUP BY said.person)"
    " UPDATE import_line AS line SET outcome = 'refused', code = 'two_numbers', params = jsonb_build_object('line', twice.line)"
    " FROM twice WHERE {part} AND twice.person = facts->>'person'"
)
_ALREADY = range_sql(
    "UPDATE import_line AS line SET outcome = 'double', code = 'double', params = jsonb_build_object('line', earliest.line)"
    " FROM (SELECT facts->>'person' AS person, min(line) AS line FROM import_line"
    " WHERE run_id = :run AND outcome = 'new' GROUP BY 1) AS earliest"
    " WHERE {part} AND facts->>'programme_code' IS NULL AND facts->>'person' = earliest.person AND line.line > earliest.line"
)
_WRITE = (
    range_sql(
        "UPDATE import_line AS line SET made_id = nextval(pg_get_serial_sequence('instructor', 'id'))"
        " FROM (SELECT min(line) AS line FROM import_line AS line WHERE {part} GROUP BY facts->>'person') AS earliest"
        " WHERE {part} AND line.line = earliest.line"
        " AND NOT EXISTS (SELECT FROM held WHERE held.key = facts->>'person')"
    ),
    range_sql(
        "INSERT INTO instructor (id, ref, name, name_sound, registration_number, district_id, level, phone_sealed, active)"
        " SELECT made_id, CAST(facts->>'ref' AS uuid), facts->>'name', facts->>'name_sound', facts->>'registration_number',"
        " CAST(facts->>'district_id' AS smallint), facts->>'level', decode(facts->>'phone_sealed', 'hex'), true"
        " FROM import_line AS line WHERE {part} AND made_id IS NOT NULL ORDER BY line.line"
    ),
    range_sql(
        "INSERT INTO audit_entry (at, user_id, action, subject, after)"
        " SELECT CAST(:now AS timestamptz), CAST(:user AS bigint), 'instructor.enlist', 'instructor:' || made_id,"
        " jsonb_build_object('name', facts->'name', 'registration_number', facts->'registration_number',"
        " 'district_id', facts->'district_id', 'level', facts->'level')"
        " FROM import_line AS line WHERE {part} AND made_id IS NOT NULL ORDER BY line.line"
    ),
    range_sql(
        "UPDATE import_line AS line SET facts = facts || jsonb_build_object("
        "'qualification_id', nextval(pg_get_serial_sequence('qualification', 'id')), 'instructor_id', of.id)"
        " FROM (SELECT key AS person, id FROM held UNION ALL SELECT facts->>'person', made_id FROM import_line AS line"
        " WHERE {part} AND made_id IS NOT NULL) AS of"
        " WHERE {part} AND of.person = facts->>'person' AND facts->>'programme_code' IS NOT NULL"
    ),
    range_sql(
        "INSERT INTO qualification (id, instructor_id, programme_code, valid_from, valid_until)"
        " SELECT CAST(facts->>'qualification_id' AS bigint), CAST(facts->>'instructor_id' AS bigint),"
        " facts->>'programme_code', CAST(facts->>'valid_from' AS date), CAST(facts->>'valid_until' AS date)"
        " FROM import_line AS line WHERE {part} AND facts->>'qualification_id' IS NOT NULL ORDER BY line.line"
    ),
    range_sql(
        "INSERT INTO audit_entry (at, user_id, action, subject, after)"
        " SELECT CAST(:now AS timestamptz), CAST(:user AS bigint), 'qualification.add',"
        " 'instructor:' || CAST(facts->>'instructor_id' AS text), jsonb_build_object('programme', facts->'programme_code',"
        " 'valid_from', facts->'valid_from', 'valid_until', facts->'valid_until')"
        " FROM import_line AS line WHERE {part} AND facts->>'qualification_id' IS NOT NULL ORDER BY line.line"
    ),
)
_QUALIFICATION_MADE = (
    "qualification JOIN import_line AS line ON qualification.id = CAST(facts->>'qualification_id' AS bigint) AND {part}"
    " JOIN instructor ON instructor.id = qualification.instructor_id"
)
# A qualification may go if it is as the row gave it and no session was led under it; a day on both sides covers time
# zones.
_QUALIFICATION_FREE = (
    "(qualification.programme_code, qualification.valid_from, qualification.valid_until) = (facts->>'programme_code',"
    " CAST(facts->>'valid_from' AS date), CAST(facts->>'valid_until' AS date)) AND NOT EXISTS (SELECT FROM session_instructor"
    " JOIN course_session ON course_session.id = session_instructor.course_session_id"
    " JOIN offering ON offering.id = course_session.offering_id JOIN course ON course.id = offering.course_id"
    " WHERE session_instructor.instructor_id = instructor.id AND course.programme_code = qualification.programme_code"
    " AND course_session.starts_at >= qualification.valid_from - 1 AND course_session.starts_at < qualification.valid_until + 2)"
)
_INSTRUCTOR_MADE = "instructor JOIN import_line AS line ON line.made_id = instructor.id AND {part}"
_INSTRUCTOR_SAME = (
    "(instructor.name, instructor.registration_number, instructor.district_id, instructor.level, instructor.phone_sealed)"
    " IS NOT DISTINCT FROM (facts->>'name', facts->>'registration_number', CAST(facts->>'district_id' AS smallint),"
    " facts->>'level', decode(facts->>'phone_sealed', 'hex')) AND instructor.active AND instructor.user_id IS NULL"
)
QUALIFICATIONS, PEOPLE = "undo_qualifications", "undo_instructors"


@dataclass(frozen=True, slots=True)
class QualificationPeriod:
    """A qualification as a row gives it: the programme, the first and the last day."""

    programme: str
    first: date
    last: date


class InstructorRowReader:
    """Reader of the rows of one import, which must agree with one another on name, district and level of an instructor."""

    def __init__(self, db: Session, run: ImportRun, today: date) -> None:
        self._today = today
        self._districts = DistrictLookup(db, run)
        self._programmes = cells.lookup_table(
            {
                programme.code: (programme.code, programme.short_code, programme.name_zh, programme.name_en)
                for programme in db.scalars(select(Programme))
            }
        )
        self._people: dict[str, tuple[str, int, str]] = {}
        self._periods: dict[str, list[QualificationPeriod]] = {}
        read = select(ImportLine.facts).where(ImportLine.run_id == run.id, ImportLine.outcome == RowOutcome.NEW)
        for facts in db.scalars(read.order_by(ImportLine.line)):
            self._remember(facts or {})

    def __call__(self, row: Cells) -> ParsedRow:
        """Read a row. Raises DomainError for a row at fault."""
        number, name = whole_number(row["registration_number"]), person_name(row["name"])
        refuse_shortened(number)
        person = normalised(number)
        if not person or len(number) > NUMBER_LIMIT:
            raise refusal("registration_number", N_("“%(text)s” is not a registration number."), text=number)
        if not norm(name) or len(name) > NAME_LIMIT:
            raise refusal("instructor_name", N_("“%(text)s” is not a name."), text=name)
        who = f"{person}|{norm(name)}"
        district = self._districts.find(row["district"])
        before = self._people.get(person)
        level = cells.look_up_or(
            row.get("level", ""),
            _LEVELS,
            "level",
            N_("There is no level “%(text)s”: write junior, intermediate or senior."),
            empty=Level(before[2]) if before else Level.JUNIOR,
        )
        if before is not None and before != (who, district, level.value):
            raise refusal(
                "instructor_differs", N_("An earlier row has this number with another name, district or level.")
            )
        phone = cells.parse_phone(row.get("phone", ""))
        period = self._period(row)
        if period is not None:
            self._refuse_overlap(person, period)
        facts = {
            "person": person,
            "who": who,
            "name": name,
            "name_sound": by_sound(name),
            "registration_number": number,
            "district_id": district,
            "level": level.value,
            "reached": _name_and_phone(name, phone),
            **_sealed(phone),
            "programme_code": period and period.programme,
            "valid_from": period and period.first.isoformat(),
            "valid_until": period and period.last.isoformat(),
        }
        self._remember(facts)
        key = f"{person}|{facts['programme_code']}|{facts['valid_from']}|{facts['valid_until']}"
        lacking = fonts.unprintable(name)
        if not lacking:
            return ParsedRow(facts, key)
        return ParsedRow(facts, key, UNPRINTABLE, {"characters": fonts.named(lacking)})

    def _period(self, row: Cells) -> QualificationPeriod | None:
        programme, first, last = (row.get(name, "") for name in ("programme", "valid_from", "valid_until"))
        if not (programme or first or last):
            return None
        if not programme or not last:
            raise refusal("qualification", N_("Enter the programme and the last day of the qualification."))
        period = QualificationPeriod(
            cells.look_up(programme, self._programmes, "programme", N_("There is no programme “%(text)s”.")),
            cells.parse_day(first) if first else self._today,
            cells.parse_day(last),
        )
        if period.last < period.first:
            raise refusal("period", N_("The last day must not come before the first."))
        return period

    def _refuse_overlap(self, person: str, period: QualificationPeriod) -> None:
        for other in self._periods.get(person, ()):
            same = other.programme == period.programme and other != period
            if same and other.first <= period.last and other.last >= period.first:
                raise refusal("overlap", OVERLAP)

    def _remember(self, facts: dict[str, Any]) -> None:
        person = facts["person"]
        self._people.setdefault(person, (facts["who"], facts["district_id"], facts["level"]))
        if facts["programme_code"] is not None:
            first, last = (date.fromisoformat(facts[name]) for name in ("valid_from", "valid_until"))
            self._periods.setdefault(person, []).append(QualificationPeriod(facts["programme_code"], first, last))


class InstructorsKind(RowKind):
    """The import kind `instructors`."""

    name = "instructors"
    title = N_("Instructors")
    hint = N_(
        "One row for each qualification, or for an instructor without one. Instructors who are already on the "
        "register only get the qualification; their other details do not change. Accounts are opened on the "
        "instructor's own page."
    )
    columns = COLUMNS
    undo_steps = (QUALIFICATIONS, PEOPLE)
    reasons = {  # noqa: RUF012  # read only
        "double": N_("Line %(line)s is the same."),
        "number_taken": N_("Another instructor has this registration number."),
        "two_numbers": N_("Line %(line)s has this name and phone with another registration number."),
        "other_number": N_("A person with this name and phone is on the register with another registration number."),
        "elsewhere": N_("This instructor is registered with another district."),
        "overlap": OVERLAP,
    }
    remarks = {UNPRINTABLE: UNPRINTABLE_NAME}  # noqa: RUF012  # read only

    def row_reader(self, db: Session, run: ImportRun, context: ImportContext) -> Callable[[Cells], ParsedRow]:
        """See `RowKind.row_reader`."""
        return InstructorRowReader(db, run, clock.today(context.zone))

    def classify(self, db: Session, part: LineRange) -> None:
        """Mark rows whose number, name and qualification the register has, and rows that contradict the register."""
        self._create_register_tables(db)
        row_kind.create_key_table(db, "phoned", _phones(db))
        everywhere = part.run.district_ids is None
        with statements.hash_joins(db):
            for statement in _JUDGE:
                if "districts" not in statement.compile().params:
                    row_kind.execute(db, statement, part)
                elif not everywhere:
                    row_kind.execute(db, statement, part, districts=part.run.district_ids)
        row_kind.drop_tables(db, "held", "named", "phoned")

    def classify_together(self, db: Session, run: ImportRun) -> None:
        """Refuse a second number for a person; a row without a qualification duplicates any earlier row."""
        with statements.hash_joins(db):
            row_kind.execute(db, _TWO_NUMBERS, LineRange(run))
            row_kind.execute(db, _ALREADY, LineRange(run))

    def write(self, db: Session, part: LineRange) -> None:
        """Write instructors, then their qualifications."""
        self._create_register_tables(db)
        with statements.hash_joins(db):
            for statement in _WRITE:
                row_kind.execute(db, statement, part)
        row_kind.drop_tables(db, "held", "named")

    def undo_rows(self, db: Session, part: LineRange, step: str) -> tuple[int, Sequence[str]]:
        """Remove qualifications under which no session was led, then unchanged instructors without references."""
        if step == QUALIFICATIONS:
            named = "instructor.name || ' · ' || qualification.programme_code"
            return row_kind.delete_unused(db, part, "qualification", _QUALIFICATION_MADE, _QUALIFICATION_FREE, named)
        _take_over_phones(db, part.run)
        free = f"{_INSTRUCTOR_SAME} AND NOT {row_kind.is_referenced(Instructor)}"
        return row_kind.delete_unused(db, part, "instructor", _INSTRUCTOR_MADE, free, "instructor.name")

    @staticmethod
    def _create_register_tables(db: Session) -> None:
        rows = db.execute(select(Instructor.id, Instructor.registration_number, Instructor.name)).all()
        row_kind.create_key_table(db, "held", ((normalised(number), identity) for identity, number, _name in rows))
        row_kind.create_key_table(
            db, "named", ((f"{normalised(number)}|{norm(name)}", identity) for identity, number, name in rows)
        )


def _name_and_phone(name: str, phone: str | None) -> str | None:
    """Return name and phone as they are compared, the phone by its blind index; None without a phone."""
    return f"{norm(name)}|{crypto.cipher().blind_index(PHONE_COLUMN, phone).hex()}" if phone else None


def _phones(db: Session) -> Iterator[tuple[str, int]]:
    """Yield name and phone of each registered instructor, with the id.

    Phones are decrypted here to be compared only; no user sees them, so the access is not audited.
    """
    for instructor in db.scalars(
        select(Instructor).where(Instructor.phone_sealed.is_not(None)).order_by(Instructor.id)
    ):
        for index in crypto.cipher().blind_indexes(PHONE_COLUMN, instructor.phone or ""):
            yield f"{norm(instructor.name)}|{index.hex()}", instructor.id


def _take_over_phones(db: Session, run: ImportRun) -> None:
    """Give the rows of an import the ciphertext of their instructor's phone where it is the same phone, sealed anew since.

    The instructors whom nobody has changed are then told by equal ciphertexts.
    """
    statement = (
        select(Instructor, ImportLine)
        .join(ImportLine, ImportLine.made_id == Instructor.id)
        .where(ImportLine.run_id == run.id, Instructor.phone_sealed.is_not(None))
        .where(func.encode(Instructor.phone_sealed, "hex") != ImportLine.facts["phone_sealed"].astext)
    )
    for instructor, line in db.execute(statement):
        facts = line.facts or {}
        sealed = bytes.fromhex(facts["phone_sealed"])
        if crypto.cipher().decrypt(PHONE_COLUMN, facts["ref"], sealed) == instructor.phone:
            line.facts = {**facts, "phone_sealed": (instructor.phone_sealed or b"").hex()}
    db.flush()


def _sealed(phone: str | None) -> dict[str, str | None]:
    ref = str(uuid4())
    return {"ref": ref, "phone_sealed": crypto.cipher().encrypt(PHONE_COLUMN, ref, phone).hex() if phone else None}


INSTRUCTORS = InstructorsKind()
register(INSTRUCTORS)
