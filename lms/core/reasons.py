"""The reason that somebody gives for an exceptional change: a correction, a rejection, an undo."""

from lms.core.errors import N_, DomainError

SAY_WHY = N_("Enter a reason for later reference.")


def required(reason: str | None, message: str = SAY_WHY, *, one_line: bool = True) -> str:
    """The reason in one line: runs of white space (and NULs) are single spaces, the ends are stripped.

    With `one_line` false the lines of the reason stay, and only NULs and the ends are cleaned. Raises DomainError
    `reason_missing` on the field `reason` where nothing is left; `message` is its msgid.
    """
    text = (reason or "").replace("\0", " ")
    text = " ".join(text.split()) if one_line else text.strip()
    if not text:
        raise DomainError("reason_missing", message, field="reason")
    return text
