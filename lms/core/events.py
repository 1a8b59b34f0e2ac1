"""What happened, told after the commit. `lms.app` holds the one table from event to reaction.

A reaction hands work to the queue by id; it may be lost (a broker can be down), so the database always knows what is
owed and the schedule sweeps it.
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
    """Run `reaction(event)` after each commit that published such an event. Naming the same pair again changes nothing."""
    if reaction not in _reactions[event]:
        _reactions[event].append(reaction)


def publish(db: Session, event: object) -> None:
    """Remember an event until this unit of work is committed."""
    db.info.setdefault(_PENDING, []).append(event)


def dispatch(db: Session) -> None:
    """Run the reactions of what was committed. One that fails is logged and never undoes the work."""
    for event in db.info.pop(_PENDING, []):
        for reaction in _reactions[type(event)]:
            try:
                reaction(event)
            except Exception:
                log.exception("reaction_failed", event_type=type(event).__name__)


def discard(db: Session) -> None:
    """Forget the events of a unit of work that was rolled back."""
    db.info.pop(_PENDING, None)
