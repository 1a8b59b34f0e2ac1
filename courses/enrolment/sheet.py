"""The spreadsheet of people: its template, its headings in both languages, what its cells mean, and what is sent back."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from courses.enrolment.trainees import TraineeFacts
from courses.models.trainees import IdType
from lms.core import exports, spreadsheets
from lms.core.errors import N_, DomainError
from lms.core.phones import normalise_phone

PEOPLE = 1000
HEADING_WITHIN = 15

# Fact → its heading in the template (Chinese, English) and what else people write.
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
ID_TYPES: Mapping[IdType, tuple[str, ...]] = {
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

_NOISE = re.compile(r"[\s*_\-.:/]+|\(.*?\)|\[.*?\]")
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)(?!\d)")
_BIRTHDAY = re.compile(r"((?:19|20)\d\d)[01]\d[0-3]\d")
_SHORTENED = re.compile(r"\d(?:\.\d+)?[eE]\+?\d+")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def people(content: bytes) -> list[tuple[int, dict[str, str]]]:
    """The people in a file: line number, and fact → text. Raises DomainError on the field `file`."""
    rows = spreadsheets.read(content)
    columns, below = _heading(rows)
    found = []
    for number, cells in rows[below:]:
        texts = {fact: cells[column] for fact, column in columns.items() if column < len(cells) and cells[column]}
        if texts:
            found.append((number, texts))
    if not found:
        raise _refused("no_rows", N_("There are no people in the file."))
    if len(found) > PEOPLE:
        raise _refused("too_many_rows", N_("A file may hold 1,000 people. Split it."))
    return found


def template(title: str, notes: Sequence[tuple[str, str]], *, chinese: bool) -> exports.Sheet:
    """An empty list with its headings and, above them, how to fill it in."""
    return exports.Sheet(title, headings(chinese=chinese), (), preamble=notes, widths=WIDTHS)


def rejected(
    title: str, extra: tuple[str, str], rows: Iterable[tuple[int, str, Mapping[str, str]]], *, chinese: bool
) -> exports.Sheet:
    """The rows that did not go in, as they were sent, each with its line number and the reason; to be mended and sent again."""
    cells = ([str(number), reason, *(texts.get(fact) for fact in HEADINGS)] for number, reason, texts in rows)
    return exports.Sheet(title, [*extra, *headings(chinese=chinese)], cells, widths=(8, 40, *WIDTHS))


def headings(*, chinese: bool) -> list[str]:
    """The headings of the template."""
    return [in_chinese if chinese else in_english for in_chinese, in_english, _others in HEADINGS.values()]


def _heading(rows: spreadsheets.Rows) -> tuple[dict[str, int], int]:
    """Fact → column, and where the rows below the heading begin; a title may stand above it."""
    for below, (_number, cells) in enumerate(rows[:HEADING_WITHIN], 1):
        columns = _columns(cells)
        if "name" in columns and ("phone" in columns or "id_number" in columns):
            return columns, below
    raise _refused(
        "no_headings",
        N_("No headings were found. The file needs columns for the name and the phone; use the template."),
    )


def _columns(cells: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for column, cell in enumerate(cells):
        fact = _FACT_OF.get(_key(cell))
        if fact is not None:
            found.setdefault(fact, column)
    return found


def facts_of(cells: Mapping[str, str]) -> TraineeFacts:
    """What a row says of a person; not yet checked as a whole. Raises DomainError naming the fact at fault."""
    number = spreadsheets.digits(cells.get("id_number", ""))
    if _SHORTENED.fullmatch(number):
        raise DomainError(
            "shortened",
            N_("Excel has shortened this number. Make the column “text” and enter it again."),
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
            N_("This is not a phone number. Give 11 digits, or + and the country code for a foreign one."),
            field=fact,
        ) from None


def _birth_year(text: str | None) -> int | None:
    if not text:
        return None
    plain = spreadsheets.digits(text)
    found = _BIRTHDAY.fullmatch(plain) or _YEAR.search(plain)
    if found is None:
        raise DomainError(
            "birth_year_wrong", N_("Give the year of birth as four digits, as in 1990."), field="birth_year"
        )
    return int(found[1])


def _id_type(text: str | None) -> IdType:
    if not text:
        return IdType.RESIDENT
    found = _TYPE_OF.get(_key(text))
    if found is None:
        raise DomainError(
            "id_type_wrong", N_("This ID type is not known. Use one of those in the template."), field="id_type"
        )
    return found


def _key(text: str) -> str:
    return _NOISE.sub("", unicodedata.normalize("NFKC", text).lower())


def _refused(code: str, message: str) -> DomainError:
    return DomainError(code, message, status=422, field="file")


_FACT_OF = {
    _key(word): fact for fact, (chinese, english, others) in HEADINGS.items() for word in (chinese, english, *others)
}
_TYPE_OF = {_key(word): id_type for id_type, words in ID_TYPES.items() for word in (*words, id_type.value)}
