"""The columns of this package that are sealed with the field key."""

from instructors.models import EMAIL_COLUMN, PHONE_COLUMN
from lms.core.sealed_columns import SealedColumn, register

register(
    SealedColumn("instructor", "phone_sealed", PHONE_COLUMN),
    SealedColumn("instructor", "email_sealed", EMAIL_COLUMN),
)
