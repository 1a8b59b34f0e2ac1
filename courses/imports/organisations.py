"""Organisations from a file. One is known by its Chinese name within its district, compared by letters and digits."""

from collections.abc import Callable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.imports import cells, simple
from courses.imports.kinds import Column, Context, register, word
from courses.imports.simple import Cells, Districts, Fact, Part, Simple, sql
from courses.models.imports import ImportRun
from lms.core.errors import N_
from lms.organisations.models import Organisation, Sector

COLUMNS = (
    Column("name_zh", "名称", "name", ("单位名称", "组织单位", "组织名称", "主办单位", "organisation"), True, "东华门街道红十字会"),
    Column("district", "区", "district", ("区县", "所属区"), True, "东城区"),
    Column("sector", "领域", "sector", ("类别", "类型", "六进", "所属领域"), True, "社区"),
    Column("name_en", "英文名称", "English name", ("英文名",), False, "Donghuamen Red Cross"),
)  # fmt: skip
_SECTORS = cells.table(
    {
        Sector.RED_CROSS: ("red_cross", "红十字会", "红十字组织", "基层红十字会", "red cross body"),
        Sector.COMMUNITY: ("community", "社区", "进社区"),
        Sector.VILLAGE: ("village", "农村", "乡村", "村", "进农村"),
        Sector.SCHOOL: ("school", "学校", "进学校"),
        Sector.ENTERPRISE: ("enterprise", "企业", "进企业"),
        Sector.OFFICE: ("office", "机关", "进机关", "government office"),
        Sector.FAMILY: ("family", "家庭", "进家庭", "families"),
    }
)
_KNOWN = sql(
    "UPDATE import_line AS line SET outcome = 'known' FROM held"
    " WHERE {part} AND line.outcome = 'new' AND line.made_id IS NULL AND line.key = held.key"
)
_NUMBER = sql(
    "UPDATE import_line AS line SET made_id = nextval(pg_get_serial_sequence('organisation', 'id'))"
    " WHERE {part} AND line.made_id IS NULL"
)
_WRITE = sql(
    "INSERT INTO organisation (id, district_id, name_zh, name_en, sector, active)"
    " SELECT made_id, CAST(facts->>'district_id' AS smallint), facts->>'name_zh', facts->>'name_en', facts->>'sector', true"
    " FROM import_line AS line WHERE {part} ORDER BY line.line"
)
_AUDIT = sql(
    "INSERT INTO audit_entry (at, user_id, action, subject, after)"
    " SELECT CAST(:now AS timestamptz), CAST(:user AS bigint), 'organisation.add', 'organisation:' || made_id, facts"
    " FROM import_line AS line WHERE {part} ORDER BY line.line"
)


class Organisations(Simple):
    """The kind."""

    name = "organisations"
    title = N_("Organisations")
    hint = N_("One row for each organisation that hosts training. One that its district has already stays as it is.")
    columns = COLUMNS
    reasons = {"double": N_("Line %(line)s names the same organisation.")}  # noqa: RUF012  # read only

    def reader(self, db: Session, run: ImportRun, context: Context) -> Callable[[Cells], Fact]:  # noqa: ARG002  # the engine's form
        """Name, district and sector."""
        districts = Districts(db, run)

        def read(given: Cells) -> Fact:
            district = districts.find(given["district"])
            sector = cells.named(given["sector"], _SECTORS, "sector", N_("There is no sector “%(text)s”."))
            if not word(given["name_zh"]):
                raise cells.refused("organisation_name", N_("“%(text)s” is no name."), text=given["name_zh"])
            facts = {
                "name_zh": given["name_zh"],
                "name_en": given.get("name_en") or None,
                "district_id": district,
                "sector": sector.value,
            }
            return Fact(facts, _key(district, given["name_zh"]))

        return read

    def judge(self, db: Session, part: Part) -> None:
        """Known are those of the register, active or not."""
        rows = db.execute(select(Organisation.district_id, Organisation.name_zh, Organisation.id))
        simple.keys(db, "held", ((_key(district, name), one) for district, name, one in rows))
        simple.run_part(db, _KNOWN, part)
        simple.drop(db, "held")

    def write(self, db: Session, part: Part) -> None:
        """Into the register."""
        for statement in (_NUMBER, _WRITE, _AUDIT):
            simple.run_part(db, statement, part)

    def take_back(self, db: Session, part: Part, step: str) -> tuple[int, Sequence[str]]:  # noqa: ARG002  # the engine's form
        """Those that nothing refers to and nobody has changed."""
        made = "organisation JOIN import_line AS line ON line.made_id = organisation.id AND {part}"
        same = (
            "(organisation.name_zh, organisation.name_en, organisation.sector, organisation.district_id)"
            " IS NOT DISTINCT FROM"
            " (facts->>'name_zh', facts->>'name_en', facts->>'sector', CAST(facts->>'district_id' AS smallint))"
            " AND organisation.active"
        )
        free = f"{same} AND NOT {simple.referred(Organisation)}"
        return simple.remove(db, part, "organisation", made, free, "organisation.name_zh")


def _key(district: int, name: str) -> str:
    return f"{district}:{word(name)}"


ORGANISATIONS = Organisations()
register(ORGANISATIONS)
