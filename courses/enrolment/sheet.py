"""The spreadsheet of people to enrol: its template, its headings in both languages, how its cells are read, and the
spreadsheet of rejected rows.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from courses.enrolment.trainees import TraineeFacts
from courses.models.trainees import IdType
from lms.core import exports, spreadsheets
from lms.core.errors import N_, DomainError
from lms.core.phones import normalise_phone

MAX_PEOPLE = 1000
# The headings must stand within these first rows; a title may stand above them.
HEADING_ROWS = 15

# Fact → its heading in the template (Chinese, English), and other headings that are understood.
HEADINGS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "name": ("姓名", "name", ("名字", "学员姓名", "fullname")),
    "phone": (
        "手机",
        "phone",
        ("手机号", "手机号码", "电话", "联系电话", "联系方式", "电话号码", "mobile", "mobilephone"),
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
# ID type → the names of it that a cell may contain, as `_key` writes them.
ID_TYPE_NAMES: Mapping[IdType, tuple[str, ...]] = {
    IdType.RESIDENT: (
        "居民身份证", "身份证", "二代身份证", "港澳台居民居住证",
        "resident", "residentid", "residentidcard", "idcard",
    ),
    IdType.PASSPORT: ("护照", "passport"),
    IdType.HK_MACAU_PERMIT: (
        "港澳居民来往内地通行证", "港澳通行证", "回乡证", "港澳居民通行证", "hkmacaupermit", "hongkongormacaupermit",
    ),
    IdType.TAIWAN_PERMIT: ("台湾居民来往大陆通行证", "台胞证", "台湾通行证", "taiwanpermit"),
    IdType.FOREIGN_PERMANENT: (
        "外国人永久居留身份证", "外国人永久居留证", "永久居留证", "foreignpermanent", "foreignpermanentresidentcard",
    ),
}  # fmt: skip

WIDTHS = (14, 16, 20, 24, 12, 26, 14, 18)

_IGNORED = re.compile(r"[\s*_\-.:/]+|\(.*?\)|\[.*?\]")
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)(?!\d)")
_BIRTHDAY = re.compile(r"((?:19|20)\d\d)[01]\d[0-3]\d")
_SHORTENED = re.compile(r"\d(?:\.\d+)?[eE]\+?\d+")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def read_people(content: bytes) -> list[tuple[int, dict[str, str]]]:
    """Read the people of a file: for each the row's number, and fact → text of the cell, without empty cells.

    Raises DomainError on the field `file`.
    """
    rows = spreadsheets.read(content)
    columns, first_index = _find_headings(rows)
    people = []
    for number, cells in rows[first_index:]:
        texts = {fact: cells[column] for fact, column in columns.items() if column < len(cells) and cells[column]}
        if texts:
            people.append((number, texts))
    if not people:
        raise _refused("no_rows", N_("There are no people in the file."))
    if len(people) > MAX_PEOPLE:
        raise _refused("too_many_rows", N_("A file may contain at most 1,000 people. Split the file."))
    return people


def make_template(title: str, notes: Sequence[tuple[str, str]], *, chinese: bool) -> exports.Sheet:
    """An empty spreadsheet with its headings and, above them, the notes on how to fill it in."""
    return exports.Sheet(title, headings(chinese=chinese), (), preamble=notes, widths=WIDTHS)


def make_rejected(
    title: str, extra_headings: tuple[str, str], rows: Iterable[tuple[int, str, Mapping[str, str]]], *, chinese: bool
) -> exports.Sheet:
    """The rejected rows as they were sent, each with its number and the reason, to be corrected and sent again."""
    cells = ([str(number), reason, *(texts.get(fact) for fact in HEADINGS)] for number, reason, texts in rows)
    return exports.Sheet(title, [*extra_headings, *headings(chinese=chinese)], cells, widths=(8, 40, *WIDTHS))


def headings(*, chinese: bool) -> list[str]:
    """The headings of the template in one language."""
    return [in_chinese if chinese else in_english for in_chinese, in_english, _others in HEADINGS.values()]


def _find_headings(rows: spreadsheets.Rows) -> tuple[dict[str, int], int]:
    """The columns of the facts, and the index of the first row below the headings."""
    for first_index, (_number, cells) in enumerate(rows[:HEADING_ROWS], 1):
        columns = _columns(cells)
        if "name" in columns and ("phone" in columns or "id_number" in columns):
            return columns, first_index
    raise _refused(
        "no_headings",
        N_("No headings were found. The file needs columns for the name and the phone; use the template."),
    )


def _columns(cells: Sequence[str]) -> dict[str, int]:
    columns: dict[str, int] = {}
    for column, cell in enumerate(cells):
        fact = _FACT_BY_HEADING.get(_key(cell))
        if fact is not None:
            columns.setdefault(fact, column)
    return columns


def parse_facts(cells: Mapping[str, str]) -> TraineeFacts:
    """The facts of a person in a row, each parsed for itself; `trainees.validate` checks them together.

    Raises DomainError whose field is the fact that cannot be parsed.
    """
    number = spreadsheets.digits(cells.get("id_number", ""))
    if _SHORTENED.fullmatch(number):
        raise DomainError(
            "shortened",
            N_("Excel has shortened this number. Format the column as text and enter the number again."),
            field="id_number",
        )
    email = cells.get("email")
    if email and not _ADDRESS.fullmatch(email):
        raise DomainError("email_wrong", N_("This is not an e-mail address."), field="email")
    return TraineeFacts(
        name=cells.get("name", ""),
        phone=_phone(cells, "phone"),
        email=email,
        birth_year=_birth_year(cells.get("birth_year")),
        id_type=_id_type(cells.get("id_type")) if number else None,
        id_number=number or None,
        guardian_name=cells.get("guardian_name"),
        guardian_phone=_phone(cells, "guardian_phone"),
    )


def _phone(cells: Mapping[str, str], fact: str) -> str | None:
    text = spreadsheets.digits(cells.get(fact, ""))
    if not text:
        return None
    try:
        return normalise_phone(text)
    except ValueError:
        raise DomainError(
            "phone_wrong",
            N_("This is not a phone number. Enter 11 digits, or + and the country code for a foreign number."),
            field=fact,
        ) from None


def _birth_year(text: str | None) -> int | None:
    if not text:
        return None
    plain = spreadsheets.digits(text)
    match = _BIRTHDAY.fullmatch(plain) or _YEAR.search(plain)
    if match is None:
        raise DomainError(
            "birth_year_wrong", N_("Enter the year of birth as four digits, such as 1990."), field="birth_year"
        )
    return int(match[1])


def _id_type(text: str | None) -> IdType:
    if not text:
        return IdType.RESIDENT
    id_type = _ID_TYPE_BY_NAME.get(_key(text))
    if id_type is None:
        raise DomainError(
            "id_type_wrong", N_("This ID type is not known. Use one of those in the template."), field="id_type"
        )
    return id_type


def _key(text: str) -> str:
    """A heading or name in the form that is compared: for example "ID Type *" and "id-type" are both "idtype"."""
    return _IGNORED.sub("", unicodedata.normalize("NFKC", text).lower())


def _refused(code: str, message: str) -> DomainError:
    return DomainError(code, message, status=422, field="file")


_FACT_BY_HEADING = {
    _key(heading): fact
    for fact, (chinese, english, others) in HEADINGS.items()
    for heading in (chinese, english, *others)
}
_ID_TYPE_BY_NAME = {_key(name): id_type for id_type, names in ID_TYPE_NAMES.items() for name in (*names, id_type.value)}
