"""The interface of a channel: what is not delivered has a reason that lists can show."""

import re
from pathlib import Path

from lms.core.logs import ALLOWED
from lms.core.messages import channels
from lms.core.messages.channels.interface import NotDelivered, RefusedForGood, TryLater, Unreachable
from lms.core.messages.labels import REASONS

RAISED = re.compile(r'(?:RefusedForGood|TryLater|Unreachable|_pass_on|_judge)\((?:[\w.]+, )*"(\w+)"')


def test_each_reason_that_a_channel_gives_has_a_label() -> None:
    folder = Path(channels.__path__[0])
    sources = [*folder.glob("*.py"), *folder.parent.glob("*.py")]
    raised = {reason for path in sources for reason in RAISED.findall(path.read_text("utf-8"))}
    assert {"bad_address", "limit", "unreachable"} <= raised
    assert raised - REASONS.keys() == set()


def test_what_is_not_delivered_says_why() -> None:
    errors: list[NotDelivered] = [RefusedForGood("bad_number"), TryLater("limit", channel=True), Unreachable("timeout")]
    assert [error.reason for error in errors] == ["bad_number", "limit", "timeout"]


def test_each_field_that_sending_logs_is_allowed() -> None:
    """A field that is not on the list is dropped, and with it the reason why a message did not go."""
    folder = Path(channels.__path__[0]).parent
    calls = [
        call for path in folder.rglob("*.py") for call in re.findall(r"log\.\w+\(([^\n]*)\)\n", path.read_text("utf-8"))
    ]
    fields = {field for call in calls for field in re.findall(r"(\w+)=", call)}
    assert {"message_ref", "channel", "code"} <= fields
    assert fields - ALLOWED == set()
