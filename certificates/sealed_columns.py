"""The columns of this package that are sealed with the field key."""

from certificates.models import LEGACY_ID_NUMBER_COLUMN
from certificates.verification.models import ANSWERS_COLUMN, ITEMS_COLUMN, SOURCE_COLUMN
from lms.core.sealed_columns import SealedColumn, SealedFact, register

_PIECE = "(SELECT ref FROM list_check WHERE list_check.id = check_id) || ':' || number"

register(
    SealedColumn("legacy_certificate", "id_number_sealed", LEGACY_ID_NUMBER_COLUMN, index="id_number_index"),
    SealedColumn("list_check", "source", SOURCE_COLUMN),
    SealedColumn("list_check_piece", "items", ITEMS_COLUMN, row=_PIECE, batch=20),
    SealedColumn("list_check_piece", "answers", ANSWERS_COLUMN, row=_PIECE, batch=20),
    SealedFact("import_line", "facts", "id_number_sealed", LEGACY_ID_NUMBER_COLUMN, index="id_number_index"),
)
