"""Rows of past trainings: a person in an offering that is over. What the cells mean, checked, sealed and indexed."""

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
from courses.imports.cells import refused, table
from courses.imports.files import clean
from courses.imports.kinds import Column, word
from courses.models.catalogue import Course
from courses.models.imports import ImportOffering, ImportRun
from courses.models.trainees import ID_NUMBER_COLUMN, PHONE_COLUMN
from instructors.models import Instructor
from lms.core import crypto
from lms.core.errors import N_, DomainError
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
DEMANDED = tuple(column.name for column in COLUMNS if column.needed and column.name in OFFERING)
PASSED, FAILED = "passed", "failed"
_RESULTS = table(
    {
        PASSED: ("合格", "通过", "及格", "passed", "pass", "yes", "是"),
        FAILED: ("不合格", "未通过", "不及格", "failed", "fail", "no", "否"),
    }
)
_ALL = {word(text) for text in ("全勤", "全部", "是", "出勤", "到", "all", "yes", "√", "1")}
_NONE = {word(text) for text in ("缺勤", "否", "未到", "缺席", "none", "no", "0", "×")}
DEFAULT_START = time(9)
SHORTEST, LONGEST = 30, 720  # minutes of a session that only the course's hours tell of
NUMBER_LIMIT = 60


@dataclass(frozen=True, slots=True)
class Offered:
    """The offering that a row names. `key`: the same for all its rows."""

    key: UUID
    days: tuple[date, ...]
    starts: time
    ends: time


@dataclass(frozen=True, slots=True)
class Unread:
    """Why an offering's cells cannot be read; and the offering that they name all the same, if they do."""

    error: DomainError
    key: UUID | None


