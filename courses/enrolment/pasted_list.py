"""A list of people pasted as text: a 接龙 of WeChat, lines of a message, or cells of a spreadsheet.

Each line is a row. A phone, an ID number, an e-mail address and a year of birth are recognised by what they are; the name
is what remains. What remains beyond a name is not guessed at: the row is refused and shows what was not understood.

    #接龙
    急救培训报名
    例 姓名 手机

    1. 王小明 13800138000
    2、李雷，13900139000，110101199003070134
"""

import re
import unicodedata
from dataclasses import dataclass, field

from courses.enrolment import sheet, sheet_notes
from courses.enrolment.sheet import Column, ListRow, Note, SheetPeople
from lms.core import headings, sheet_csv, spreadsheets
from lms.core.names import clean

MAX_CHARACTERS = 100_000
UNKEPT = 10  # texts that are named because they are not kept

_FULL_WIDTH = {0xFF01 + offset: 0x21 + offset for offset in range(94)} | {0x3000: " ", 0x20E3: None, 0xFE0F: None}
_NUMBERED = re.compile(
    r"(?:第|No\.?|[#*])?\s*\d{1,4}\s*(?:[.、:)\]】,。;]|号|位(?!置))\s*"
    r"|(?:No\.?\s*)?\d{1,3}\s+(?!\d{4}[ -]\d{4})(?=\S)"
    r"|\d{1,3}(?=[\u3400-\u9fff])"
    r"|[(【\[]\s*\d{1,3}\s*[)】\]]\s*"
    r"|[①-⑳⑴-⒇⒈-⒛㉑-㉟]\s*",
    re.IGNORECASE,
)
_SLOT = re.compile(r"\s*(?:第|No\.?)?\s*(?:\d{1,4}|[①-⑳])\s*[.、:)\]】,。]?\s*", re.IGNORECASE)
_BULLET = re.compile(r"^[\s\-*•●○◆▪·–—]+(?=\S)")
_HEADER = re.compile(
    r"\s*(?:#|接龙|例|示例|样例|格式|说明|注意|请|报名|主题|时间|地点|e\.?g\.?\b|example|group)", re.IGNORECASE
)
_CLOCK = re.compile(r"(?<!\d)\d{1,2}:\d{2}(?!\d)|\d{1,2}月\d{1,2}[日号]")
_GUARDIAN = re.compile(r"(?:监护人|家长|父亲|母亲|爸爸|妈妈|guardian|parent)\s*(?:姓名)?\s*[:：]?", re.IGNORECASE)
_PLUS_BETWEEN = re.compile(r"(?<=\w)\+(?=1[3-9]\d{9}(?!\d))")  # "王小明+13800138000" means no number of America
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_LABELLED_DOCUMENT = re.compile(
    r"(护照|港澳(?:居民来往内地)?通行证|回乡证|台胞证|台湾(?:居民来往大陆)?通行证|(?:外国人)?永久居留(?:身份)?证|passport)"
    r"(?:号码?|no\.?)?\s*:?\s*([A-Za-z]{0,3}\d[A-Za-z0-9]{4,14})",
    re.IGNORECASE,
)
_RESIDENT = re.compile(r"(?<![A-Za-z\d])(?:\d{6}[ -]?\d{8}[ -]?\d{3}[\dXx]|\d{15})(?![A-Za-z\d])")
_DOCUMENT = re.compile(r"(?<![A-Za-z\d])(?:[A-GI-LN-Z]\d{8}|[A-Z]{2}\d{7})(?![A-Za-z\d])", re.IGNORECASE)
_HK_MACAU = re.compile(r"(?<![A-Za-z\d])[HM]\d{8}(?:\d\d)?(?![A-Za-z\d])", re.IGNORECASE)
_PHONE = re.compile(
    r"(?<![\d+])(?:(?:\+|00)?86[- ]?)?1[3-9]\d[- .]?\d{4}[- .]?\d{4}(?:\.0+)?(?!\d)"
    r"|\+\d{1,3}[- ]?\d(?:[- ]?\d){5,12}(?!\d)"
)
_SHORTENED = re.compile(r"(?<!\d)\d\.\d+E\+\d+(?!\d)", re.IGNORECASE)
_BORN = re.compile(
    r"(?<![\d-])(?:19|20)\d\d(?:[年./-]\d{1,2}(?:[月./-]\d{1,2}[日号]?|月)?|年|[01]\d(?:[0-3]\d)?)?(?:出生|生)?(?![\d-])"
)
_LABEL = re.compile(
    r"(?:学员)?(?:姓名|名字|手机号码?|手机|联系电话|电话号码|电话|联系方式|居民身份证号?码?|身份证号?码?|身份证|证件号码?"
    r"|出生年[份月]?|出生日期|生日|电子邮箱|邮箱|微信号?|备注"
    r"|\bname\b|\bphone\b|\bmobile\b|\btel\b|\bid(?: number)?\b|\be-?mail\b)\s*:?",
    re.IGNORECASE,
)
_SEX_OR_AGE = re.compile(r"(?:性别\s*:?\s*)?(?:男|女)(?:士|生|性)?|(?:年龄\s*:?\s*)?\d{1,2}\s*岁")
_PARTS = re.compile(r"[\s,;|/\\、，；。()\[\]【】<>《》“”\"]+")
_CELL_PARTS = re.compile(r"\t+")
_HAN = re.compile(r"[\u3007\u3400-\u9fff\U00020000-\U000323af]+(?:[·•‧・.][\u3400-\u9fff\U00020000-\U000323af]+)*")
_SYMBOLS = frozenset({"So", "Sk", "Sm", "Sc", "Cn", "Cf", "Cc"})
_EDGES = " -–—_~·•*+=:：.,!！?？'’`"


