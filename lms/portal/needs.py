"""The needs of the overview: what waits for somebody, as numbers, each of which has its list.

Every number is counted by the SELECT of the module that owns the list, within the reach that the list has for the same user,
so that number and list cannot differ.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import Session

from certificates import unprintable
from certificates.verification import alarms
from courses.attendance import review_queue
from courses.closing import unclosed
from courses.enrolment import proposals
from courses.imports import runs
from courses.offerings import training_requests
from courses.privacy import erasure
from courses.reports.exports import exports
from instructors import register
from lms.core import counts
from lms.core.messages import calling
from lms.core.scope import Scope


class Need(StrEnum):
    """A kind of work that waits for somebody, in the order in which the overview names them."""

    ALARMS = "alarms"
    UNCLOSED = "unclosed"
    CLOSINGS = "closings"
    REVIEWS = "reviews"
    UNPRINTABLE = "unprintable"
    TO_CALL = "to_call"
    TRAINING_REQUESTS = "training_requests"
    PROPOSALS = "proposals"
    ERASURES = "erasures"
    TARGETS = "targets"
    QUALIFICATIONS = "qualifications"
    IMPORTS = "imports"
    EXPORTS = "exports"


@dataclass(frozen=True)
class NeedMoments:
    """The moments by which needs are judged: now, its day, and the first moment of the alarms that are shown."""

    now: datetime
    today: date
    alarms_since: datetime


def read(db: Session, scopes: Mapping[Need, Scope], moments: NeedMoments) -> dict[Need, int]:
    """The number of each need for a user, in one statement.

    scopes: by need, the scope that the user has on the page of its list; a need without one is not counted. The targets
    that are behind are no SELECT: `courses.counting.targets.behind` gives them.
    """
    selects = {need: _counting(need, scopes[need], moments) for need in Need if need in scopes}
    counted = {need: statement for need, statement in selects.items() if statement is not None}
    return dict(zip(counted, counts.read_of_now(db, list(counted.values())), strict=True))


def _counting(need: Need, scope: Scope, moments: NeedMoments) -> Select[Any] | None:
    """The SELECT of one count; None for a need that no SELECT counts."""
    of_moments: dict[Need, Callable[[], Select[Any]]] = {
        Need.ALARMS: lambda: alarms.counting(moments.alarms_since),
        Need.UNCLOSED: lambda: unclosed.counting(scope, moments.now),
        Need.QUALIFICATIONS: lambda: register.counting_expiring(scope, moments.today),
        Need.ERASURES: erasure.counting_open,
    }
    if need in of_moments:
        return of_moments[need]()
    counting = _COUNTING.get(need)
    return None if counting is None else counting(scope)


_COUNTING: Mapping[Need, Callable[[Scope], Select[Any]]] = {
    Need.CLOSINGS: unclosed.counting_requested,
    Need.REVIEWS: lambda scope: review_queue.counting_cases(scope.reach),
    Need.UNPRINTABLE: lambda scope: unprintable.counting(scope.reach),
    Need.TO_CALL: lambda scope: calling.counting_due(scope.reach),
    Need.TRAINING_REQUESTS: lambda scope: training_requests.counting_open(scope.reach),
    Need.PROPOSALS: proposals.counting_to_decide,
    Need.IMPORTS: runs.counting_left,
    Need.EXPORTS: exports.counting_failed,
}
