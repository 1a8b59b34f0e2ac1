"""The spreadsheet of people to enrol: its template, its headings in both languages, its rows, and the spreadsheet of
rejected rows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from courses.enrolment import sheet_notes
from lms.core import exports, headings, spreadsheets
from lms.core.cell_values import is_empty
from lms.core.errors import N_, DomainError
from lms.core.headings import normalised
from lms.core.spreadsheets import SheetOutline

MAX_PEOPLE = 1000

# Fact → its heading in the template (Chinese, English), and other headings that are understood.
HEADINGS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "name": ("姓名", "name", ("名字", "学员姓名", "学生姓名", "参训人员姓名", "fullname")),
    "phone": (
        "手机",
        "phone",
        (
            *("手机号", "手机号码", "电话", "联系电话", "联系方式", "电话号码", "联系手机", "移动电话", "学员手机"),
            *("本人手机", "本人电话", "mobile", "mobilephone", "phonenumber", "tel"),
        ),
    ),
    "id_type": ("证件类型", "id type", ("证件种类",)),
    "id_number": ("证件号码", "id number", ("证件号", "身份证号", "身份证号码", "身份证", "idno")),
    "birth_year": (
        "出生年份",
        "birth year",
        ("出生年", "出生年月", "出生日期", "生日", "yearofbirth", "birthday", "dateofbirth"),
    ),
    "email": ("邮箱", "e-mail", ("电子邮箱", "电子邮件", "邮件")),
    "guardian_name": ("监护人", "guardian", ("监护人姓名", "家长", "家长姓名", "guardianname")),
    "guardian_phone": ("监护人电话", "guardian phone", ("监护人手机", "监护人手机号", "家长电话", "家长手机")),
}
WIDTHS = (14, 16, 20, 24, 12, 26, 14, 18)


class ListRow(NamedTuple):
    """A row about a person: its number as the person sees it, the texts of its facts without empty ones, and what of it was
    not understood, which only a pasted line can have.
    """

    line: int
    cells: dict[str, str]
    unread: str = ""


class Note(NamedTuple):
    """A row that is no person, such as a signature line: its number, the texts of facts that it would have, and its text."""

    line: int
    cells: dict[str, str]
    text: str


class Column(NamedTuple):
    """A column of a sheet by its letter, and its heading, which may be empty."""

    letter: str
    heading: str


@dataclass(frozen=True)
class SheetPeople:
    """The people of a list, the rows that are no people, and the columns that hold something and are not kept."""

    rows: list[ListRow]
    notes: list[Note]
    unkept: list[Column]


def read_people(content: bytes, *, sheet: str = "", hidden: bool = False) -> SheetPeople:
    """Read the people of a sheet; by default of the first visible one. hidden: hidden rows and columns too.

    Raises DomainError on the field `file`.
    """
    return people_of(spreadsheets.read(content, sheet=sheet, known=KNOWN, hidden=hidden))


def people_of(rows: spreadsheets.Rows) -> SheetPeople:
    """The people of the rows of a sheet. Raises DomainError on the field `file`."""
    columns, texts, last_line = _find_headings(rows)
    people, notes, kept = [], [], {alternatives[0] for alternatives in columns.values()}
    below = [(line, cells) for line, cells in rows if line > last_line]
    _refuse_side_by_side(columns["name"], below)
    for line, cells in below:
        facts = {fact: _first_text(cells, alternatives, fact) for fact, alternatives in columns.items()}
        facts = {fact: text for fact, text in facts.items() if text}
        others = [text for column, text in enumerate(cells) if text and column not in kept]
        if sheet_notes.is_note(facts, others) or _repeats_headings(facts):
            notes.append(Note(line, facts, " ".join(filter(None, cells))))
        elif facts:
            people.append(ListRow(line, facts))
    people_lines = {row.line for row in people}
    used = {column for line, cells in below if line in people_lines for column, text in enumerate(cells) if text}
    unkept = [
        Column(headings.letter_of(column), texts[column] if column < len(texts) else "")
        for column in sorted(used - kept)
    ]
    return check_size(SheetPeople(people, notes, unkept))


def check_size(people: SheetPeople) -> SheetPeople:
    """The people of a list. Raises DomainError on the field `file` where there are none or too many."""
    if not people.rows and not people.notes:
        raise _refused("no_rows", N_("There are no people in the file."))
    if len(people.rows) > MAX_PEOPLE or len(people.notes) > MAX_PEOPLE:
        raise _refused("too_many_rows", N_("A file may contain at most 1,000 people. Split the file."))
    return people


def may_be_meant(outline: SheetOutline) -> bool:
    """Tell whether a sheet has the headings of a list of people."""
    found = headings.find(outline.rows, KNOWN)
    return found is not None and is_enough(found.texts)


def is_enough(texts: Sequence[str]) -> bool:
    """Tell whether headings are those of a list of people: a name, and a phone or an ID number."""
    columns = _columns(texts)
    return "name" in columns and ("phone" in columns or "id_number" in columns)


def make_template(title: str, notes: Sequence[tuple[str, str]], *, chinese: bool) -> exports.Sheet:
    """An empty spreadsheet with its headings and, above them, the notes on how to fill it in."""
    return exports.Sheet(title, headings_of(chinese=chinese), (), preamble=notes, widths=WIDTHS)


def make_rejected(
    title: str, extra_headings: tuple[str, str], rows: Iterable[tuple[int, str, Mapping[str, str]]], *, chinese: bool
) -> exports.Sheet:
    """The rejected rows as they were sent, each with its number and the reason, to be corrected and sent again."""
    cells = ([str(number), reason, *(texts.get(fact) for fact in HEADINGS)] for number, reason, texts in rows)
    return exports.Sheet(title, [*extra_headings, *headings_of(chinese=chinese)], cells, widths=(8, 40, *WIDTHS))


def headings_of(*, chinese: bool) -> list[str]:
    """The headings of the template in one language."""
    return [in_chinese if chinese else in_english for in_chinese, in_english, _others in HEADINGS.values()]


def no_headings() -> DomainError:
    """The refusal of a file without the headings of a list of people."""
    return _refused(
        "no_headings",
        N_("No headings were found. The file needs columns for the name and the phone; use the template."),
    )


def _find_headings(rows: spreadsheets.Rows) -> tuple[dict[str, list[int]], list[str], int]:
    """The columns of the facts, each with the further ones of the same heading; the texts of all headings; and the number of
    the last row of the headings.
    """
    found = headings.find(rows, KNOWN)
    if found is None or not is_enough(found.texts):
        raise no_headings()
    return _columns(found.texts), found.texts, found.line


def _columns(texts: Sequence[str]) -> dict[str, list[int]]:
    columns: dict[str, list[int]] = {}
    for column, text in enumerate(texts):
        fact = _FACT_BY_HEADING.get(normalised(text))
        if fact is not None:
            columns.setdefault(fact, []).append(column)
    return columns


def _first_text(cells: Sequence[str], columns: Sequence[int], fact: str) -> str:
    """The text of a fact: of the first of its columns that holds something, for example of the second phone."""
    texts = (cells[column] for column in columns if column < len(cells))
    return next((text for text in texts if text and (fact == "name" or not is_empty(text))), "")


def _refuse_side_by_side(columns: Sequence[int], rows: spreadsheets.Rows) -> None:
    """Refuse a list with two people in a row. Raises DomainError on the field `file`."""
    for line, cells in rows:
        names = [cells[column] for column in columns if column < len(cells) and cells[column]]
        if len(names) > 1 and not any(normalised(name) in KNOWN or sheet_notes.says_so(name) for name in names):
            raise DomainError(
                "side_by_side",
                N_("There is more than one name in row %(row)s. Put the people below one another."),
                status=422,
                field="file",
                row=line,
            )


def _repeats_headings(facts: Mapping[str, str]) -> bool:
    """Tell whether a row holds the headings once more, as at the top of each printed page."""
    return len(facts) > 1 and all(_FACT_BY_HEADING.get(normalised(text)) == fact for fact, text in facts.items())


def _refused(code: str, message: str) -> DomainError:
    return DomainError(code, message, status=422, field="file")


_FACT_BY_HEADING = {
    normalised(heading): fact
    for fact, (chinese, english, others) in HEADINGS.items()
    for heading in chain((chinese, english), others)
}
KNOWN = frozenset(_FACT_BY_HEADING)
