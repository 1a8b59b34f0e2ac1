"""The columns of this package that are sealed with the field key."""

from certificates.models import LEGACY_ID_NUMBER_COLUMN
from lms.core.sealed_columns import SealedColumn, SealedFact, register

register(
    SealedColumn("legacy_certificate", "id_number_sealed", LEGACY_ID_NUMBER_COLUMN, index="id_number_index"),
    SealedFact("import_line", "facts", "id_number_sealed", LEGACY_ID_NUMBER_COLUMN, index="id_number_index"),
)
