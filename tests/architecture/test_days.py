"""A day is a day of the branch everywhere: no program text takes the day of a moment in UTC or in a device's zone.

Moments are kept in UTC, so `clock.now().date()` is yesterday until eight in the morning in Beijing: somebody who turned
14 was asked for a guardian. Today is `clock.today(zone)` or `clock.branch_today()`, and the day of a moment is
`clock.day_of(moment, zone)`; in SQL the moment goes through `AT TIME ZONE`; in JavaScript through `times.js`.
"""

import ast
import re
from collections.abc import Iterator

import pytest

from lms.config import ROOT

PROGRAMS = ("lms", "courses", "certificates", "instructors", "tests", "benchmarks", "migrations")
# Files that take the day of a date-time without a zone, each with its reason.
WITHOUT_ZONE = {
    "lms/core/clock.py": "It is the clock.",
    "lms/core/forms.py": "A form field's date and time are the branch's; they get their zone after the check.",
    "lms/core/messages/channels/folder.py": "The name of a file in a developer's folder holds the moment in UTC.",
    "lms/demo/year.py": "The demo year plans with moments that are already in the branch's zone.",
    "courses/reports/questions.py": "The moment is a midnight in the branch's zone, made by `end_of_day`.",
    "certificates/cli/certificates.py": "Click reads a day of the command line as a date-time.",
    "tests/architecture/test_days.py": "It holds the examples.",
}
CELLS = re.compile(r"lms/core/(sheet_\w+|spreadsheets|cell_values)\.py")  # the cells of a sheet have no zone
CALENDAR_PARTS = {"year", "month", "day", "weekday", "isoweekday", "isocalendar", "toordinal", "timetuple"}
MOMENT = re.compile(r"(^|[._])(now|moment|at)(\(\))?$")
DATE_CODES = re.compile(r"%[YymdjUWVGuwaAbBxcDF]")
SQL_DAYS = re.compile(
    r"\bcurrent_date\b|\blocaltime(stamp)?\b|\bnow\(\)\s*::\s*date\b|\bcast\(\s*now\(\)\s+as\s+date\s*\)"
    r"|\bdate_trunc\(\s*'\w+',\s*(now\(\)|[\w.]*_at\b)|\b[\w.]+_at\s*::\s*date\b|\bcast\(\s*[\w.]+_at\s+as\s+date\s*\)"
    r"|\bto_char\(\s*(now\(\)|[\w.]*_at\b(?!\s+at\s+time\s+zone))|\bextract\(\s*(?!epoch)\w+\s+from\s+(now\(\)|[\w.]*_at\b(?!\s+at\s+time\s+zone))",
    re.IGNORECASE,
)
SCRIPT_DAYS = re.compile(
    r"toISOString\(\)\s*\.\s*(slice|substring|substr|split)"
    r"|\.(get|set)(UTC)?(FullYear|Month|Date|Day|Hours|Minutes)\(|\.toLocale(Date|Time)?String\("
)
TEMPLATE_DAYS = re.compile(r"\bnow\(\)\s*\.|\.date\(\)|_at\.(year|month|day|strftime)\b|current_date", re.IGNORECASE)
# The day numbers of a certificate's code become ISO days; no moment is read.
SCRIPT_EXCEPTIONS = {"lms/static/offline_verification.js": 1}


def _is_moment(node: ast.expr, moments: set[str]) -> bool:
    """True for `clock.now()`, for a local that holds it and for arithmetic on one."""
    if isinstance(node, ast.BinOp):
        return _is_moment(node.left, moments) or _is_moment(node.right, moments)
    return ast.unparse(node) in moments | {"clock.now()", "now()"}


def _moments(tree: ast.AST) -> set[str]:
    """Names that are assigned the current moment."""
    return {
        ast.unparse(target)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and ast.unparse(node.value) in {"clock.now()", "datetime.now(UTC)"}
        for target in node.targets
    }


def _formatted_days(text: ast.JoinedStr) -> Iterator[int]:
    """Lines where a moment is written with its day, without a zone being chosen or named."""
    for place, part in enumerate(text.values):
        if not isinstance(part, ast.FormattedValue) or part.format_spec is None:
            continue
        codes = ast.unparse(part.format_spec)
        after = text.values[place + 1] if place + 1 < len(text.values) else None
        names_utc = isinstance(after, ast.Constant) and str(after.value).startswith((" UTC", "Z"))
        if DATE_CODES.search(codes) and MOMENT.search(ast.unparse(part.value)) and "Z" not in codes and not names_utc:
            yield part.lineno


def days_in_python(source: str) -> list[int]:
    """The lines of a Python program that take a day of UTC or of the machine."""
    tree = ast.parse(source)
    moments = _moments(tree)
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            lines.update(_formatted_days(node))
        elif (
            (isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL_DAYS.search(node.value))
            or (isinstance(node, ast.Attribute) and node.attr in CALENDAR_PARTS and _is_moment(node.value, moments))
            or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.FloorDiv) and _counts_days(node))
            or (isinstance(node, ast.Call) and _call_takes_a_day(node))
        ):
            lines.add(node.lineno)
    return sorted(lines)


