"""The columns of this package that are sealed with the field key."""

from lms.core.messages.owing import COLUMN, EARLIER, EARLIER_COLUMN
from lms.core.sealed_columns import SealedColumn, register

register(
    SealedColumn("message", "content", COLUMN, where=f"purpose <> '{EARLIER.code}'"),
    SealedColumn("message", "content", EARLIER_COLUMN, where=f"purpose = '{EARLIER.code}'"),
)
