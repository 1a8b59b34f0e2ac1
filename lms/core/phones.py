"""Phone numbers, stored in E.164."""

import phonenumbers

HOME_REGION = "CN"
HOME_CODE = "+86"


def normalise_phone(value: str) -> str:
    """The number in E.164 (+8613800138000).

    A number without country code is Chinese. Raises ValueError if it is invalid.
    """
    try:
        number = phonenumbers.parse(value, HOME_REGION)
    except phonenumbers.NumberParseException as error:
        raise ValueError(value) from error
    if not phonenumbers.is_valid_number(number):
        raise ValueError(value)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
