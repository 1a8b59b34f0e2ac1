"""Reading the rows of past trainings: one person in one offering.

Cells are checked; personal data is encrypted and indexed.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.enrolment import id_numbers
from courses.enrolment.trainees import NAME_LIMIT
from courses.imports import cells
from courses.imports.cells import lookup_table, refusal
from courses.imports.files import clean
from courses.imports.kinds import Column, normalised
from courses.models.catalogue import Course
from courses.models.imports import ImportOffering, ImportRun
from courses.models.trainees import ID_NUMBER_COLUMN, PHONE_COLUMN
from instructors.models import Instructor
from lms.core import crypto, names
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
    Column("name", "姓名", "name", ("学员姓名", "名字"), True, "王小明"),
    Column("phone", "手机", "phone", ("手机号", "手机号码", "电话", "联系电话", "mobile"), False, "13800138000"),
    Column("id_type", "证件类型", "ID type", ("证件种类",), False, ""),
    Column("id_number", "证件号码", "ID number", ("身份证号", "身份证号码", "证件号"), False, ""),
    Column("birth_year", "出生年份", "birth year", ("出生年", "出生日期", "生日"), False, "1990"),
    Column("present", "出勤课次", "sessions attended", ("出勤", "出席课次", "attended", "present"), False, "1;2"),
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
_ALL = {normalised(text) for text in ("全勤", "全部", "是", "出勤", "到", "all", "yes", "√", "1")}
_NONE = {normalised(text) for text in ("缺勤", "否", "未到", "缺席", "none", "no", "0", "×")}
DEFAULT_START = time(9)
SHORTEST, LONGEST = 30, 720  # minutes of a session whose end is computed from the hours of the course
NUMBER_LIMIT = 60


@dataclass(frozen=True, slots=True)
class NamedOffering:
    """The offering that a row names. `key` is the same for all rows of the offering."""

    key: UUID
    days: tuple[date, ...]
    starts: time
    ends: time


@dataclass(frozen=True, slots=True)
class UnreadableOffering:
    """The error in the cells of an offering, and the key of the offering if they name it all the same."""

    error: DomainError
    key: UUID | None


class PastRowReader:
    """Reader of the rows of one import. Offerings are few and repeat, so the cells of each are read once.

    key: of the offering that the last row named, also when the row was refused; None where the cells do not name one.
    new_offerings: values for `import_offering` of offerings read since the caller last emptied the list.
    """

    def __init__(self, db: Session, run: ImportRun, today: date) -> None:
        self._today = today
        self._cipher = crypto.cipher()
        self._scope = None if run.district_ids is None else frozenset(run.district_ids)
        self._places = [run.mapping.get(name) for name in OFFERING]
        self._columns = {column.name: run.mapping.get(column.name) for column in COLUMNS}
        self._read: dict[tuple[str, ...], NamedOffering | UnreadableOffering] = {}
        self.key: UUID | None = None
        self._known: dict[UUID, tuple[object, ...]] = {
            row.key: (row.lead_instructor_id, tuple(row.days), row.ends)
            for row in db.scalars(select(ImportOffering).where(ImportOffering.run_id == run.id))
        }
        self.new_offerings: list[tuple[object, ...]] = []
        districts = db.execute(select(District.id, District.code, District.name_zh, District.name_en))
        self._districts = lookup_table(
            {identity: (code, zh, zh.removesuffix("区"), en) for identity, code, zh, en in districts}
        )
        courses = db.scalars(select(Course).order_by(Course.id.desc()))
        self._courses = {normalised(text): row for row in courses for text in (row.name_zh, row.name_en)}
        self._courses |= {normalised(row.code): row for row in db.scalars(select(Course))}
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
        offering = self._named_offering(row)
        get = self._cell
        name = names.clean(get(row, "name"))
        key = norm(name)
        if not key or len(name) > NAME_LIMIT:
            raise refusal("name", N_("Enter the name, up to 60 characters."))
        phone = cells.parse_phone(get(row, "phone"))
        identity = cells.parse_id_number(get(row, "id_type"), get(row, "id_number"), self._today)
        if phone is None and identity is None:
            raise refusal(
                "nobody", N_("Enter a phone number or an ID number. Without one, this person cannot be found later.")
            )
        year = cells.parse_birth_year(get(row, "birth_year"), self._today)
        if identity is not None and (born := id_numbers.birth_date(*identity)) is not None:
            if year is not None and year != born.year:
                raise refusal("birth_year_differs", N_("The year of birth and the ID number do not match. Check both."))
            year = born.year
        present = self._present(get(row, "present"), len(offering.days))
        arrived, departed = self._hours(row, offering)
        result = cells.look_up_or(
            get(row, "result"),
            _RESULTS,
            "result",
            N_("There is no result “%(text)s”: write passed or failed."),
            empty="",
        )
        certificate = get(row, "certificate")
        if not present and (certificate or result == PASSED):
            raise refusal("passed_absent", N_("A person who attended no session cannot pass."))
        issued_on = self._issued(get(row, "issued_on"), certificate, result, offering)
        if len(certificate) > NUMBER_LIMIT or (certificate and not any(map(str.isdigit, certificate))):
            raise refusal("certificate", N_("“%(text)s” is not a certificate number."), text=certificate)
        ref = str(uuid4())
        cipher = self._cipher
        fields = [
            str(number), str(offering.key), ref, _text(name), _text(key), _text(by_sound(name)),
            *(
                (_bytes(cipher.encrypt(PHONE_COLUMN, ref, phone)), _bytes(cipher.blind_index(PHONE_COLUMN, phone)))
                if phone
                else _NO_PHONE
            ),
            *(
                (
                    identity[0].value,
                    _bytes(cipher.encrypt(ID_NUMBER_COLUMN, ref, identity[1])),
                    _bytes(cipher.blind_index(ID_NUMBER_COLUMN, identity[1])),
                )
                if identity
                else _NO_ID_NUMBER
            ),
            str(year) if year else _EMPTY, str(present), str(arrived) if arrived else _EMPTY,
            str(departed) if departed else _EMPTY, result or _EMPTY, _text(certificate) if certificate else _EMPTY,
            issued_on.isoformat() if issued_on else _EMPTY,
        ]  # fmt: skip
        return "\t".join(fields).encode()

    def _cell(self, row: Sequence[str], name: str) -> str:
        at = self._columns[name]
        return clean(row[at]) if at is not None and at < len(row) and row[at] else ""

    def _named_offering(self, row: Sequence[str]) -> NamedOffering:
        width = len(row)
        raw = tuple(row[at] if at is not None and at < width else "" for at in self._places)
        offering = self._read.get(raw)
        if offering is None:
            if len(self._read) > 100_000:
                self._read.clear()
            self.key = None
            try:
                offering = self._offering(dict(zip(OFFERING, map(clean, raw), strict=True)))
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
            )
        lead = (
            cells.look_up(named["lead"], self._leads, "lead", N_("There is no instructor with the number “%(text)s”."))
            if named["lead"]
            else None
        )
        days = cells.parse_past_days(named["days"], self._today)
        starts = cells.parse_time(named["starts"]) or DEFAULT_START
        minutes = min(LONGEST, max(SHORTEST, int(course.hours * 60) // len(days)))
        latest = datetime.combine(days[0], time(23, 59))
        ends = (
            cells.parse_time(named["ends"])
            or min(datetime.combine(days[0], starts) + timedelta(minutes=minutes), latest).time()
        )
        if ends <= starts:
            raise refusal("period", N_("A session must end after it starts."))
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
        return NamedOffering(key, tuple(days), starts, ends)

    @staticmethod
    def _present(text: str, sessions: int) -> int:
        everything = (1 << sessions) - 1
        if not text or normalised(text) in _ALL:
            return everything if sessions == 1 or normalised(text) != "1" else 1
        if normalised(text) in _NONE:
            return 0
        bits = 0
        for part in text.replace("；", ";").replace("、", ";").replace(",", ";").replace("，", ";").split(";"):
            if not part.strip().isdecimal() or not 1 <= int(part) <= sessions:
                raise refusal(
                    "sessions",
                    N_("“%(text)s” is not a list of session numbers from 1 to %(most)s."),
                    text=text,
                    most=sessions,
                )
            bits |= 1 << (int(part) - 1)
        return bits

    def _hours(self, row: Sequence[str], offering: NamedOffering) -> tuple[time | None, time | None]:
        arrived, departed = cells.parse_time(self._cell(row, "arrived")), cells.parse_time(self._cell(row, "departed"))
        if arrived is not None and arrived >= offering.ends:
            raise refusal("arrived", N_("The check-in would be after the end of the session."))
        if departed is not None and departed < max(arrived or offering.starts, offering.starts):
            raise refusal("departed", N_("The check-out would be before the check-in."))
        return arrived, departed

    def _issued(self, text: str, certificate: str, result: str, offering: NamedOffering) -> date | None:
        if not certificate:
            return None
        if result == FAILED:
            raise refusal("certified_failed", N_("A person who failed cannot have a certificate."))
        issued = cells.parse_day(text) if text else offering.days[-1]
        if not offering.days[0] <= issued <= self._today:
            raise refusal("issued_on", N_("The certificate cannot have been issued on “%(text)s”."), text=text)
        return issued


_EMPTY = r"\N"
_NO_PHONE = (_EMPTY,) * 2
_NO_ID_NUMBER = (_EMPTY,) * 3


def _text(value: str) -> str:
    return value.replace("\\", "\\\\") if "\\" in value else value


def _bytes(value: bytes) -> str:
    return "\\\\x" + value.hex()
