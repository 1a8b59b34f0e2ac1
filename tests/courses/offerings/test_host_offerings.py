"""The offerings of a host by where they stand, within the reader's reach."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from courses.models.offerings import OfferingState
from courses.offerings.host_offerings import LISTED, frequent_instructors, offerings_of_host
from lms.core import clock
from lms.core.scope import EVERYTHING, Scope
from tests.factories import Make

NOW = datetime(2030, 5, 10, 4, tzinfo=UTC)


def test_offerings_stand_where_they_are(db: Session, make: Make) -> None:
    host, lead = make.organisation(1), make.instructor()
    day = timedelta(days=1)
    made = {
        name: make.offering(organisation=host, lead=lead, starts=starts, hours=2).id
        for name, starts in {
            "coming": [NOW + day], "running": [NOW - day, NOW + 2 * day], "to_close": [NOW - 2 * day],
        }.items()
    }  # fmt: skip
    closed = [
        make.offering(
            organisation=host,
            lead=lead,
            starts=[NOW - number * day],
            hours=2,
            state=OfferingState.CLOSED,
            closed_at=NOW,
            counted_on=clock.last_branch_day([NOW - number * day]),
        )
        for number in range(3, 13)
    ]
    make.offering(organisation=host, lead=lead, starts=[NOW + 4 * day], hours=2, state=OfferingState.DRAFT)
    make.offering(
        organisation=host,
        lead=make.instructor(),
        starts=[NOW - day],
        state=OfferingState.CANCELLED,
        cancelled_at=NOW,
        cancel_reason="rain",
    )
    make.offering(organisation=make.organisation(1), starts=[NOW + day], hours=3)
    db.flush()
    for scope in (EVERYTHING, Scope(organisation_ids=frozenset({host.id})), Scope(district_ids=frozenset({1}))):
        offerings = offerings_of_host(db, host.id, scope, NOW)
        for name, offering_id in made.items():
            kind = getattr(offerings, name)
            assert (kind.number, [row.id for row in kind.rows]) == (1, [offering_id]), name
        assert offerings.past.number == 10
        assert [row.id for row in offerings.past.rows] == [offering.id for offering in closed[:LISTED]]
        assert [(row.id, row.sessions) for row in frequent_instructors(db, host.id, scope)] == [(lead.id, 15)]
    elsewhere = Scope(district_ids=frozenset({2}))
    assert offerings_of_host(db, host.id, elsewhere, NOW).past.number == 0
    assert frequent_instructors(db, host.id, elsewhere) == []
