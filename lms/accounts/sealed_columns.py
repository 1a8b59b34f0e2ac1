"""The columns of this package that are sealed with the field key."""

from lms.accounts import password_requests, recovery_codes
from lms.accounts.models import CHECKED, EMAIL, PHONE, TOTP_SECRET
from lms.core.sealed_columns import KeyedHashes, SealedColumn, register, register_hashes

register(
    SealedColumn("app_user", "phone_sealed", PHONE, index="phone_index"),
    SealedColumn("app_user", "email_sealed", EMAIL, index="email_index", indexed=str.lower),
    SealedColumn("contact_check", "contact_sealed", CHECKED, index="contact_index", indexed=str.lower),
    SealedColumn("password_request", "identifier_sealed", password_requests.COLUMN),
    SealedColumn("totp", "secret_sealed", TOTP_SECRET, row="(SELECT ref FROM app_user WHERE app_user.id = user_id)"),
)
register_hashes(
    KeyedHashes("recovery_code.code_hash", recovery_codes.count_keyed, recovery_codes.end_keyed),
)
