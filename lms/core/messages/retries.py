"""The schedule of retries: how long a message or a whole channel waits after an attempt that failed."""

from datetime import timedelta
from uuid import UUID

# Minutes before the next attempt of one message; after the last of them, every `LONGEST`.
PAUSES = (1, 2, 5, 15, 30, 60, 120)
LONGEST = 240
JITTER = 0.1  # of the pause, so that messages that failed together are not tried together
GIVE_UP = timedelta(days=3)  # for each address

# Minutes during which nobody tries a channel whose server cannot be reached.
CHANNEL_PAUSES = (0.5, 1, 2, 5)


def pause(attempts: int, ref: UUID) -> timedelta:
    """The pause of a message after its n-th failed attempt (from 1).

    It differs between messages by at most a tenth, and is the same each time it is computed for one message.
    """
    minutes = PAUSES[attempts - 1] if attempts <= len(PAUSES) else LONGEST
    return timedelta(minutes=minutes * (1 + JITTER * (ref.int % 1000) / 1000))


def channel_pause(failures: int) -> timedelta:
    """The pause of a channel after its n-th failed attempt in a row (from 1)."""
    return timedelta(minutes=CHANNEL_PAUSES[min(failures, len(CHANNEL_PAUSES)) - 1])