def _counts_days(division: ast.BinOp) -> bool:
    divisor = ast.unparse(division.right)
    return "timestamp()" in ast.unparse(division.left) and (divisor == "86400" or "DAY" in divisor)


def _call_takes_a_day(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    arguments = [ast.unparse(argument) for argument in call.args]
    unzoned = any(re.search(r"_at\b|now\(", text) and "timezone(" not in text for text in arguments)
    match name.rpartition(".")[2], arguments:
        case "date" | "today" | "utcnow", []:
            return name.endswith(".date") or name.startswith(("date.", "datetime."))
        case "strftime", [pattern]:
            return bool(MOMENT.search(name.removesuffix(".strftime"))) and "Z" not in pattern
        case "cast", [_, "Date"]:
            return unzoned
        case "date" | "date_trunc" | "to_char" | "extract" | "date_part", _:
            return name.startswith("func.") and unzoned and "'epoch'" not in arguments
        case last, _:
            return last in {"current_date", "fromtimestamp"} and len(arguments) < 2
    return False


def _lines(pattern: re.Pattern[str], text: str) -> list[int]:
    return [text.count("\n", 0, match.start()) + 1 for match in pattern.finditer(text)]


def _files(*patterns: str) -> Iterator[tuple[str, str]]:
    for folder in PROGRAMS:
        for pattern in patterns:
            for path in sorted((ROOT / folder).rglob(pattern)):
                yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def test_python_takes_days_from_the_clock() -> None:
    found = [
        f"{name}:{line}"
        for name, text in _files("*.py")
        if name not in WITHOUT_ZONE and not CELLS.fullmatch(name)
        for line in days_in_python(text)
    ]
    assert found == [], "take the day with clock.today, clock.branch_today or clock.day_of"


def test_each_exception_is_needed() -> None:
    assert [name for name in WITHOUT_ZONE if not days_in_python((ROOT / name).read_text(encoding="utf-8"))] == []


def test_sql_takes_the_day_of_a_moment_in_the_branch_s_zone() -> None:
    found = [f"{name}:{line}" for name, text in _files("*.sql") for line in _lines(SQL_DAYS, text)]
    assert found == [], "write (moment AT TIME ZONE :zone)::date, or pass the day as a parameter"


def test_templates_take_days_by_the_filters() -> None:
    found = [f"{name}:{line}" for name, text in _files("*.html", "*.txt") for line in _lines(TEMPLATE_DAYS, text)]
    assert found == [], "use the filters `day` and `moment`"


def test_scripts_take_days_in_the_branch_s_zone() -> None:
    found = {
        name: _lines(SCRIPT_DAYS, text)
        for name, text in _files("*.js")
        if name.startswith("lms/static/") and len(_lines(SCRIPT_DAYS, text)) != SCRIPT_EXCEPTIONS.get(name, 0)
    }
    assert found == {}, "use isoDay and clockTime of times.js"


def test_scripts_format_moments_in_a_named_zone() -> None:
    unzoned = [
        name
        for name, text in _files("*.js")
        if name.startswith("lms/static/") and "Intl.DateTimeFormat(" in text and "timeZone" not in text
    ]
    assert unzoned == []


@pytest.mark.parametrize(
    "source",
    [
        "today = clock.now().date()",
        "day = row.closed_at.date()",
        "def rule(now):\n    return now.date()",
        "now = clock.now()\nage = now.year - born",
        "age = clock.now().year - born",
        "limit = (clock.now() - AGE).year",
        "text = f'{clock.now():%Y-%m-%d}'",
        "text = f'{due.closed_at:%Y%m%d}'",
        "text = clock.now().strftime('%d')",
        "day = int(clock.now().timestamp()) // 86_400",
        "today = date.today()",
        "rows.where(Table.day >= func.current_date())",
        "cast(Enrolment.certified_at, Date)",
        "func.date(Offering.closed_at)",
        "func.date_trunc('month', Offering.closed_at)",
        "db.execute(text('SELECT now()::date'))",
        "text('SELECT id FROM offering WHERE day < CURRENT_DATE')",
        "text('SELECT closed_at::date FROM offering')",
    ],
)
def test_the_rule_finds_a_day_of_utc_in_python(source: str) -> None:
    assert days_in_python(source) != []


@pytest.mark.parametrize(
    "source",
    [
        "today = clock.today(zone)",
        "day = clock.day_of(row.closed_at, zone)",
        "text = f'{clock.now().astimezone(zone):%Y-%m-%d}'",
        "text = f'{taken_at:%Y-%m-%d %H:%M} UTC'",
        "cast(func.timezone(zone.key, Enrolment.certified_at), Date)",
        "func.date_trunc('month', PersonTimeEntry.dated_on)",
        "func.extract('epoch', Table.left_at - Table.arrived_at)",
        "text('SELECT (closed_at AT TIME ZONE :zone)::date FROM offering')",
    ],
)
def test_the_rule_allows_days_of_the_branch(source: str) -> None:
    assert days_in_python(source) == []


@pytest.mark.parametrize(
    "source", ["new Date().toISOString().slice(0, 10)", "new Date().getFullYear()", "moment.toLocaleDateString()"]
)
def test_the_rule_finds_a_day_of_the_device_in_scripts(source: str) -> None:
    assert SCRIPT_DAYS.search(source)
