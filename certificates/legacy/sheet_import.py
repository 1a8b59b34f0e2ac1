"""Import of legacy certificates from a spreadsheet.

Two numbers are the same if their letters and digits are: "京红救(2015)第00123号" equals "京红救 2015 第 00123 号".
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates.legacy import matching
from certificates.legacy.legacy import number_key
from certificates.legacy.models import LEGACY_ID_NUMBER_COLUMN, LEGACY_PHONE_COLUMN, LegacyCertificate
from courses.imports import cells, row_kind
from courses.imports.cells import refusal
from courses.imports.kinds import Column, ImportContext, normalised, register
from courses.imports.past_identity import CONVERTED, LEFT_OUT, REMARKS
from courses.imports.row_kind import Cells, LineRange, ParsedRow, RowKind, range_sql
from courses.models.catalogue import Programme
from courses.models.imports import ImportRun
from courses.models.trainees import ID_NUMBER_COLUMN, PHONE_COLUMN
from lms.core import cell_values, clock, crypto
from lms.core.cell_text import person_name
from lms.core.errors import N_, DomainError
from lms.core.names import norm

COLUMNS = (
    Column("number", "证书编号", "certificate number", ("编号", "证书号"), True, "京红救(2015)第00123号"),
    Column("name", "姓名", "name", ("持证人", "学员姓名"), True, "张三丰", literal=True),
    Column("id_type", "证件类型", "ID type", ("证件种类",), False, "身份证"),
    Column("id_number", "证件号码", "ID number", ("身份证号", "身份证号码", "证件号"), False, ""),
    Column("phone", "手机", "phone", ("手机号", "手机号码", "联系电话", "电话"), False, ""),
    Column("programme", "培训项目", "programme", ("项目",), True, "救护员培训"),
    Column("course", "证书类型", "type", ("课程", "course"), False, "救护员证"),
    Column("issued_on", "发证日期", "issue date", ("issued on",), True, "2015-06-01"),
    Column("valid_until", "有效期至", "valid until", ("有效期",), False, "2018-05-31"),
    Column("unit", "发证单位", "issuing unit", ("发证机构",), True, "东城区红十字会"),
)
NO_EXPIRY = {
    normalised(text)
    for text in ("长期", "长期有效", "永久", "永久有效", "永远", "不限", "无期限", "终身", "终身有效", "permanent")
}

# The condition that {key} is the number of a certificate of this system, written without its dashes.
OURS = (
    "{key} ~ ('^[A-Z]{1,8}' || short_code || '[0-9]{11,14}[0-9A-Z]$') AND certificate.number = regexp_replace({key},"
    " '^([A-Z]{1,8})(' || short_code || ')([0-9]{4})([0-9]{7,10})([0-9A-Z])$', '\\1-\\2-\\3-\\4-\\5')"
)
_OURS = range_sql(
    "UPDATE import_line AS line SET outcome = 'refused', code = 'ours' FROM programme, certificate"
    " WHERE {part} AND {ours}".replace("{ours}", OURS).replace("{key}", "line.key")
)
_KNOWN = range_sql(
    "UPDATE import_line AS line SET outcome = CASE WHEN held.name_key = facts->>'name_key' THEN 'known' ELSE 'refused' END,"
    " code = CASE WHEN held.name_key = facts->>'name_key' THEN NULL ELSE 'taken' END"
    " FROM legacy_certificate AS held WHERE {part} AND line.made_id IS NULL AND held.number_key = line.key"
)
_NUMBER = range_sql(
    "UPDATE import_line AS line SET made_id = nextval(pg_get_serial_sequence('legacy_certificate', 'id'))"
    " WHERE {part} AND line.made_id IS NULL"
)
_WRITE = range_sql(
    "INSERT INTO legacy_certificate (id, ref, number, number_key, name, name_key, id_type, id_number_sealed, id_number_index,"
    " phone_sealed, phone_index, programme_code, course, unit, issued_on, valid_until, source, imported_at)"
    " SELECT made_id, CAST(facts->>'ref' AS uuid), facts->>'number', key, facts->>'name', facts->>'name_key',"
    " facts->>'id_type', decode(facts->>'id_number_sealed', 'hex'), decode(facts->>'id_number_index', 'hex'),"
    " decode(facts->>'holder_phone_sealed', 'hex'), decode(facts->>'holder_phone_index', 'hex'),"
    " facts->>'programme_code', facts->>'course', facts->>'unit', CAST(facts->>'issued_on' AS date),"
    " CAST(facts->>'valid_until' AS date), CAST(:file AS text) || ':' || line.line, CAST(:now AS timestamptz)"
    " FROM import_line AS line WHERE {part} ORDER BY line.line"
)

# The condition that nothing was done with a certificate since its import.
UNUSED = (
    "legacy_certificate.revoked_at IS NULL AND legacy_certificate.superseded_by_id IS NULL"
    " AND legacy_certificate.matched_how IS DISTINCT FROM 'by_hand'"
)


class LegacyCertificates(RowKind):
    """The import kind. Legacy certificates belong to no district, so only the city may import them."""

    name = "legacy_certificates"
    title = N_("Legacy certificates")
    hint = N_(
        "One row for each certificate from before this system. After the import, it can be verified by number and "
        "holder, without a signed code. It becomes the certificate of the person with the same name and ID number, or with the"
        " same name and a proven phone."
    )
    columns = COLUMNS
    city_only = True
    remarks = {code: REMARKS[code] for code in (CONVERTED, LEFT_OUT)}  # noqa: RUF012  # read only
    reasons = {  # noqa: RUF012  # read only
        "double": N_("The number is already in line %(line)s."),
        "ours": N_("This number belongs to a certificate issued by this system."),
        "taken": N_("This number already belongs to another person's certificate."),
    }

    def row_reader(self, db: Session, run: ImportRun, context: ImportContext) -> Callable[[Cells], ParsedRow]:  # noqa: ARG002  # signature of RowKind
        """Return the function that turns a row into the facts of a certificate; the ID number is encrypted."""
        today = clock.today(context.zone)
        programmes = cells.lookup_table(
            {row.code: (row.code, row.short_code, row.name_zh, row.name_en) for row in db.scalars(select(Programme))}
        )

        def read(row: Cells) -> ParsedRow:
            if not any(letter.isdigit() for letter in row["number"]):
                raise refusal("number_digits", N_("The number contains no digits."))
            number = cell_values.certificate_number(row["number"])
            key = number_key(number)
            name = person_name(row["name"])
            if not norm(name):
                raise refusal("name_letters", N_("The name contains no letters."))
            issued_on = cells.parse_day(row["issued_on"])
            if not cells.EARLIEST <= issued_on <= today:
                raise refusal(
                    "issued_on",
                    N_("The certificate cannot have been issued on “%(text)s”."),
                    text=row["issued_on"],
                )
            ends = row.get("valid_until", "")
            valid_until = None if not ends or normalised(ends) in NO_EXPIRY else cells.parse_day(ends)
            if valid_until is not None and valid_until < issued_on:
                raise refusal("valid_until", N_("The last valid day is before the issue date."))
            identity, remark = _identity(row, today)
            phone, left_out = _phone(row, identity["ref"])
            facts = {
                "number": number,
                "name": name,
                "name_key": norm(name),
                "programme_code": cells.look_up(
                    row["programme"], programmes, "programme", N_("There is no programme “%(text)s”.")
                ),
                "course": row.get("course") or row["programme"],
                "unit": row["unit"],
                "issued_on": issued_on.isoformat(),
                "valid_until": valid_until and valid_until.isoformat(),
                **identity,
                **phone,
            }
            return ParsedRow(facts, key, LEFT_OUT, {"column": "phone"}) if left_out else ParsedRow(facts, key, remark)

        return read

    def classify(self, db: Session, part: LineRange) -> None:
        """Refuse numbers of this system and of other holders; a number of the same holder is known already."""
        for statement in (_OURS, _KNOWN):
            row_kind.execute(db, statement, part)

    def write(self, db: Session, part: LineRange) -> None:
        """Insert the certificates, each with the file and line that it came from, and find their holders."""
        row_kind.execute(db, _NUMBER, part)
        row_kind.execute(db, _WRITE, part, file=part.run.file_name)
        matching.match_lines(db, part)

    def undo_rows(self, db: Session, part: LineRange, step: str) -> tuple[int, Sequence[str]]:  # noqa: ARG002  # signature of RowKind
        """Remove the certificates, except those that were revoked or renewed since, which whoever verifies one must see, and
        those whose holder somebody has decided.
        """
        return row_kind.delete_unused(
            db,
            part,
            "legacy_certificate",
            "legacy_certificate JOIN import_line AS line ON line.made_id = legacy_certificate.id AND {part}",
            f"{UNUSED} AND NOT {row_kind.is_referenced(LegacyCertificate)}",
            "legacy_certificate.number",
        )


def _identity(row: Cells, today: date) -> tuple[dict[str, Any], str | None]:
    """Return the ID number, checked, encrypted and indexed, and the remark on it; only a new `ref` where the row has none."""
    ref = str(uuid4())
    number = row.get("id_number", "")
    identity = cells.parse_id_number(row.get("id_type", ""), number, today)
    if identity is None:
        return {"ref": ref}, None
    cipher = crypto.cipher()
    facts = {
        "ref": ref,
        "id_type": identity[0].value,
        "id_number_sealed": cipher.encrypt(LEGACY_ID_NUMBER_COLUMN, ref, identity[1]).hex(),
        "id_number_index": cipher.blind_index(ID_NUMBER_COLUMN, identity[1]).hex(),
    }
    return facts, CONVERTED if cells.is_converted(number, identity, today) else None


def _phone(row: Cells, ref: str) -> tuple[dict[str, str], bool]:
    """Return the phone, encrypted and indexed, and whether a wrong one was left out: nothing else depends on it."""
    try:
        phone = cells.parse_phone(row.get("phone", ""))
    except DomainError:
        return {}, True
    if phone is None:
        return {}, False
    cipher = crypto.cipher()
    return {
        "holder_phone_sealed": cipher.encrypt(LEGACY_PHONE_COLUMN, ref, phone).hex(),
        "holder_phone_index": cipher.blind_index(PHONE_COLUMN, phone).hex(),
    }, False


LEGACY_CERTIFICATES = LegacyCertificates()
register(LEGACY_CERTIFICATES)
