"""The numbers of an offering's places."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.models.enrolment import Enrolment
from courses.models.offerings import Offering


@dataclass(frozen=True)
class PlaceCounts:
    """The numbers of an offering's places, of those that are taken, and of the people on the waiting list.

    taken: with those that are held while they are offered. offered: these alone. waiting: without the people of the offers.
    """

    capacity: int
    taken: int
    waiting: int
    offered: int = 0

    @property
    def free(self) -> int:
        """The places that a new enrolment can get at once: none while others wait."""
        return 0 if self.waiting else max(0, self.capacity - self.taken)


def count_places(db: Session, offering: Offering) -> PlaceCounts:
    """Count the places of an offering that are taken, and the trainees on its waiting list."""
    taken, waiting, offered = db.execute(
        select(
            func.count().filter(Enrolment.takes_place()),
            func.count().filter(Enrolment.waits()),
            func.count().filter(Enrolment.place_is_offered()),
        ).where(Enrolment.offering_id == offering.id)
    ).one()
    return PlaceCounts(offering.capacity, taken, waiting, offered)
