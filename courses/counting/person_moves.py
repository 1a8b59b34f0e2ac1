"""Participation when enrolments pass from one record of a person to another one: person-times stay, people change."""

from collections.abc import Callable, Collection

from sqlalchemy import text
from sqlalchemy.orm import Session


def follow(db: Session, move: Callable[[], Collection[int]]) -> None:
    """Let enrolments pass between people, and bring the participation of their offerings to what holds afterwards.

    move: changes the `trainee_id` of enrolments of these people, and returns the ids of their offerings. Person-times stay
    as they are: the caller has made sure that nobody attended one offering with two enrolments of these people. What was
    reported stays, too: the numbers of periods that ended with a frozen quarter count the people as they were.
    """
    db.flush()
    offering_ids = move()
    db.flush()
    db.execute(_PARTICIPANTS_AGAIN, {"offerings": sorted(offering_ids)})


_PARTICIPANTS_AGAIN = text(
    "UPDATE participation SET trainees = ARRAY(SELECT DISTINCT enrolment.trainee_id FROM enrolment"
    " WHERE enrolment.offering_id = participation.offering_id AND EXISTS"
    " (SELECT FROM attendance WHERE attendance.enrolment_id = enrolment.id) ORDER BY 1)"
    " WHERE participation.offering_id = ANY (CAST(:offerings AS bigint[]))"
)
