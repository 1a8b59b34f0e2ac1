"""Figures about the queue of messages, for `/readyz`, the metrics and the command line."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lms.core import clock
from lms.core.messages.models import Channel, ChannelPause, Message, MessageState


@dataclass(frozen=True)
class ChannelStanding:
    """A channel's queue. waiting: messages; oldest_seconds: how long the oldest due one has been due.

    paused: the reason why the channel is left alone at present. down_seconds: since when it could not be reached.
    """

    waiting: int = 0
    oldest_seconds: int = 0
    paused: str | None = None
    down_seconds: int = 0


@dataclass(frozen=True)
class Standing:
    """The queue: each channel, messages that were put aside in the last 30 days, and those to call."""

    channels: Mapping[Channel, ChannelStanding] = field(default_factory=dict)
    aside: int = 0
    to_call: int = 0


def read(db: Session) -> Standing:
    """The figures of this moment, in two statements that read the partial indexes of `message`."""
    now = clock.now()
    kept = Message.state.in_([MessageState.ASIDE, MessageState.TO_CALL]) & Message.content.is_not(None)
    counts = db.execute(
        select(Message.state, Message.channel, func.count(), func.min(Message.trying_since))
        .where((Message.state == MessageState.WAITING) | kept)
        .group_by(Message.state, Message.channel)
    ).all()
    pauses = {pause.channel: pause for pause in db.scalars(select(ChannelPause))}
    waiting = {channel: (count, since) for state, channel, count, since in counts if state is MessageState.WAITING}
    return Standing(
        channels={
            channel: _of_channel(now, waiting.get(channel, (0, None)), pauses.get(channel)) for channel in Channel
        },
        aside=sum(count for state, _channel, count, _since in counts if state is MessageState.ASIDE),
        to_call=sum(count for state, _channel, count, _since in counts if state is MessageState.TO_CALL),
    )


def _of_channel(now: datetime, queue: tuple[int, datetime | None], pause: ChannelPause | None) -> ChannelStanding:
    count, since = queue
    return ChannelStanding(
        waiting=count,
        oldest_seconds=max(0, int((now - since).total_seconds())) if since is not None else 0,
        paused=pause.reason if pause is not None and pause.until > now else None,
        down_seconds=max(0, int((now - pause.since).total_seconds())) if pause is not None else 0,
    )


def as_json(standing: Standing) -> dict[str, object]:
    """The figures as `/readyz` gives them."""
    return {
        "channels": {
            str(channel): {
                "waiting": each.waiting,
                "oldest_seconds": each.oldest_seconds,
                "paused": each.paused,
                "down_seconds": each.down_seconds,
            }
            for channel, each in standing.channels.items()
        },
        "aside": standing.aside,
        "to_call": standing.to_call,
    }


def as_metrics(standing: Standing) -> str:
    """The figures in the text format of Prometheus."""
    channels = standing.channels.items()
    gauges = [
        ("lms_messages_waiting", "Messages that wait to be sent.", {c: each.waiting for c, each in channels}),
        ("lms_messages_oldest_seconds", "Age of the oldest of them.", {c: each.oldest_seconds for c, each in channels}),
        ("lms_messages_down_seconds", "Time since the channel failed.", {c: each.down_seconds for c, each in channels}),
    ]
    lines = []
    for name, text, values in gauges:
        lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge"]
        lines += [f'{name}{{channel="{channel}"}} {value}' for channel, value in values.items()]
    for name, text, number in (
        ("lms_messages_aside", "Messages of the last 30 days that were not delivered.", standing.aside),
        ("lms_messages_to_call", "People whom no message reached and whom somebody has to call.", standing.to_call),
    ):
        lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge", f"{name} {number}"]
    return "\n".join(lines) + "\n"
