"""Files of past trainings for tests, and the world that they name."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import xlsxwriter
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from courses.counting import people_recount, recount
from courses.imports import corrections, kinds, past, runs
from courses.imports.kinds import ImportContext
from courses.models.imports import ImportRun
from courses.models.trainees import Trainee
from instructors.models import Instructor
from lms.config import Settings
from lms.core.scope import EVERYTHING, Scope
from lms.organisations.models import Organisation
from tests.factories import Make

HEADINGS = (
    "课程", "区", "主办单位", "日期", "开始时间", "结束时间", "主讲师资编号", "地点",
    "姓名", "手机", "证件类型", "证件号码", "出生年份",
    "出勤课次", "签到时间", "离开时间", "结果", "证书编号", "发证日期",
)  # fmt: skip
FIELDS = tuple(column.name for column in past.PAST_TRAININGS.columns)
ROW: Mapping[str, str] = {
    "course": "FR", "district": "东城区", "host": "一号社区", "days": "2015-03-07;2015-03-08", "starts": "09:00", "ends": "12:00",
    "place": "礼堂", "name": "王小明", "phone": "13800138000",
}  # fmt: skip


class PastWorld:
    """A host, a course and an instructor that files of past trainings name."""

    def __init__(self, db: Session, make: Make, settings: Settings) -> None:
        self.db = db
        self.context = ImportContext(settings.zone, chunk=3)
        self.course = make.new_course(code="FR-OLD", name_zh="救护员旧班", pass_mark=None)
        self.host: Organisation = make.organisation(1, name_zh="一号社区")
        self.lead: Instructor = make.instructor()

    def row(self, **cells: str) -> dict[str, str]:
        return {**ROW, "course": "FR-OLD", "lead": self.lead.registration_number, **cells}

    def receive(
        self, rows: Sequence[Mapping[str, str]], *, encoding: str = "utf-8-sig", scope: Scope = EVERYTHING
    ) -> ImportRun:
        content = io.StringIO(newline="")
        out = csv.writer(content)
        out.writerow(HEADINGS)
        out.writerows([row.get(name, "") for name in FIELDS] for row in rows)
        file = io.BytesIO(content.getvalue().encode(encoding))
        return runs.receive(self.db, kinds.kind_of("past"), file=file, file_name="old.csv", scope=scope)

    def receive_table(
        self, headings: Sequence[str], rows: Sequence[Sequence[Any]], *, encoding: str = "utf-8-sig"
    ) -> ImportRun:
        """Receive a CSV file, or a workbook (encoding "xlsx") in which a cell may be a pair of a value and its format."""
        file = io.BytesIO()
        if encoding == "xlsx":
            book = xlsxwriter.Workbook(file, {"in_memory": True})
            sheet = book.add_worksheet()
            for number, cells in enumerate([headings, *rows]):
                for column, cell in enumerate(cells):
                    value, form = cell if isinstance(cell, tuple) else (cell, None)
                    write = sheet.write_string if isinstance(value, str) else sheet.write
                    write(number, column, value, form and book.add_format({"num_format": form}))
            book.close()
        else:
            content = io.StringIO(newline="")
            csv.writer(content).writerows([headings, *rows])
            file.write(content.getvalue().encode(encoding))
        file.seek(0)
        return runs.receive(self.db, kinds.kind_of("past"), file=file, file_name="old.csv", scope=EVERYTHING)

    def work(self, run: ImportRun, context: ImportContext | None = None) -> None:
        for _progress in runs.work(self.db, run.id, context or self.context):
            self.db.commit()

    def checked(self, rows: Sequence[Mapping[str, str]], **how: Any) -> ImportRun:
        run = self.receive(rows, **how)
        runs.check(self.db, run)
        self.work(run)
        return run

    def done(self, rows: Sequence[Mapping[str, str]], **how: Any) -> ImportRun:
        run = self.checked(rows, **how)
        runs.start(self.db, run)
        self.work(run)
        return run

    def differences(self) -> list[object]:
        ledger: list[object] = [
            difference for part in recount.ranges(self.db) for difference in recount.check(self.db, part)
        ]
        return ledger + [difference for step in recount.check_rollups(self.db) for difference in step]

    def state(self) -> dict[str, Any]:
        """Return the content of the register without ids, for comparing two imports."""
        people = self.db.execute(
            text(
                "SELECT trainee.name, course.code, offering.place, offering.counted_on, enrolment.state,"
                " enrolment.sessions_attended, enrolment.minutes_attended"
                " FROM enrolment JOIN trainee ON trainee.id = trainee_id JOIN offering ON offering.id = offering_id"
                " JOIN course ON course.id = course_id WHERE enrolment.state <> 'cancelled' ORDER BY 1, 2, 3, 4, 5, 6, 7"
            )
        ).all()
        counts = sorted((key, number) for key, number in people_recount.by_copy(self.db).items() if number)
        lines = self.db.execute(
            text(
                "SELECT dated_on, sum(enrolled), sum(named), sum(minutes), sum(passed), sum(certificates)"
                " FROM person_time_entry GROUP BY 1 HAVING sum(enrolled) <> 0 ORDER BY 1"
            )
        ).all()
        trainees = self.db.scalar(select(func.count()).select_from(Trainee))
        return {"people": list(people), "counts": counts, "lines": list(lines), "trainees": trainees}


def refusals(world: PastWorld, run: ImportRun) -> list[tuple[int, str]]:
    return [
        (line, message % params if params else message)
        for line, message, params in corrections.refused_rows(world.db, run)
    ]


def waits_for(line: int) -> str:
    return past.PAST_TRAININGS.reasons["offering_waits"] % {"line": line}
