"""Domain events: published within a unit of work, and dispatched to their reactions after the commit.

`lms.app` has the table of events and reactions. A reaction sends a task with ids to the queue. The message may be lost,
for example while the broker is down, so the database also records the pending work, and scheduled tasks look for it.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import structlog
from sqlalchemy.orm import Session

log = structlog.get_logger(__name__)

_reactions: dict[type, list[Callable[[Any], None]]] = defaultdict(list)
_PENDING = "events"


def react(event: type, reaction: Callable[[Any], None]) -> None:
    """Call `reaction(event)` after each commit that published such an event.

    A pair that is registered twice runs once.
    """
    if reaction not in _reactions[event]:
        _reactions[event].append(reaction)


def publish(db: Session, event: object) -> None:
    """Publish an event with this unit of work. It is dispatched after the commit."""
    db.info.setdefault(_PENDING, []).append(event)


def dispatch(db: Session) -> None:
    """Run the reactions to the committed events. A reaction that fails is logged; what was committed stays."""
    for event in db.info.pop(_PENDING, []):
        for reaction in _reactions[type(event)]:
            try:
                reaction(event)
            except Exception:
                log.exception("reaction_failed", event_type=type(event).__name__)


def discard(db: Session) -> None:
    """Discard the events of a unit of work that was rolled back."""
    db.info.pop(_PENDING, None)
