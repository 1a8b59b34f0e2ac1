"""Phone numbers: the one form that is kept."""

import phonenumbers

HOME_REGION = "CN"
HOME_CODE = "+86"


def normalise_phone(value: str) -> str:
    """A phone in E.164 (+8613800138000); numbers without a country code are Chinese. Raises ValueError if it is none."""
    try:
        number = phonenumbers.parse(value, HOME_REGION)
    except phonenumbers.NumberParseException as error:
        raise ValueError(value) from error
    if not phonenumbers.is_valid_number(number):
        raise ValueError(value)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
