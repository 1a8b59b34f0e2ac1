"""Sending: takes one message that is due, tries its address, and decides what becomes of the message.

The database says what is owed: a message that is `waiting` and due. Any number of workers may send at the same time and
be killed at any moment. Each worker locks a message that no other worker holds and commits it alone. A worker that is
killed between the server's acceptance and the commit leaves the message waiting; it is sent again with the same
Message-ID (or the same reference at an SMS gateway). No other message is affected (docs/decisions.md).

No message can stop the queue: one that cannot be built or is refused for good goes to its next address or aside, one
that cannot be delivered now waits for a growing pause, and a server that cannot be reached pauses its channel alone.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import and_, delete, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lms.core import clock
from lms.core.messages import retries
from lms.core.messages.channels.interface import Gateway, Letter, NotDelivered, RefusedForGood, TryLater, Unreachable
from lms.core.messages.models import Channel, ChannelPause, Message, MessageState
from lms.core.messages.owing import SITE, Content, purpose_of

log = structlog.get_logger(__name__)

Gateways = Mapping[Channel, Gateway[Any]]


def send_next(db: Session, gateways: Gateways, site: str) -> bool:
    """Send the next message that is due, and return whether there was one. The caller commits at once.

    site: the site's address, which stands in the texts in the place of `owing.SITE`.
    """
    now = clock.now()
    row = _claim(db, now)
    if row is None:
        return False
    message, down_since = row
    try:
        content = Content.of(message)
    except Exception:  # a wrong key, an altered row or unknown JSON: no reason to stop the queue
        log.exception("message_unreadable", message_ref=str(message.ref))
        _settle(message, MessageState.ASIDE, "unreadable")
    else:
        reason = _overdue(message, now, down_since)
        if reason == "expired":
            _give_up(message, reason)
        elif reason is not None:
            _pass_on(message, content, reason)
        else:
            _attempt(db, message, content, gateways.get(content.addresses[message.position].channel), site)
            if down_since is not None and message.state is MessageState.SENT:
                db.execute(delete(ChannelPause).where(ChannelPause.channel == message.channel))
    db.flush()
    return True


def _claim(db: Session, now: datetime) -> tuple[Message, datetime | None] | None:
    """The message that is due first, locked, and since when its channel has failed, if it has.

    Messages that another worker locked are skipped, as are those of a paused channel, unless they are given up. Messages
    that expire come first: codes do not wait for a mailing to all trainees of a district.
    """
    paused = select(ChannelPause.channel).where(ChannelPause.until > now)
    long_down = select(ChannelPause.channel).where(ChannelPause.since <= now - retries.GIVE_UP)
    given_up = and_(Message.trying_since <= now - retries.GIVE_UP, Message.channel.in_(long_down))
    overdue = or_(Message.expires_at <= now, given_up)
    down_since = select(ChannelPause.since).where(ChannelPause.channel == Message.channel).scalar_subquery()
    row = db.execute(
        select(Message, down_since)
        .where(
            Message.state == MessageState.WAITING,
            or_(Message.next_at <= now, overdue),
            or_(Message.channel.not_in(paused), overdue),
        )
        .order_by(Message.patient, Message.next_at, Message.id)
        .limit(1)
        .with_for_update(of=Message, skip_locked=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def _overdue(message: Message, now: datetime, down_since: datetime | None) -> str | None:
    """The reason why a message is no longer tried at its present address, if there is one.

    A message that waited for three days because no worker ran is tried: only a channel that failed for as long is a
    reason to give up without an attempt.
    """
    limit = now - retries.GIVE_UP
    if message.expires_at is not None and message.expires_at <= now:
        return "expired"
    if message.trying_since <= limit and down_since is not None and down_since <= limit:
        return message.reason or "unreachable"
    return None


def _attempt(db: Session, message: Message, content: Content, gateway: Gateway[Any] | None, site: str) -> None:
    address = content.addresses[message.position]
    if gateway is None or not gateway.serves(message.purpose):
        _pass_on(message, content, "no_channel" if gateway is None else "no_template")
        return
    try:
        _hand_over(gateway, _letter(message, content, site))
    except RefusedForGood as error:
        log.warning("message_refused", message_ref=str(message.ref), channel=str(address.channel), code=error.reason)
        _pass_on(message, content, error.reason)
    except TryLater as error:
        _defer(message, content, error.reason)
        if error.channel:
            _pause(db, address.channel, error.reason)
    except Unreachable as error:
        message.reason = error.reason
        _pause(db, address.channel, error.reason)
    else:
        _settle(message, MessageState.SENT, None)
        message.content = None


def _defer(message: Message, content: Content, reason: str) -> None:
    """Try a message again after a pause; after three days of attempts, try the next address."""
    now = clock.now()
    message.attempts += 1
    message.reason = reason
    message.next_at = now + retries.pause(message.attempts, message.ref)
    log.info("message_deferred", message_ref=str(message.ref), attempt=message.attempts, code=reason)
    if message.attempts > 1 and message.trying_since <= now - retries.GIVE_UP:
        _pass_on(message, content, reason)


def _hand_over(gateway: Gateway[Any], letter: Letter) -> None:
    """Build and deliver. An exception that a channel does not know is a defect, and costs this message a pause."""
    try:
        built = gateway.build(letter)
    except NotDelivered:
        raise
    except Exception as error:
        log.exception("message_not_built", message_ref=str(letter.ref))
        raise RefusedForGood("cannot_be_built") from error
    try:
        gateway.deliver(built)
    except NotDelivered:
        raise
    except Exception as error:
        log.exception("message_failed", message_ref=str(letter.ref))
        raise TryLater("unexpected") from error


def _letter(message: Message, content: Content, site: str) -> Letter:
    names = purpose_of(message.purpose).parameters or tuple(content.parameters)
    return Letter(
        ref=message.ref,
        purpose=message.purpose,
        address=content.addresses[message.position].value,
        subject=content.subject,
        text=content.text.replace(SITE, site),
        parameters={name: content.parameters.get(name, "") for name in names},
        language=message.language,
        created_at=message.created_at,
        html=content.html.replace(SITE, site),
        attachments=content.attachments,
    )


def _pass_on(message: Message, content: Content, reason: str) -> None:
    """Try the recipient's next address; where there is none, give up."""
    message.position += 1
    if message.position >= len(content.addresses):
        _give_up(message, reason)
        return
    now = clock.now()
    message.channel = content.addresses[message.position].channel
    message.attempts, message.trying_since, message.next_at, message.reason = 0, now, now, reason


def _give_up(message: Message, reason: str) -> None:
    """Put a message on the list of people to call, or aside where nobody calls for its purpose."""
    _settle(message, MessageState.TO_CALL if message.called else MessageState.ASIDE, reason)
    log.warning("message_not_delivered", message_ref=str(message.ref), purpose=message.purpose, code=reason)


def _settle(message: Message, state: MessageState, reason: str | None) -> None:
    message.state, message.reason, message.settled_at = state, reason, clock.now()


def _pause(db: Session, channel: Channel, reason: str) -> None:
    """Leave a channel alone for a while that grows with each failure in a row."""
    pause = db.get(ChannelPause, channel, populate_existing=True)
    failures = (pause.failures if pause is not None else 0) + 1
    now = clock.now()
    values = {"failures": failures, "reason": reason, "until": now + retries.channel_pause(failures)}
    db.execute(
        insert(ChannelPause)
        .values(channel=channel, since=now, **values)
        .on_conflict_do_update(index_elements=["channel"], set_=values)
    )
    log.warning("channel_paused", channel=str(channel), failures=failures, code=reason)
