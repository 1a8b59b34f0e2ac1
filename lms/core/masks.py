"""Personal facts as a screen or the audit trail shows them: enough to recognise, too little to use."""

from lms.core.phones import HOME_CODE

SHORT = 8


def mask_phone(phone: str | None) -> str:
    """+8613812345678 → 138****5678; a foreign number keeps its first three characters and last four digits."""
    if not phone:
        return ""
    shown = phone.removeprefix(HOME_CODE)
    if len(shown) < SHORT:
        return "*" * len(shown)
    return f"{shown[:3]}****{shown[-4:]}"


def mask_id(number: str | None) -> str:
    """110101199003071234 → 110***********1234; a short number (a passport) keeps one character and two."""
    if not number:
        return ""
    first, last = (3, 4) if len(number) > 12 else (1, 2)
    return number[:first] + "*" * (len(number) - first - last) + number[-last:]


def mask_email(address: str | None) -> str:
    """zhang@example.org → z***@example.org."""
    if not address:
        return ""
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}***@{domain}"
