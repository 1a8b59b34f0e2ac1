"""Certificates named in imported rows of past trainings: stored as legacy certificates in the transaction that writes
the rows.

So the holder of such a certificate can have it verified. What the row does not say comes from its offering: the course
and the validity of its certificates, and the district's Red Cross as the issuing unit. A number that the same holder
has already stays unchanged. A row with a number of another holder is refused, because nobody can tell whose certificate
it is.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, func, select, text
from sqlalchemy.orm import Session

from certificates.issuing import last_valid_day
from certificates.legacy.legacy import number_key
from certificates.legacy.models import LEGACY_ID_NUMBER_COLUMN, LEGACY_PHONE_COLUMN, LegacyCertificate
from certificates.legacy.sheet_import import LEGACY_CERTIFICATES, OURS, UNUSED
from courses.imports import row_kind, staging
from courses.imports.past import PAST_TRAININGS, CertificateKeeper
from courses.imports.row_kind import LineRange
from courses.models.imports import ImportAttendance, ImportRun
from courses.models.trainees import ID_NUMBER_COLUMN, PHONE_COLUMN
from lms.core import clock, crypto

_UNIT = "红十字会"
_NAMED = text(
    "SELECT placed.line, placed.name, placed.name_key, placed.certificate, placed.issued_on, said.ref, said.id_type,"
    " said.id_number_sealed, said.phone_sealed, course.name_zh AS course, course.programme_code, course.validity_months,"
    " course.certificate_type, district.name_zh AS district"
    " FROM placed JOIN course ON course.id = placed.course_id JOIN district ON district.id = placed.district_id"
    " JOIN import_attendance AS said ON said.run_id = :run AND said.line = placed.line"
    " WHERE placed.certificate IS NOT NULL ORDER BY placed.line"
)
_PAPER = (
    "line", "ref", "number", "number_key", "name", "name_key", "id_type", "id_number_sealed", "id_number_index",
    "phone_sealed", "phone_index", "programme_code", "course", "certificate_type", "unit", "issued_on", "valid_until",
)  # fmt: skip
_TABLE = text(
    "CREATE TEMP TABLE paper (line integer, ref uuid, number text, number_key text, name text, name_key text, id_type text,"
    " id_number_sealed bytea, id_number_index bytea, phone_sealed bytea, phone_index bytea, programme_code text, course text,"
    " certificate_type smallint, unit text, issued_on date, valid_until date) ON COMMIT DROP"
)
_CLAIM = ("line", "number_key", "name_key", "person")
_CLAIMS = text("CREATE TEMP TABLE claim (line integer, number_key text, name_key text, person integer) ON COMMIT DROP")
_CLAIMED = text(
    "SELECT said.line, said.certificate, said.name_key, line.person FROM import_attendance AS said"
    " JOIN import_line AS line ON line.run_id = :run AND line.line = said.line AND line.outcome = 'new'"
    " AND line.line > :after AND line.line <= :until"
    " WHERE said.run_id = :run AND said.certificate IS NOT NULL AND said.line > :after AND said.line <= :until"
)
# OFFSET 0 makes PostgreSQL select the lines first; otherwise each chunk would read all rows of the file.
_CLAIMED_IN_CHUNK = text(
    "SELECT said.line, said.certificate, said.name_key, line.person FROM (SELECT line, person FROM import_line"
    " WHERE run_id = :run AND outcome = 'new' AND number BETWEEN :first AND :last OFFSET 0) AS line"
    " JOIN import_attendance AS said ON said.run_id = :run AND said.line = line.line AND said.certificate IS NOT NULL"
)
# Refused rows are deleted from `claim`, so that a row with a wrong number does not contest the number of its true holder.
_FAULTS = {
    "certificate_ours": text(
        "CREATE TEMP TABLE fault ON COMMIT DROP AS SELECT DISTINCT line, CAST(NULL AS jsonb) AS params"
        " FROM claim CROSS JOIN programme JOIN certificate ON {ours}".replace("{ours}", OURS).replace("{key}", "number_key")
    ),
    "certificate_taken": text(
        "CREATE TEMP TABLE fault ON COMMIT DROP AS SELECT line, CAST(NULL AS jsonb) AS params"
        " FROM claim JOIN legacy_certificate AS held USING (number_key) WHERE held.name_key <> claim.name_key"
    ),
    "certificate_twice": text(
        "CREATE TEMP TABLE fault ON COMMIT DROP AS WITH many AS MATERIALIZED (SELECT * FROM claim WHERE number_key IN"
        " (SELECT number_key FROM claim GROUP BY number_key HAVING count(DISTINCT person) > 1))"
        " SELECT line, jsonb_build_object('line', (SELECT min(other.line) FROM many AS other"
        " WHERE other.number_key = many.number_key AND other.person <> many.person)) AS params FROM many"
    ),
}  # fmt: skip
_REFUSE = text(
    "UPDATE import_line AS line SET outcome = 'refused', code = CAST(:code AS text), number = NULL, params = fault.params"
    " FROM fault WHERE line.run_id = :run AND line.line = fault.line"
)
_FORGET = text("DELETE FROM claim USING fault WHERE claim.line = fault.line")
BATCH = 50_000  # lines
# The person of the row holds the certificate, where the ID number agrees, or where a phone that only agrees was not typed by
# somebody else before: this import made the record, or the phone is proven.
_WRITE = text(
    "WITH own AS (SELECT placed.line, holder.id AS trainee_id, CASE WHEN said.id_number_index IS NOT NULL THEN 'id_number'"
    " ELSE 'name_and_phone' END AS how FROM placed"
    " JOIN import_attendance AS said ON said.run_id = :run AND said.line = placed.line"
    " JOIN import_line AS line ON line.run_id = :run AND line.line = placed.line"
    " JOIN import_person AS person ON person.run_id = :run AND person.line = line.person"
    " JOIN trainee AS holder ON holder.id = placed.trainee_id AND holder.name_key = placed.name_key"
    " WHERE placed.certificate IS NOT NULL AND CASE WHEN said.id_number_index IS NOT NULL"
    " THEN holder.id_type = said.id_type AND holder.id_number_index = said.id_number_index"
    " ELSE person.made OR holder.phone_proven_at IS NOT NULL AND holder.phone_index = said.phone_index END),"
    " fresh AS (INSERT INTO legacy_certificate (ref, number, number_key, name, name_key, id_type, id_number_sealed,"
    " id_number_index, phone_sealed, phone_index, programme_code, course, certificate_type, unit, issued_on, valid_until, source,"
    " imported_at, trainee_id, matched_how, matched_at)"
    " SELECT paper.ref, number, number_key, paper.name, paper.name_key, paper.id_type, paper.id_number_sealed,"
    " paper.id_number_index, paper.phone_sealed, paper.phone_index, programme_code, course, certificate_type, unit, issued_on,"
    " valid_until, CAST(:file AS text) || ':' || paper.line, CAST(:now AS timestamptz), own.trainee_id, own.how,"
    " CASE WHEN own.how IS NOT NULL THEN CAST(:now AS timestamptz) END"
    " FROM paper LEFT JOIN own ON own.line = paper.line ORDER BY paper.line"
    " ON CONFLICT (number_key) DO NOTHING RETURNING id, ref)"
    " UPDATE import_line AS line SET made_id = fresh.id FROM fresh JOIN paper ON paper.ref = fresh.ref"
    " WHERE line.run_id = :run AND line.line = paper.line"
)
_MADE = (
    "import_offering AS named JOIN concerned ON concerned.id = named.offering_id"
    " JOIN import_line AS line ON line.run_id = named.run_id AND line.number = named.number"
    " AND named.run_id = :run AND named.number > :first AND named.number <= :last"
    " JOIN legacy_certificate ON legacy_certificate.id = line.made_id"
)


class PastTrainingCertificates(CertificateKeeper):
    """Judges, writes and removes the certificates of past trainings, as the import of past trainings asks."""

    def refuse_conflicts(self, db: Session, run: ImportRun, first: int = 0, last: int | None = None) -> int:
        """Refuse rows whose number belongs to another holder, compared by name as in the import of legacy certificates."""
        if last is not None:
            row_kind.lock_kind(db, LEGACY_CERTIFICATES.name)  # until this chunk is written
        db.execute(_CLAIMS)
        if last is None:
            end = db.scalar(select(func.max(ImportAttendance.line)).where(ImportAttendance.run_id == run.id)) or 0
            for after in range(0, end, BATCH):
                _claim(db, db.execute(_CLAIMED, {"run": run.id, "after": after, "until": after + BATCH}).all())
        else:
            _claim(db, db.execute(_CLAIMED_IN_CHUNK, {"run": run.id, "first": first, "last": last}).all())
        db.execute(text("ANALYZE claim"))
        refused = 0
        for code, faults in _FAULTS.items():
            db.execute(faults)
            refused += db.execute(_REFUSE, {"run": run.id, "code": code}).rowcount  # type: ignore[attr-defined]
            db.execute(_FORGET)
            row_kind.drop_tables(db, "fault")
        row_kind.drop_tables(db, "claim")
        return refused

    def keep(self, db: Session, run: ImportRun) -> None:
        """Insert the certificates of the rows in `placed`."""
        rows = db.execute(_NAMED, {"run": run.id}).all()
        if not rows:
            return
        db.execute(_TABLE)
        staging.copy_lines(db, "paper", _PAPER, (staging.copy_line(_paper(row)) for row in rows))
        inserted = db.execute(_WRITE, {"run": run.id, "file": run.file_name, "now": clock.now()}).rowcount  # type: ignore[attr-defined]
        row_kind.drop_tables(db, "paper")
        run.tally = {**run.tally, "certificates": run.tally.get("certificates", 0) + inserted}

    def take_back(self, db: Session, run: ImportRun, first: int, last: int) -> Sequence[str]:
        """Remove the certificates of the offerings in `concerned`; return the numbers that stay because they were
        revoked, renewed or given to a person by hand.
        """
        free = f"{UNUSED} AND NOT {row_kind.is_referenced(LegacyCertificate)}"
        part = LineRange(run, first - 1, last)
        _removed, remaining = row_kind.delete_unused(
            db, part, "legacy_certificate", _MADE, free, "legacy_certificate.number"
        )
        return remaining


def _claim(db: Session, rows: Sequence[Row[Any]]) -> None:
    if not rows:
        return
    staging.copy_lines(
        db,
        "claim",
        _CLAIM,
        (
            staging.copy_line((str(row.line), number_key(row.certificate), row.name_key, str(row.person)))
            for row in rows
        ),
    )


def _paper(row: Row[Any]) -> Iterator[str | None]:
    ref, cipher = uuid4(), crypto.cipher()
    sealed = index = None
    if row.id_number_sealed is not None:
        number = cipher.decrypt(ID_NUMBER_COLUMN, row.ref, row.id_number_sealed)
        sealed = "\\x" + cipher.encrypt(LEGACY_ID_NUMBER_COLUMN, ref, number).hex()
        index = "\\x" + cipher.blind_index(ID_NUMBER_COLUMN, number).hex()
    phone_sealed = phone_index = None
    if (
        row.id_number_sealed is None and row.phone_sealed is not None
    ):  # without the other, the phone finds the holder later
        phone = cipher.decrypt(PHONE_COLUMN, row.ref, row.phone_sealed)
        phone_sealed = "\\x" + cipher.encrypt(LEGACY_PHONE_COLUMN, ref, phone).hex()
        phone_index = "\\x" + cipher.blind_index(PHONE_COLUMN, phone).hex()
    until = last_valid_day(row.issued_on, row.validity_months)
    yield from (str(row.line), str(ref), row.certificate, number_key(row.certificate), row.name, row.name_key)
    yield from (row.id_type, sealed, index, phone_sealed, phone_index, row.programme_code, row.course)
    yield from (None if row.certificate_type is None else str(row.certificate_type), row.district + _UNIT)
    yield from (row.issued_on.isoformat(), until.isoformat() if until is not None else None)


PAST_TRAININGS.certificate_keepers.append(PastTrainingCertificates())
