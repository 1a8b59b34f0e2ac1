"""The import kind of organisations, known by district and Chinese name, compared by letters and digits."""

from collections.abc import Callable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.imports import cells, row_kind
from courses.imports.kinds import Column, ImportContext, normalised, register
from courses.imports.row_kind import Cells, DistrictLookup, LineRange, ParsedRow, RowKind, range_sql
from courses.models.imports import ImportRun
from lms.core.errors import N_
from lms.organisations.models import Organisation, Sector

COLUMNS = (
    Column("name_zh", "名称", "name", ("单位名称", "组织单位", "组织名称", "主办单位", "organisation"), True, "东华门街道红十字会"),
    Column("district", "区", "district", ("区县", "所属区"), True, "东城区"),
    Column("sector", "领域", "sector", ("类别", "类型", "六进", "所属领域"), True, "社区"),
    Column("name_en", "英文名称", "English name", ("英文名",), False, "Donghuamen Red Cross"),
)  # fmt: skip
_SECTORS = cells.lookup_table(
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
_KNOWN = range_sql(
    "UPDATE import_line AS line SET outcome = 'known' FROM held"
    " WHERE {part} AND line.outcome = 'new' AND line.made_id IS NULL AND line.key = held.key"
)
_NUMBER = range_sql(
    "UPDATE import_line AS line SET made_id = nextval(pg_get_serial_sequence('organisation', 'id'))"
    " WHERE {part} AND line.made_id IS NULL"
)
_WRITE = range_sql(
    "INSERT INTO organisation (id, district_id, name_zh, name_en, sector, active)"
    " SELECT made_id, CAST(facts->>'district_id' AS smallint), facts->>'name_zh', facts->>'name_en', facts->>'sector', true"
    " FROM import_line AS line WHERE {part} ORDER BY line.line"
)
_AUDIT = range_sql(
    "INSERT INTO audit_entry (at, user_id, action, subject, after)"
    " SELECT CAST(:now AS timestamptz), CAST(:user AS bigint), 'organisation.add', 'organisation:' || made_id, facts"
    " FROM import_line AS line WHERE {part} ORDER BY line.line"
)


class OrganisationsKind(RowKind):
    """The import kind `organisations`."""

    name = "organisations"
    title = N_("Organisations")
    hint = N_(
        "One row for each organisation that hosts training. Organisations that the district already has do not change."
    )
    columns = COLUMNS
    reasons = {"double": N_("Line %(line)s names the same organisation.")}  # noqa: RUF012  # read only

    def row_reader(self, db: Session, run: ImportRun, context: ImportContext) -> Callable[[Cells], ParsedRow]:  # noqa: ARG002  # signature of RowKind
        """See `RowKind.row_reader`."""
        districts = DistrictLookup(db, run)

        def read(row: Cells) -> ParsedRow:
            district = districts.find(row["district"])
            sector = cells.look_up_word(row["sector"], _SECTORS, "sector", N_("There is no sector “%(text)s”."))
            if not normalised(row["name_zh"]):
                raise cells.refusal("organisation_name", N_("“%(text)s” is not a name."), text=row["name_zh"])
            facts = {
                "name_zh": row["name_zh"],
                "name_en": row.get("name_en") or None,
                "district_id": district,
                "sector": sector.value,
            }
            return ParsedRow(facts, _key(district, row["name_zh"]))

        return read

    def classify(self, db: Session, part: LineRange) -> None:
        """Mark the organisations that the register has, active or not."""
        rows = db.execute(select(Organisation.district_id, Organisation.name_zh, Organisation.id))
        row_kind.create_key_table(db, "held", ((_key(district, name), identity) for district, name, identity in rows))
        row_kind.execute(db, _KNOWN, part)
        row_kind.drop_tables(db, "held")

    def write(self, db: Session, part: LineRange) -> None:
        """Write the organisations to the register, with an audit entry each."""
        for statement in (_NUMBER, _WRITE, _AUDIT):
            row_kind.execute(db, statement, part)

    def undo_rows(self, db: Session, part: LineRange, step: str) -> tuple[int, Sequence[str]]:  # noqa: ARG002  # signature of RowKind
        """Remove the organisations that no other record refers to and that were not changed."""
        made = "organisation JOIN import_line AS line ON line.made_id = organisation.id AND {part}"
        same = (
            "(organisation.name_zh, organisation.name_en, organisation.sector, organisation.district_id)"
            " IS NOT DISTINCT FROM"
            " (facts->>'name_zh', facts->>'name_en', facts->>'sector', CAST(facts->>'district_id' AS smallint))"
            " AND organisation.active"
        )
        free = f"{same} AND NOT {row_kind.is_referenced(Organisation)}"
        return row_kind.delete_unused(db, part, "organisation", made, free, "organisation.name_zh")


def _key(district: int, name: str) -> str:
    return f"{district}:{normalised(name)}"


ORGANISATIONS = OrganisationsKind()
register(ORGANISATIONS)
