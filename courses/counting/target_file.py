"""Targets in a spreadsheet: read so that the page can show them before they are saved.

A row has a district or a sector, a programme, and a number. The file that the page of targets sends out is read back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from courses.counting.targets import LARGEST_TARGET, Place, SectorKey, TargetKey
from courses.models.catalogue import Programme
from lms.core import headings, spreadsheets
from lms.core.cell_text import is_empty
from lms.core.errors import N_, DomainError
from lms.core.headings import normalised
from lms.organisations.models import District, Sector

PROGRAMME = ("培训项目", "项目", "programme")
TARGET = ("目标", "年度目标", "任务数", "target")
DISTRICT = ("区", "区县", "district")
SECTOR = ("领域", "六进", "sector")
SECTOR_NAMES: Mapping[Sector, tuple[str, ...]] = {
    Sector.RED_CROSS: ("红十字会", "红十字组织", "Red Cross body"),
    Sector.COMMUNITY: ("社区", "进社区", "Community"),
    Sector.VILLAGE: ("农村", "乡村", "进农村", "Village"),
    Sector.SCHOOL: ("学校", "进学校", "School"),
    Sector.ENTERPRISE: ("企业", "进企业", "Enterprise"),
    Sector.OFFICE: ("机关", "进机关", "Government office"),
    Sector.FAMILY: ("家庭", "进家庭", "Families"),
}
TOTALS = frozenset(map(normalised, ("合计", "总计", "全市", "Total", "Whole branch")))
_KNOWN = frozenset(map(normalised, (*PROGRAMME, *TARGET, *DISTRICT, *SECTOR)))


@dataclass(frozen=True)
class RowError:
    """A row that cannot be read: its number, a msgid and its parameters."""

    line: int
    message: str
    params: Mapping[str, str]


@dataclass
class TargetFile:
    """The targets of a file by district and by sector, and the rows that cannot be read."""

    districts: dict[TargetKey, int] = field(default_factory=dict)
    sectors: dict[SectorKey, int] = field(default_factory=dict)
    errors: list[RowError] = field(default_factory=list)

    @property
    def number(self) -> int:
        """How many targets the file sets."""
        return len(self.districts) + len(self.sectors)


def read(content: bytes, programmes: Iterable[Programme], districts: Iterable[District]) -> TargetFile:
    """Read a spreadsheet of targets. Raises DomainError on the field `file` where it holds no table of targets."""
    rows = list(spreadsheets.rows(content, known=_KNOWN))
    heading = headings.find(rows, _KNOWN)
    columns = {} if heading is None else _columns(heading.texts)
    if heading is None or not {"programme", "target"} <= set(columns) or not {"district", "sector"} & set(columns):
        raise DomainError(
            "target_headings",
            N_("The file needs the headings district or sector, programme, and target. Take the file of this page."),
            field="file",
            status=422,
        )
    codes = {
        normalised(name): programme.code
        for programme in programmes
        for name in (programme.code, programme.short_code, programme.name_zh, programme.name_en)
    }
    places: dict[str, int] = {
        normalised(name): district.id
        for district in districts
        for name in (district.code, district.name_zh, district.name_zh.removesuffix("区"), district.name_en)
    }
    sectors = {normalised(name): sector for sector, names in SECTOR_NAMES.items() for name in (*names, sector.value)}
    found = TargetFile()
    for line, cells in rows:
        if line > heading.line:
            row = {name: cells[at].strip() if at < len(cells) else "" for name, at in columns.items()}
            try:
                _enter(found, row, codes, places, sectors)
            except DomainError as error:
                found.errors.append(
                    RowError(line, error.message, {key: str(value) for key, value in error.params.items()})
                )
    return found


def _columns(texts: Sequence[str]) -> dict[str, int]:
    names = {"programme": PROGRAMME, "target": TARGET, "district": DISTRICT, "sector": SECTOR}
    found: dict[str, int] = {}
    for at, text in enumerate(texts):
        for name, headed in names.items():
            if normalised(text) in set(map(normalised, headed)):
                found.setdefault(name, at)
    return found


def _enter(
    found: TargetFile,
    row: Mapping[str, str],
    codes: Mapping[str, str],
    places: Mapping[str, int],
    sectors: Mapping[str, Sector],
) -> None:
    """Add a row to the targets. Rows of totals, and rows without a number, set no target. Raises DomainError."""
    district, sector = normalised(row.get("district", "")), normalised(row.get("sector", ""))
    if is_empty(row["target"]) or {district, sector} & TOTALS:
        return
    code = codes.get(normalised(row["programme"]))
    if code is None:
        raise DomainError("programme", N_("There is no programme “%(text)s”."), text=row["programme"])
    number = _number(row["target"])
    if district and sector:
        raise DomainError("target_place", N_("A row has a district or a sector, not both."))
    if district:
        if district not in places:
            raise DomainError("district", N_("There is no district “%(text)s”."), text=row["district"])
        _once(found.districts, (code, places[district]), number)
    elif sector in sectors:
        _once(found.sectors, (code, sectors[sector]), number)
    else:
        raise DomainError("sector", N_("There is no sector “%(text)s”."), text=row.get("sector", ""))


def _once(targets: dict[Place, int], place: Place, number: int) -> None:
    if targets.setdefault(place, number) != number:
        raise DomainError("target_twice", N_("An earlier row has another target for the same place and programme."))


def _number(text: str) -> int:
    digits = spreadsheets.digits(text).replace(",", "").removesuffix(".0")
    if not digits.isdecimal() or not 1 <= int(digits) <= LARGEST_TARGET:
        raise DomainError(
            "target_number", N_("“%(text)s” is no whole number from 1 to %(most)s."), text=text, most=LARGEST_TARGET
        )
    return int(digits)