class Reader:
    """Reads the rows of one import. Offerings are few and repeat: each is read once.

    `key`: the offering that the row read last names, also when it was refused; None where that cannot be told.
    """

    def __init__(self, db: Session, run: ImportRun, today: date) -> None:
        self._today = today
        self._cipher = crypto.cipher()
        self._scope = None if run.district_ids is None else frozenset(run.district_ids)
        self._places = [run.mapping.get(name) for name in OFFERING]
        self._columns = {column.name: run.mapping.get(column.name) for column in COLUMNS}
        self._read: dict[tuple[str, ...], Offered | Unread] = {}
        self.key: UUID | None = None
        self._known: dict[UUID, tuple[object, ...]] = {
            row.key: (row.lead_instructor_id, tuple(row.days), row.ends)
            for row in db.scalars(select(ImportOffering).where(ImportOffering.run_id == run.id))
        }
        self.fresh: list[tuple[object, ...]] = []
        districts = db.execute(select(District.id, District.code, District.name_zh, District.name_en))
        self._districts = table({one: (code, zh, zh.removesuffix("区"), en) for one, code, zh, en in districts})
        courses = db.scalars(select(Course).order_by(Course.id.desc()))
        self._courses = {word(text): row for row in courses for text in (row.name_zh, row.name_en)}
        self._courses |= {word(row.code): row for row in db.scalars(select(Course))}
        hosts = db.execute(
            select(Organisation.district_id, Organisation.name_en, Organisation.name_zh, Organisation.id).order_by(
                Organisation.id.desc()
            )
        )
        self._hosts = {(one, word(text)): row for one, en, zh, row in hosts for text in (en, zh) if text}
        self._leads = {
            word(number): row for row, number in db.execute(select(Instructor.id, Instructor.registration_number))
        }

    def line(self, number: int, row: Sequence[str]) -> bytes:
        """A row as a line of COPY's text for `import_attendance`, without the run.

        Raises DomainError for one that cannot go in.
        """
        offered = self._offered(row)
        get = self._cell
        name = get(row, "name")
        key = norm(name)
        if not key or len(name) > NAME_LIMIT:
            raise refused("name", N_("Give the name, up to 60 characters."))
        phone = cells.phone(get(row, "phone"))
        identity = cells.id_number(get(row, "id_type"), get(row, "id_number"), self._today)
        if phone is None and identity is None:
            raise refused("nobody", N_("Give a phone number or an ID number: without one nobody can be found again."))
        year = cells.birth_year(get(row, "birth_year"), self._today)
        if identity is not None and (born := id_numbers.birth_date(*identity)) is not None:
            if year is not None and year != born.year:
                raise refused("birth_year_differs", N_("The year of birth and the ID number do not agree. Check both."))
            year = born.year
        present = self._present(get(row, "present"), len(offered.days))
        arrived, departed = self._hours(row, offered)
        result = cells.choice(
            get(row, "result"),
            _RESULTS,
            "result",
            N_("There is no result “%(text)s”: write passed or failed."),
            empty="",
        )
        certificate = get(row, "certificate")
        if not present and (certificate or result == PASSED):
            raise refused("passed_absent", N_("Nobody passes who was at no session."))
        issued_on = self._issued(get(row, "issued_on"), certificate, result, offered)
        if len(certificate) > NUMBER_LIMIT or (certificate and not any(map(str.isdigit, certificate))):
            raise refused("certificate", N_("“%(text)s” is no certificate number."), text=certificate)
        ref = str(uuid4())
        cipher = self._cipher
        fields = [
            str(number), str(offered.key), ref, _text(name), _text(key),
            *(
                (_bytes(cipher.encrypt(PHONE_COLUMN, ref, phone)), _bytes(cipher.blind_index(PHONE_COLUMN, phone)))
                if phone
                else _TWO
            ),
            *(
                (
                    identity[0].value,
                    _bytes(cipher.encrypt(ID_NUMBER_COLUMN, ref, identity[1])),
                    _bytes(cipher.blind_index(ID_NUMBER_COLUMN, identity[1])),
                )
                if identity
                else _THREE
            ),
            str(year) if year else _EMPTY, str(present), str(arrived) if arrived else _EMPTY,
            str(departed) if departed else _EMPTY, result or _EMPTY, _text(certificate) if certificate else _EMPTY,
            issued_on.isoformat() if issued_on else _EMPTY,
        ]  # fmt: skip
        return "\t".join(fields).encode()

    def _cell(self, row: Sequence[str], name: str) -> str:
        at = self._columns[name]
        return clean(row[at]) if at is not None and at < len(row) and row[at] else ""

    def _offered(self, row: Sequence[str]) -> Offered:
        width = len(row)
        raw = tuple(row[at] if at is not None and at < width else "" for at in self._places)
        found = self._read.get(raw)
        if found is None:
            if len(self._read) > 100_000:
                self._read.clear()
            self.key = None
            try:
                found = self._offering(dict(zip(OFFERING, map(clean, raw), strict=True)))
            except DomainError as error:  # kept, and raised for each row of this offering
                found = Unread(error, self.key)
            self._read[raw] = found
        self.key = found.key
        if isinstance(found, Unread):
            raise found.error.with_traceback(None)
        return found

    def _offering(self, given: Mapping[str, str]) -> Offered:
        for needed in DEMANDED:
            if not given[needed]:
                raise cells.missing(needed)
        course = cells.named(given["course"], self._courses, "course", N_("There is no course “%(text)s”."))
        district = cells.named(given["district"], self._districts, "district", N_("There is no district “%(text)s”."))
        if self._scope is not None and district not in self._scope:
            raise refused("other_district", N_("“%(text)s” is not your district."), text=given["district"])
        host = self._hosts.get((district, word(given["host"])))
        if host is None:
            raise refused(
                "host",
                N_(
                    "There is no organisation “%(text)s” in this district. Enter it in the register of organisations first."
                ),
                text=given["host"],
            )
        lead = (
            cells.named(given["lead"], self._leads, "lead", N_("There is no instructor with the number “%(text)s”."))
            if given["lead"]
            else None
        )
        days = cells.past_days(given["days"], self._today)
        starts = cells.hour(given["starts"]) or DEFAULT_START
        minutes = min(LONGEST, max(SHORTEST, int(course.hours * 60) // len(days)))
        latest = datetime.combine(days[0], time(23, 59))
        ends = (
            cells.hour(given["ends"])
            or min(datetime.combine(days[0], starts) + timedelta(minutes=minutes), latest).time()
        )
        if ends <= starts:
            raise refused("period", N_("A session must end after it starts."))
        what = "\0".join((str(course.id), str(host), days[0].isoformat(), str(starts), given["place"]))
        key = UUID(bytes=hashlib.sha256(what.encode()).digest()[:16])
        same = (lead, tuple(days), ends)
        first = self._known.get(key)
        if first is None:
            self._known[key] = same
            self.fresh.append((key, course.id, district, host, lead, given["place"], days, starts, ends))
        elif first != same:
            self.key = key
            raise refused(
                "offering_differs",
                N_("An earlier row names the same offering with other days, another end or another lead."),
            )
        return Offered(key, tuple(days), starts, ends)

    @staticmethod
    def _present(text: str, sessions: int) -> int:
        everything = (1 << sessions) - 1
        if not text or word(text) in _ALL:
            return everything if sessions == 1 or word(text) != "1" else 1
        if word(text) in _NONE:
            return 0
        bits = 0
        for part in text.replace("；", ";").replace("、", ";").replace(",", ";").replace("，", ";").split(";"):
            if not part.strip().isdecimal() or not 1 <= int(part) <= sessions:
                raise refused(
                    "sessions", N_("“%(text)s” does not name sessions from 1 to %(most)s."), text=text, most=sessions
                )
            bits |= 1 << (int(part) - 1)
        return bits

    def _hours(self, row: Sequence[str], offered: Offered) -> tuple[time | None, time | None]:
        arrived, departed = cells.hour(self._cell(row, "arrived")), cells.hour(self._cell(row, "departed"))
        if arrived is not None and arrived >= offered.ends:
            raise refused("arrived", N_("The check-in would be after the end of the session."))
        if departed is not None and departed < max(arrived or offered.starts, offered.starts):
            raise refused("departed", N_("The check-out would be before the check-in."))
        return arrived, departed

    def _issued(self, text: str, certificate: str, result: str, offered: Offered) -> date | None:
        if not certificate:
            return None
        if result == FAILED:
            raise refused("certified_failed", N_("Nobody who failed has a certificate."))
        issued = cells.day(text) if text else offered.days[-1]
        if not offered.days[0] <= issued <= self._today:
            raise refused("issued_on", N_("The certificate cannot have been issued on “%(text)s”."), text=text)
        return issued


_EMPTY = r"\N"
_TWO = (_EMPTY,) * 2
_THREE = (_EMPTY,) * 3


def _text(value: str) -> str:
    return value.replace("\\", "\\\\") if "\\" in value else value


def _bytes(value: bytes) -> str:
    return "\\\\x" + value.hex()
