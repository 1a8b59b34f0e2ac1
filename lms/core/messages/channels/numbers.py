"""Phone numbers as the SMS gateways take them, and the requirements that a number meets before it is handed over."""

import re

from lms.core.messages.channels.interface import RefusedForGood
from lms.core.phones import HOME_CODE

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def international(number: str) -> str:
    """The number in E.164, as Tencent Cloud takes it. Raises RefusedForGood for anything else."""
    if not _E164.fullmatch(number):
        raise RefusedForGood("bad_number")
    return number


def domestic(number: str) -> str:
    """The number as Alibaba Cloud takes it: a Chinese one without country code, a foreign one without its plus sign."""
    return international(number).removeprefix(HOME_CODE).removeprefix("+")
