"""A letter for the tests of the channels."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from lms.core.messages.channels.interface import Letter

LETTER = Letter(
    ref=UUID(int=0xABCDEF),
    purpose="code",
    address="+8613800138000",
    subject="验证码",
    text="验证码 123456",
    parameters={"code": "123456", "minutes": "10"},
    language="zh",
    created_at=datetime(2030, 5, 4, 9, tzinfo=UTC),
)


def letter(address: str = LETTER.address, **changes: object) -> Letter:
    """The letter to another address, with other contents."""
    return replace(LETTER, address=address, **changes)  # type: ignore[arg-type]
