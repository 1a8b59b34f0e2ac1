"""The columns of this package that are sealed with the field key."""

from certificates.legacy.models import LEGACY_ID_NUMBER_COLUMN, LEGACY_PHONE_COLUMN
from certificates.verification.models import ANSWERS_COLUMN, ITEMS_COLUMN, SOURCE_COLUMN
from courses.models.trainees import ID_NUMBER_COLUMN, PHONE_COLUMN
from lms.core.sealed_columns import SealedColumn, SealedFact, register

_LEGACY = "legacy_certificate"
_PIECE = "(SELECT ref FROM list_check WHERE list_check.id = check_id) || ':' || number"

register(
    SealedColumn(
        _LEGACY, "id_number_sealed", LEGACY_ID_NUMBER_COLUMN, index="id_number_index", index_name=ID_NUMBER_COLUMN
    ),
    SealedColumn(_LEGACY, "phone_sealed", LEGACY_PHONE_COLUMN, index="phone_index", index_name=PHONE_COLUMN),
    SealedColumn("list_check", "source", SOURCE_COLUMN),
    SealedColumn("list_check_piece", "items", ITEMS_COLUMN, row=_PIECE, batch=20),
    SealedColumn("list_check_piece", "answers", ANSWERS_COLUMN, row=_PIECE, batch=20),
    SealedFact(
        "import_line",
        "facts",
        "id_number_sealed",
        LEGACY_ID_NUMBER_COLUMN,
        index="id_number_index",
        index_name=ID_NUMBER_COLUMN,
    ),
    SealedFact(
        "import_line",
        "facts",
        "holder_phone_sealed",
        LEGACY_PHONE_COLUMN,
        index="holder_phone_index",
        index_name=PHONE_COLUMN,
    ),
)
