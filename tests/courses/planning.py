"""Plans of offerings and sessions with all facts filled in, for tests of scheduling."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from courses.models.offerings import Offering
from courses.offerings import offerings
from courses.offerings.offerings import OfferingPlan
from courses.offerings.scheduling import SessionPlan, Team
from instructors.models import Instructor
from lms.core.scope import EVERYTHING
from tests.factories import Make

ZONE = ZoneInfo("Asia/Shanghai")
MORNING = datetime(2030, 5, 4, 1, tzinfo=UTC)  # 09:00 in Beijing
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def meeting(start: datetime = MORNING, hours: float = 8, **facts: object) -> SessionPlan:
    return SessionPlan(start, start + hours * HOUR, **facts)  # type: ignore[arg-type]


def plan(make: Make, *sessions: SessionPlan, lead: Instructor | None = None, **facts: object) -> OfferingPlan:
    lead = lead or make.instructor()
    values: dict[str, object] = {
        "course_id": make.new_course().id,
        "organisation_id": make.organisation().id,
        "place": "二楼教室",
        "sessions": sessions or (meeting(),),
        "team": Team(lead.id),
    } | facts
    return OfferingPlan(**values)  # type: ignore[arg-type]


def scheduled(db: Session, offering_plan: OfferingPlan) -> Offering:
    return offerings.schedule(db, offering_plan, scope=EVERYTHING, zone=ZONE)


def changed(db: Session, offering: Offering, offering_plan: OfferingPlan) -> None:
    offerings.change(db, offering, offering_plan, scope=EVERYTHING, zone=ZONE)
