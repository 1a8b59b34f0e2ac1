"""Instructors and what they may teach, from a file: a row is an instructor with one qualification, or with none.

An instructor is known by the registration number; one who is known gets the qualification, and is not altered otherwise. The
same name and phone under another number is a mistake in the number: nobody is registered twice.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.imports import cells, simple, statements
from courses.imports.cells import refused
from courses.imports.kinds import Column, Context, register, word
from courses.imports.simple import Cells, Districts, Fact, Part, Simple, sql
from courses.models.catalogue import Programme
from courses.models.imports import ImportLine, ImportRun, RowOutcome
from instructors.models import PHONE_COLUMN, Instructor, Level
from lms.core import clock, crypto
from lms.core.errors import N_
from lms.core.names import norm

COLUMNS = (
    Column(
        "registration_number", "师资编号", "registration number", ("编号", "师资证号", "登记号"), True, "BJ-SZ-0001"
    ),
    Column("name", "姓名", "name", ("师资姓名",), True, "王小明"),
    Column("district", "区", "district", ("区县", "所属区", "登记区"), True, "东城区"),
    Column("level", "级别", "level", ("等级", "师资级别"), False, "中级"),
    Column("phone", "手机", "phone", ("手机号", "手机号码", "电话", "联系电话"), False, "13800138000"),
    Column("programme", "培训项目", "programme", ("项目", "资格", "师资资格"), False, "救护员培训"),
    Column("valid_from", "有效期自", "valid from", ("资格起始日期", "起始日期"), False, "2024-01-01"),
    Column("valid_until", "有效期至", "valid until", ("资格截止日期", "截止日期", "有效期"), False, "2026-12-31"),
)
NAME_LIMIT, NUMBER_LIMIT = 100, 50
OVERLAP = N_("The periods of two qualifications for one programme must not overlap.")
_LEVELS = cells.table(
    {
        Level.JUNIOR: ("junior", "初级"),
        Level.INTERMEDIATE: ("intermediate", "中级"),
        Level.SENIOR: ("senior", "高级"),
    }
)
# `held`: whose number is taken, by number; `named`: by number and name; `phoned`: by name and phone.
_JUDGE = (
    sql(
        "UPDATE import_line AS line SET outcome = 'refused', code = 'other_number'"
        " FROM (SELECT DISTINCT said.facts->>'person' AS person FROM import_line AS said"
        " JOIN phoned ON phoned.key = said.facts->>'reached' WHERE said.run_id = :run) AS there"
        " WHERE {part} AND there.person = facts->>'person' AND NOT EXISTS (SELECT FROM held WHERE held.key = there.person)"
    ),
    sql(
        "UPDATE import_line AS line SET outcome = 'refused', code = 'number_taken' FROM held"
        " WHERE {part} AND held.key = facts->>'person' AND NOT EXISTS (SELECT FROM named WHERE named.key = facts->>'who')"
    ),
    sql(
        "UPDATE import_line AS line SET outcome = 'refused', code = 'elsewhere' FROM held JOIN instructor USING (id)"
        " WHERE {part} AND held.key = facts->>'person' AND instructor.district_id <> ALL (CAST(:districts AS smallint[]))"
    ),
    sql(
        "UPDATE import_line AS line SET outcome = 'known' FROM held"
        " WHERE {part} AND held.key = facts->>'person' AND facts->>'programme_code' IS NULL"
    ),
    sql(
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
_TWO_NUMBERS = sql(
    "WITH said AS MATERIALIZED (SELECT line, facts->>'person' AS person, facts->>'reached' AS reached FROM import_line AS line"
    " WHERE {part} AND facts->>'reached' IS NOT NULL), earliest AS MATERIALIZED"
    " (SELECT DISTINCT ON (reached) reached, person, line FROM said ORDER BY reached, line),"
    " twice AS (SELECT said.person, min(earliest.line) AS line FROM said JOIN earliest USING (reached)"
    " WHERE said.person <> earliest.person GROUP BY said.person)"
    " UPDATE import_line AS line SET outcome = 'refused', code = 'two_numbers', params = jsonb_build_object('line', twice.line)"
    " FROM twice WHERE {part} AND twice.person = facts->>'person'"
)
_ALREADY = sql(
    "UPDATE import_line AS line SET outcome = 'double', code = 'double', params = jsonb_build_object('line', earliest.line)"
    " FROM (SELECT facts->>'person' AS person, min(line) AS line FROM import_line"
    " WHERE run_id = :run AND outcome = 'new' GROUP BY 1) AS earliest"
    " WHERE {part} AND facts->>'programme_code' IS NULL AND facts->>'person' = earliest.person AND line.line > earliest.line"
)
_WRITE = (
    sql(
        "UPDATE import_line AS line SET made_id = nextval(pg_get_serial_sequence('instructor', 'id'))"
        " FROM (SELECT min(line) AS line FROM import_line AS line WHERE {part} GROUP BY facts->>'person') AS earliest"
        " WHERE {part} AND line.line = earliest.line"
        " AND NOT EXISTS (SELECT FROM held WHERE held.key = facts->>'person')"
    ),
    sql(
        "INSERT INTO instructor (id, ref, name, registration_number, district_id, level, phone_sealed, active)"
        " SELECT made_id, CAST(facts->>'ref' AS uuid), facts->>'name', facts->>'registration_number',"
        " CAST(facts->>'district_id' AS smallint), facts->>'level', decode(facts->>'phone_sealed', 'hex'), true"
        " FROM import_line AS line WHERE {part} AND made_id IS NOT NULL ORDER BY line.line"
    ),
    sql(
        "INSERT INTO audit_entry (at, user_id, action, subject, after)"
        " SELECT CAST(:now AS timestamptz), CAST(:user AS bigint), 'instructor.enlist', 'instructor:' || made_id,"
        " jsonb_build_object('name', facts->'name', 'registration_number', facts->'registration_number',"
        " 'district_id', facts->'district_id', 'level', facts->'level')"
        " FROM import_line AS line WHERE {part} AND made_id IS NOT NULL ORDER BY line.line"
    ),
    sql(
        "UPDATE import_line AS line SET facts = facts || jsonb_build_object("
        "'qualification_id', nextval(pg_get_serial_sequence('qualification', 'id')), 'instructor_id', of.id)"
        " FROM (SELECT key AS person, id FROM held UNION ALL SELECT facts->>'person', made_id FROM import_line AS line"
        " WHERE {part} AND made_id IS NOT NULL) AS of"
        " WHERE {part} AND of.person = facts->>'person' AND facts->>'programme_code' IS NOT NULL"
    ),
    sql(
        "INSERT INTO qualification (id, instructor_id, programme_code, valid_from, valid_until)"
        " SELECT CAST(facts->>'qualification_id' AS bigint), CAST(facts->>'instructor_id' AS bigint),"
        " facts->>'programme_code', CAST(facts->>'valid_from' AS date), CAST(facts->>'valid_until' AS date)"
        " FROM import_line AS line WHERE {part} AND facts->>'qualification_id' IS NOT NULL ORDER BY line.line"
    ),
    sql(
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
# As it was given, and nothing was taught under it; a day on both sides, whatever the time zone.
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
class Period:
    """Leave to teach a programme, as a row gives it."""

    programme: str
    first: date
    last: date


class Reader:
    """Reads the rows of one import, which must agree with each other on who an instructor is."""

    def __init__(self, db: Session, run: ImportRun, today: date) -> None:
        self._today = today
        self._districts = Districts(db, run)
        self._programmes = cells.table(
            {one.code: (one.code, one.short_code, one.name_zh, one.name_en) for one in db.scalars(select(Programme))}
        )
        self._people: dict[str, tuple[str, int, str]] = {}
        self._periods: dict[str, list[Period]] = {}
        read = select(ImportLine.facts).where(ImportLine.run_id == run.id, ImportLine.outcome == RowOutcome.NEW)
        for facts in db.scalars(read.order_by(ImportLine.line)):
            self._remember(facts or {})

    def __call__(self, given: Cells) -> Fact:
        """A row. Raises DomainError for one that cannot go in."""
        number, name = given["registration_number"], given["name"]
        person = word(number)
        if not person or len(number) > NUMBER_LIMIT:
            raise refused("registration_number", N_("“%(text)s” is no registration number."), text=number)
        if not norm(name) or len(name) > NAME_LIMIT:
            raise refused("instructor_name", N_("“%(text)s” is no name."), text=name)
        who = f"{person}|{norm(name)}"
        district = self._districts.find(given["district"])
        before = self._people.get(person)
        level = cells.choice(
            given.get("level", ""),
            _LEVELS,
            "level",
            N_("There is no level “%(text)s”: write junior, intermediate or senior."),
            empty=Level(before[2]) if before else Level.JUNIOR,
        )
        if before is not None and before != (who, district, level.value):
            raise refused(
                "instructor_differs", N_("An earlier row gives this number to another name, district or level.")
            )
        phone = cells.phone(given.get("phone", ""))
        period = self._period(given)
        if period is not None:
            self._demand_apart(person, period)
        facts = {
            "person": person,
            "who": who,
            "name": name,
            "registration_number": number,
            "district_id": district,
            "level": level.value,
            "reached": _reached(name, phone),
            **_sealed(phone),
            "programme_code": period and period.programme,
            "valid_from": period and period.first.isoformat(),
            "valid_until": period and period.last.isoformat(),
        }
        self._remember(facts)
        return Fact(facts, f"{person}|{facts['programme_code']}|{facts['valid_from']}|{facts['valid_until']}")

    def _period(self, given: Cells) -> Period | None:
        programme, first, last = (given.get(name, "") for name in ("programme", "valid_from", "valid_until"))
        if not (programme or first or last):
            return None
        if not programme or not last:
            raise refused("qualification", N_("A qualification needs its programme and its last day."))
        found = Period(
            cells.named(programme, self._programmes, "programme", N_("There is no programme “%(text)s”.")),
            cells.day(first) if first else self._today,
            cells.day(last),
        )
        if found.last < found.first:
            raise refused("period", N_("The last day must not come before the first."))
        return found

    def _demand_apart(self, person: str, period: Period) -> None:
        for other in self._periods.get(person, ()):
            same = other.programme == period.programme and other != period
            if same and other.first <= period.last and other.last >= period.first:
                raise refused("overlap", OVERLAP)

    def _remember(self, facts: dict[str, Any]) -> None:
        person = facts["person"]
        self._people.setdefault(person, (facts["who"], facts["district_id"], facts["level"]))
        if facts["programme_code"] is not None:
            first, last = (date.fromisoformat(facts[name]) for name in ("valid_from", "valid_until"))
            self._periods.setdefault(person, []).append(Period(facts["programme_code"], first, last))


class Instructors(Simple):
    """The kind."""

    name = "instructors"
    title = N_("Instructors")
    hint = N_(
        "One row for each qualification, or for an instructor without one. Whoever is on the register gets the "
        "qualification and stays as they are otherwise. Accounts are given on the instructor's own page."
    )
    columns = COLUMNS
    undo_steps = (QUALIFICATIONS, PEOPLE)
    reasons = {  # noqa: RUF012  # read only
        "double": N_("Line %(line)s is the same."),
        "number_taken": N_("Another instructor has this registration number."),
        "two_numbers": N_("Line %(line)s gives this name and phone another registration number."),
        "other_number": N_("A person with this name and phone is on the register with another registration number."),
        "elsewhere": N_("This instructor is registered with another district."),
        "overlap": OVERLAP,
    }

    def reader(self, db: Session, run: ImportRun, context: Context) -> Callable[[Cells], Fact]:
        """See `Reader`."""
        return Reader(db, run, clock.today(context.zone))

    def judge(self, db: Session, part: Part) -> None:
        """Known is whoever bears the number and the name, with a qualification for all of the period."""
        self._hold(db)
        simple.keys(db, "phoned", _phones(db))
        everywhere = part.run.district_ids is None
        with statements.by_hash(db):
            for statement in _JUDGE:
                if "districts" not in statement.compile().params:
                    simple.run_part(db, statement, part)
                elif not everywhere:
                    simple.run_part(db, statement, part, districts=part.run.district_ids)
        simple.drop(db, "held", "named", "phoned")

    def settle(self, db: Session, run: ImportRun) -> None:
        """One person has one number; a row without a qualification says nothing that an earlier one has not said."""
        with statements.by_hash(db):
            simple.run_part(db, _TWO_NUMBERS, Part(run))
            simple.run_part(db, _ALREADY, Part(run))

    def write(self, db: Session, part: Part) -> None:
        """Instructors, then their qualifications."""
        self._hold(db)
        with statements.by_hash(db):
            for statement in _WRITE:
                simple.run_part(db, statement, part)
        simple.drop(db, "held", "named")

    def take_back(self, db: Session, part: Part, step: str) -> tuple[int, Sequence[str]]:
        """Qualifications under which nobody has taught, then instructors whom nothing refers to and nobody has changed."""
        if step == QUALIFICATIONS:
            named = "instructor.name || ' · ' || qualification.programme_code"
            return simple.remove(db, part, "qualification", _QUALIFICATION_MADE, _QUALIFICATION_FREE, named)
        free = f"{_INSTRUCTOR_SAME} AND NOT {simple.referred(Instructor)}"
        return simple.remove(db, part, "instructor", _INSTRUCTOR_MADE, free, "instructor.name")

    @staticmethod
    def _hold(db: Session) -> None:
        rows = db.execute(select(Instructor.id, Instructor.registration_number, Instructor.name)).all()
        simple.keys(db, "held", ((word(number), one) for one, number, _name in rows))
        simple.keys(db, "named", ((f"{word(number)}|{norm(name)}", one) for one, number, name in rows))


def _reached(name: str, phone: str | None) -> str | None:
    """Name and phone as they are compared, the phone by its blind index."""
    return f"{norm(name)}|{crypto.cipher().blind_index(PHONE_COLUMN, phone).hex()}" if phone else None


def _phones(db: Session) -> Iterator[tuple[str, int]]:
    """Name and phone of the register, and whose they are. They are compared and shown to nobody: no reading to be audited."""
    for one in db.scalars(select(Instructor).where(Instructor.phone_sealed.is_not(None)).order_by(Instructor.id)):
        yield _reached(one.name, one.phone) or "", one.id


def _sealed(phone: str | None) -> dict[str, str | None]:
    ref = str(uuid4())
    return {"ref": ref, "phone_sealed": crypto.cipher().encrypt(PHONE_COLUMN, ref, phone).hex() if phone else None}


INSTRUCTORS = Instructors()
register(INSTRUCTORS)
