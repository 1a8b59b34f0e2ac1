"""Reading the rows of past trainings: one person in one offering.

Cells are checked; personal data is encrypted and indexed.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.enrolment.trainees import NAME_LIMIT
from courses.imports import cells, known_values, presence
from courses.imports.cells import lookup_table, refusal
from courses.imports.files import clean
from courses.imports.kinds import UNPRINTABLE, Column, normalised
from courses.imports.known_values import KnownValues, Vocabulary
from courses.imports.past_identity import Identity, Remark, read_identity
from courses.imports.past_times import SessionPeriod, ends_before, read_period, read_stay
from courses.models.catalogue import Course
from courses.models.imports import ImportOffering, ImportRun
from courses.models.trainees import ID_NUMBER_COLUMN, PHONE_COLUMN
from instructors.models import Instructor
from lms.core import cell_values, crypto, fonts
from lms.core.cell_text import person_name, unless_empty
from lms.core.errors import N_, DomainError
from lms.core.name_order import by_sound
from lms.core.names import norm
from lms.organisations.models import District, Organisation

COLUMNS = (
    Column("course", "课程", "course", ("课程代码", "班次", "coursecode"), True, "RESCUE-TALK"),
    Column("district", "区", "district", ("区县", "所属区"), True, "东城区"),
    Column("host", "主办单位", "host", ("组织单位", "单位", "hostorganisation", "organisation"), True, "东华门街道红十字会"),
    Column("days", "日期", "dates", ("培训日期", "上课日期", "date", "days"), True, "2016-03-05;2016-03-06"),
    Column("starts", "开始时间", "start time", ("开始", "starts", "start"), False, "09:00"),
    Column("ends", "结束时间", "end time", ("结束", "ends", "end"), False, "12:00"),
    Column("lead", "主讲师资编号", "lead instructor", ("师资编号", "主讲师资", "leadregistrationnumber"), False, ""),
    Column("place", "地点", "place", ("培训地点", "上课地点", "venue"), False, "一层会议室"),
    Column("name", "姓名", "name", ("学员姓名", "名字"), True, "王小明", literal=True),
    Column("phone", "手机", "phone", ("手机号", "手机号码", "电话", "联系电话", "mobile"), False, "13800138000"),
    Column("id_type", "证件类型", "ID type", ("证件种类",), False, ""),
    Column("id_number", "证件号码", "ID number", ("身份证号", "身份证号码", "证件号"), False, ""),
    Column("birth_year", "出生年份", "birth year", ("出生年", "出生日期", "生日"), False, "1990"),
    Column("present", "出勤课次", "sessions attended", ("出勤", "出席课次", "attended", "present"), False, "1;2", literal=True),
    Column("arrived", "签到时间", "arrived", ("到达时间", "签到"), False, ""),
    Column("departed", "离开时间", "left", ("签退时间", "签退"), False, ""),
    Column("result", "结果", "result", ("考核结果", "成绩"), False, "合格"),
    Column("certificate", "证书编号", "certificate number", ("证书号", "certificate"), False, ""),
    Column("issued_on", "发证日期", "issue date", ("issuedon",), False, ""),
)  # fmt: skip
OFFERING = ("course", "district", "host", "days", "starts", "ends", "lead", "place")
REQUIRED = tuple(column.name for column in COLUMNS if column.required and column.name in OFFERING)
PASSED, FAILED = "passed", "failed"
_RESULTS = lookup_table(
    {
        PASSED: ("合格", "通过", "及格", "passed", "pass", "yes", "是"),
        FAILED: ("不合格", "未通过", "不及格", "failed", "fail", "no", "否"),
    }
)
NUMBER_LIMIT = 60


@dataclass(frozen=True, slots=True)
class NamedOffering:
    """The offering that a row names. `key` is the same for all rows of the offering."""

    key: UUID
    key_text: str
    days: tuple[date, ...]
    period: SessionPeriod


@dataclass(frozen=True, slots=True)
class UnreadableOffering:
    """The error in the cells of an offering, and the key of the offering if they name it all the same."""

    error: DomainError
    key: UUID | None


class PastRowReader:
    """Reader of the rows of one import. Offerings are few and repeat, so the cells of each are read once.

    key: of the offering that must wait where the last row is refused: the one that the row names. None where the cells name
    none, and where the person of the row attended no session: nothing is counted for them then.
    remark: on the last row, where a part of it does not go in.
    marks: whether a cell said with a mark, such as √, that somebody was there; see `presence.is_open`.
    new_offerings: values for `import_offering` of offerings read since the caller last emptied the list.
    """

    def __init__(self, db: Session, run: ImportRun, today: date) -> None:
        self._today = today
        cipher = crypto.cipher()
        self._seal_phone, self._index_phone = cipher.sealer(PHONE_COLUMN), cipher.indexer(PHONE_COLUMN)
        self._seal_number, self._index_number = cipher.sealer(ID_NUMBER_COLUMN), cipher.indexer(ID_NUMBER_COLUMN)
        self._references = crypto.references()
        self._scope = None if run.district_ids is None else frozenset(run.district_ids)
        self._places = [run.mapping.get(name) for name in OFFERING]
        self._columns = {column.name: run.mapping.get(column.name) for column in COLUMNS}
        self._read: dict[tuple[str, ...], NamedOffering | UnreadableOffering] = {}
        self.key: UUID | None = None
        self.remark: Remark | None = None
        self.marks = False
        self._meanings: Mapping[str, str] = run.meanings
        known = KnownValues(db, run)
        self._matched_offering = known_values.reading(self._offering, known)
        self._results = known.table(Vocabulary.RESULT) | _RESULTS
        self._bits: dict[tuple[str, int], int] = {}
        self._known: dict[UUID, tuple[object, ...]] = {
            row.key: (row.lead_instructor_id, tuple(row.days), row.ends)
            for row in db.scalars(select(ImportOffering).where(ImportOffering.run_id == run.id))
        }
        self.new_offerings: list[tuple[object, ...]] = []
        districts = db.execute(select(District.id, District.code, District.name_zh, District.name_en))
        self._districts = lookup_table(
            {identity: (code, zh, zh.removesuffix("区"), en) for identity, code, zh, en in districts}
        )
        # Plain rows: a record of the session could be read from the database anew while a COPY runs on its connection.
        courses = db.execute(
            select(Course.id, Course.hours, Course.code, Course.name_zh, Course.name_en).order_by(Course.id.desc())
        ).all()
        self._courses = {normalised(text): row for row in courses for text in (row.name_zh, row.name_en)}
        self._courses |= {normalised(row.code): row for row in courses}
        hosts = db.execute(
            select(Organisation.district_id, Organisation.name_en, Organisation.name_zh, Organisation.id).order_by(
                Organisation.id.desc()
            )
        )
        self._hosts = {
            (district, normalised(text)): identity for district, en, zh, identity in hosts for text in (en, zh) if text
        }
        self._leads = {
            normalised(number): row for row, number in db.execute(select(Instructor.id, Instructor.registration_number))
        }

    def line(self, number: int, row: Sequence[str]) -> bytes:
        """Return a row as a line of COPY for `import_attendance`, without the id of the import.

        Raises DomainError for one that cannot go in.
        """
        self.remark = None
        offering = self._named_offering(row)
        present = self._present(row, len(offering.days))
        if not present:
            self.key = None
        get = partial(self._cell, row)
        name = person_name(self._raw(row, "name"))
        key = norm(name)
        if not key or len(name) > NAME_LIMIT:
            raise refusal("name", N_("Enter the name, up to 60 characters."))
        identity = read_identity(get, self._today)
        self.remark = identity.remark
        if self.remark is None and (lacking := fonts.unprintable(name)):
            self.remark = Remark(UNPRINTABLE, {"characters": fonts.named(lacking)})
        result = cells.look_up_or(
            get("result"),
            self._results,
            "result",
            N_("There is no result “%(text)s”: write passed or failed."),
            empty="",
        )
        certificate = cell_values.certificate_number(get("certificate"))
        if len(certificate) > NUMBER_LIMIT:
            raise refusal("certificate", N_("“%(text)s” is not a certificate number."), text=certificate)
        arrived_text, departed_text = get("arrived"), get("departed")
        if not present:
            self._refuse_absent(offering, result, certificate, arrived_text or departed_text)
        arrived = departed = None
        if arrived_text or departed_text:
            attended = [day for number, day in enumerate(offering.days) if present >> number & 1]
            arrived, departed = read_stay(arrived_text, departed_text, offering.period, attended)
        issued_on = self._issued(get("issued_on"), certificate, result, offering)
        ref = next(self._references)
        fields = [
            str(number), offering.key_text, ref, _text(name), _text(key), _text(by_sound(name)),
            *self._sealed(ref, identity),
            str(identity.birth_year) if identity.birth_year else _EMPTY, str(present), arrived or _EMPTY, departed or _EMPTY,
            result or _EMPTY, _text(certificate) if certificate else _EMPTY,
            issued_on.isoformat() if issued_on else _EMPTY,
        ]  # fmt: skip
        return "\t".join(fields).encode()

    def _sealed(self, ref: str, identity: Identity) -> Iterator[str]:
        """Yield the phone sealed and indexed, and the kind of the ID number, with the number sealed and indexed."""
        row = ref.encode()
        if identity.phone:
            phone = identity.phone.encode()
            yield _bytes(self._seal_phone(row, phone))
            yield _bytes(self._index_phone(phone))
        else:
            yield from (_EMPTY, _EMPTY)
        if identity.id_number:
            kind, text = identity.id_number
            number = text.encode()
            yield kind.value
            yield _bytes(self._seal_number(row, number))
            yield _bytes(self._index_number(number))
        else:
            yield from (_EMPTY, _EMPTY, _EMPTY)

    def _raw(self, row: Sequence[str], name: str) -> str:
        at = self._columns[name]
        return clean(row[at]) if at is not None and at < len(row) and row[at] else ""

    def _cell(self, row: Sequence[str], name: str) -> str:
        at = self._columns[name]
        if at is None or at >= len(row) or not row[at]:
            return ""  # most cells of most files
        return unless_empty(clean(row[at]))

    def _named_offering(self, row: Sequence[str]) -> NamedOffering:
        width = len(row)
        raw = tuple([row[at] if at is not None and at < width else "" for at in self._places])
        offering = self._read.get(raw)
        if offering is None:
            if len(self._read) > 100_000:
                self._read.clear()
            self.key = None
            try:
                offering = self._matched_offering(
                    {name: _offering_cell(text) for name, text in zip(OFFERING, raw, strict=True)}
                )
            except DomainError as error:  # stored, and raised for each row of this offering
                offering = UnreadableOffering(error, self.key)
            self._read[raw] = offering
        self.key = offering.key
        if isinstance(offering, UnreadableOffering):
            raise offering.error.with_traceback(None)
        return offering

    def _offering(self, named: Mapping[str, str]) -> NamedOffering:
        for column in REQUIRED:
            if not named[column]:
                raise cells.missing_cell(column)
        course = cells.look_up(named["course"], self._courses, "course", N_("There is no course “%(text)s”."))
        district = cells.look_up(named["district"], self._districts, "district", N_("There is no district “%(text)s”."))
        if self._scope is not None and district not in self._scope:
            raise refusal("other_district", N_("“%(text)s” is not your district."), text=named["district"])
        host = self._hosts.get((district, normalised(named["host"])))
        if host is None:
            raise refusal(
                "host",
                N_(
                    "There is no organisation “%(text)s” in this district. Enter it in the register of organisations first."
                ),
                text=named["host"],
                district=district,
            )
        lead = (
            cells.look_up(named["lead"], self._leads, "lead", N_("There is no instructor with the number “%(text)s”."))
            if named["lead"]
            else None
        )
        days = cells.parse_past_days(named["days"], self._today)
        period = read_period(named["starts"], named["ends"], days, float(course.hours))
        if not ends_before(period, days[-1], self._today):
            raise refusal("not_past", N_("“%(text)s” is not in the past."), text=named["days"])
        starts, ends = period.starts, period.ends
        identity = "\0".join((str(course.id), str(host), days[0].isoformat(), str(starts), named["place"]))
        key = UUID(bytes=hashlib.sha256(identity.encode()).digest()[:16])
        same = (lead, tuple(days), ends)
        first = self._known.get(key)
        if first is None:
            self._known[key] = same
            self.new_offerings.append((key, course.id, district, host, lead, named["place"], days, starts, ends))
        elif first != same:
            self.key = key
            raise refusal(
                "offering_differs",
                N_("An earlier row has this offering with other days, another end time or another lead instructor."),
            )
        return NamedOffering(key, str(key), tuple(days), period)

    def _present(self, row: Sequence[str], sessions: int) -> int:
        """Return the sessions that a row attends, one bit each."""
        at = self._columns["present"]
        if at is None:
            return (1 << sessions) - 1
        text = self._raw(row, "present")
        attended = self._bits.get((text, sessions))
        if attended is None:
            self.marks = self.marks or presence.is_mark(text)
            attended = self._bits[text, sessions] = presence.bits(text, sessions, self._meanings)
        return attended

    def _refuse_absent(self, offering: NamedOffering, result: str, certificate: str, stay: str) -> None:
        """Raise DomainError for a person who passed, or came or left, and attended no session. Either may be wrong."""
        self.key = offering.key
        if certificate or result == PASSED:
            raise refusal("passed_absent", N_("A person who attended no session cannot pass."))
        if stay:
            raise refusal("stayed_absent", N_("A person who attended no session has no time of check-in or check-out."))
        self.key = None

    def _issued(self, text: str, certificate: str, result: str, offering: NamedOffering) -> date | None:
        if not certificate:
            return None
        if result == FAILED:
            raise refusal("certified_failed", N_("A person who failed cannot have a certificate."))
        issued = cells.parse_day(text) if text else offering.days[-1]
        if not offering.days[0] <= issued <= self._today:
            raise refusal("issued_on", N_("The certificate cannot have been issued on “%(text)s”."), text=text)
        return issued


def _offering_cell(text: str) -> str:
    cell = unless_empty(clean(text))
    cell_values.refuse_error(cell)
    return cell


_EMPTY = r"\N"


def _text(value: str) -> str:
    return value.replace("\\", "\\\\") if "\\" in value else value


def _bytes(value: bytes) -> str:
    return "\\\\x" + value.hex()
