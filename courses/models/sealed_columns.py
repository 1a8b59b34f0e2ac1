"""The columns of this package that are sealed with the field key."""

from courses.models import (
    enrolment,
    exports,
    imports,
    merges,
    privacy,
    proposals,
    self_check_in,
    trainees,
    training_requests,
    walk_ins,
)
from instructors.models import PHONE_COLUMN as INSTRUCTOR_PHONE
from lms.core.crypto import token_uuid
from lms.core.sealed_columns import SealedColumn, SealedFact, register

# The reference of an enrolment: the first half of its ticket's hash, as `enrolment.binding_of` makes it.
_BINDING = "CAST(encode(substring(ticket_hash FROM 1 FOR 16), 'hex') AS uuid)"

register(
    SealedColumn("trainee", "phone_sealed", trainees.PHONE_COLUMN, index="phone_index"),
    SealedColumn("trainee", "email_sealed", trainees.EMAIL_COLUMN, index="email_index", indexed=str.lower),
    SealedColumn("trainee", "id_number_sealed", trainees.ID_NUMBER_COLUMN, index="id_number_index"),
    SealedColumn("trainee", "guardian_phone_sealed", trainees.GUARDIAN_PHONE_COLUMN),
    SealedColumn("enrolment", "ticket_sealed", enrolment.TICKET_COLUMN, row=_BINDING),
    SealedColumn("enrolment", "phone_sealed", enrolment.PHONE_COLUMN, row=_BINDING),
    SealedColumn("enrolment", "email_sealed", enrolment.EMAIL_COLUMN, row=_BINDING),
    SealedColumn(
        "enrolment_import",
        "content",
        enrolment.IMPORT_COLUMN,
        binding=lambda ref: str(token_uuid(ref)),
        batch=4,
    ),
    SealedColumn("walk_in", "phone_sealed", walk_ins.PHONE_COLUMN, row="id"),
    SealedColumn("proposal", "content", proposals.COLUMN),
    SealedColumn("trainee_merge", "former_sealed", merges.FORMER_COLUMN),
    SealedColumn("training_request", "content", training_requests.COLUMN),
    SealedColumn("consent", "guardian_sealed", privacy.GUARDIAN_COLUMN),
    SealedColumn("check_in_key", "key_sealed", self_check_in.KEY_COLUMN),
    SealedColumn(
        "export_chunk",
        "data",
        exports.CHUNK_COLUMN,
        row="(SELECT ref FROM export WHERE export.id = export_id) || ':' || number",
        batch=4,
    ),
    SealedColumn(
        "import_piece",
        "content",
        imports.PIECE_COLUMN,
        row="(SELECT ref FROM import_run WHERE import_run.id = run_id) || ':' || number",
        batch=4,
    ),
    SealedColumn("import_attendance", "phone_sealed", trainees.PHONE_COLUMN, index="phone_index"),
    SealedColumn("import_attendance", "id_number_sealed", trainees.ID_NUMBER_COLUMN, index="id_number_index"),
    SealedFact("import_line", "facts", "phone_sealed", INSTRUCTOR_PHONE, index="reached", prefixed=True),
)