@dataclass
class _Line:
    """A line as far as it was read."""

    number: int
    text: str
    numbered: bool
    cells: dict[str, list[str]] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    unkept: list[str] = field(default_factory=list)


def read(text: str) -> SheetPeople:
    """The people of a pasted list; the numbers of their rows are those of the lines.

    A table with headings is read as a spreadsheet is. Raises DomainError on the field `text`.
    """
    table = headings.find(_table_head(text), sheet.KNOWN)
    if table is not None and sheet.is_enough(table.texts):
        return sheet.people_of(spreadsheets.read(text.encode("utf-8"), known=sheet.KNOWN))
    lines = [_read_line(number, content) for number, content in enumerate(text.splitlines(), 1) if content.strip()]
    begun = not any(line.numbered for line in lines)
    people: list[ListRow] = []
    notes: list[Note] = []
    unkept: dict[str, None] = {}
    lines_of_row: list[_Line] = []  # those of the last row
    for line in lines:
        begun = begun or line.numbered
        cells = _cells_of(line)
        if not line.text or (not cells and not line.unread):
            if line.text and not line.numbered:
                notes.append(Note(line.number, {}, line.text))
        elif people and _continues(line, cells, lines_of_row):
            people[-1] = people[-1]._replace(cells=_in_order(people[-1].cells | cells))
            lines_of_row.append(line)
            unkept |= dict.fromkeys(line.unkept)
        elif _is_note(line, cells, begun=begun):
            notes.append(Note(line.number, cells, line.text))
        else:
            lines_of_row = [line]
            people.append(ListRow(line.number, cells, " ".join(line.unread)))
            unkept |= dict.fromkeys(line.unkept)
    columns = [Column("", text) for text in unkept][:UNKEPT]
    return sheet.check_size(SheetPeople(people, notes, columns))


def _table_head(text: str) -> spreadsheets.Rows:
    """The first rows of a text, if it is a table whose columns are parted by one of the usual characters."""
    head = "\n".join(text.splitlines()[:40])
    delimiter = sheet_csv.delimiter_of(head, sheet.KNOWN)
    return [(number, line.split(delimiter)) for number, line in enumerate(head.splitlines(), 1) if line.strip()]


def _read_line(number: int, content: str) -> _Line:
    text = content.translate(_FULL_WIDTH).strip()
    is_example = _HEADER.match(text) is not None
    match = None if is_example else _NUMBERED.match(text)
    if _SLOT.fullmatch(text):
        return _Line(number, "", numbered=True)
    body = text[match.end() :] if match else _BULLET.sub("", text)
    line = _Line(number, content.strip()[:200], numbered=match is not None)
    own, guardian_label, guardian = _divided(body)
    rest = _take(line, own, "")
    if guardian_label:
        rest_of_guardian = _take(line, guardian, "guardian_")
        _name(line, rest_of_guardian, "guardian_name")
    _name(line, rest, "name")
    return line


def _divided(body: str) -> tuple[str, str, str]:
    """A line up to the label of a guardian, the label, and what follows it."""
    match = _GUARDIAN.search(body)
    if match is None or not body[: match.start()].strip():
        return body, "", ""
    return body[: match.start()], match[0], body[match.end() :]


def _take(line: _Line, text: str, whose: str) -> str:
    """Take out of a text what is recognised by what it is, and return the rest."""

    def taken(fact: str, pattern: re.Pattern[str], rest: str) -> str:
        for match in pattern.finditer(rest):
            line.cells.setdefault(fact, []).append(match[0])
        return pattern.sub("\t" if "\t" in rest else " ; ", rest)

    text = taken("email", _EMAIL, _PLUS_BETWEEN.sub(" ", text))
    for match in _LABELLED_DOCUMENT.finditer(text):
        line.cells.setdefault("id_type", []).append(match[1])
        line.cells.setdefault("id_number", []).append(match[2])
    text = _LABELLED_DOCUMENT.sub(" ; ", text)
    text = taken("id_number", _RESIDENT, text)
    for id_type, pattern in (("护照", _DOCUMENT), ("港澳居民来往内地通行证", _HK_MACAU)):
        if pattern.search(text):
            line.cells.setdefault("id_type", []).append(id_type)
            text = taken("id_number", pattern, text)
    text = taken(f"{whose}phone", _PHONE, text)
    text = taken(f"{whose}phone", _SHORTENED, text)
    return taken("birth_year", _BORN, text)


def _name(line: _Line, text: str, fact: str) -> None:
    """Read the name that is left of a text. What is left beside it was not understood."""
    text = _LABEL.sub("\t" if "\t" in text else " ; ", text)
    parts = []
    for piece in (_CELL_PARTS if "\t" in text else _PARTS).split(text):
        part = _without_symbols(piece)
        if part and _SEX_OR_AGE.fullmatch(part):
            line.unkept.append(part)
        elif part:
            parts.append(part)
    names = [part for part in parts if not any(map(str.isdecimal, part))]
    line.unread += [part for part in parts if part not in names]
    if all(part.isascii() or not _HAN.search(part) for part in names):
        names = [" ".join(names)] if names else []
    elif all(len(part) == 1 for part in names) or (len(names) == 2 and len(names[0]) == 1 and len(names[1]) <= 2):
        names = ["".join(names)]
    if names:
        line.cells[fact] = [names[0]]
        line.unread += names[1:]


def _without_symbols(piece: str) -> str:
    """A part of a line without emoji and other signs, and without what parts it from the next."""
    kept = "".join(" " if unicodedata.category(character) in _SYMBOLS else character for character in clean(piece))
    return " ".join(kept.split()).strip(_EDGES)


def _cells_of(line: _Line) -> dict[str, str]:
    return _in_order({fact: " / ".join(texts) for fact, texts in line.cells.items()})


def _in_order(cells: dict[str, str]) -> dict[str, str]:
    return {fact: cells[fact] for fact in sheet.HEADINGS if fact in cells}


def _continues(line: _Line, cells: dict[str, str], before: list[_Line]) -> bool:
    """Tell whether a line continues the row of the lines right before it, as where each fact has a line of its own.

    The number at the row's first line says so, or the label at the line's beginning ("手机：13800138000"). It brings only
    facts that the row lacks.
    """
    if line.numbered or line.unread or not before or before[-1].number != line.number - 1:
        return False
    has = {fact for earlier in before for fact in earlier.cells}
    if has & cells.keys() or any(earlier.unread for earlier in before):
        return False
    if _is_labelled(line) and "name" not in cells:
        return True
    return before[0].numbered and ("name" in has) != ("name" in cells)


def _is_labelled(line: _Line) -> bool:
    return _LABEL.match(line.text.translate(_FULL_WIDTH)) is not None


def _is_note(line: _Line, cells: dict[str, str], *, begun: bool) -> bool:
    """Tell whether a line is no person: the head of a 接龙, an example, the time of a message, a total."""
    if line.numbered:
        return False
    if _HEADER.match(line.text) or sheet_notes.is_labelled(line.text):
        return True
    if any(fact in cells for fact in ("phone", "id_number", "guardian_phone")):
        return False
    if not begun or "name" not in cells or _CLOCK.search(line.text):
        return True
    return sheet_notes.says_so(line.text) or (sheet_notes.is_sentence(line.text) and not _is_labelled(line))
