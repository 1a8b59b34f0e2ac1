"""Counting the offerings of a chunk (the temporary table `offered`) as closing counts one: a line each, by the same rule."""

from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, bindparam, case, column, exists, extract, func, insert, literal, select, table, text
from sqlalchemy.orm import Session

from courses import quarters
from courses.models.offerings import Offering
from courses.models.person_time import EntryKind, FrozenQuarter, PersonTimeEntry
from courses.person_time import recounted
from courses.quarters import Quarter
from lms.core import audit, clock

_OFFERED = table("offered", column("id", BigInteger))


def close(db: Session, zone: ZoneInfo) -> None:
    """Write the closing lines, and those of the certificates that rows name. What is frozen is dated today, as closing does."""
    quarters.hold_open(db)
    least, most = db.execute(select(func.min(_OFFERED.c.id), func.max(_OFFERED.c.id))).one()
    if least is None:
        return
    counted = recounted(Offering.id.in_(select(_OFFERED.c.id)), ids=(least, most))
    frozen = exists().where(
        FrozenQuarter.year == extract("year", Offering.counted_on),
        FrozenQuarter.quarter == extract("quarter", Offering.counted_on),
    )
    names = ("enrolled", "named", "counted", "minutes", "passed")
    lines = (
        select(
            counted.c.offering_id,
            literal(str(EntryKind.CLOSING)),
            case((frozen, clock.today(zone)), else_=Offering.counted_on),
            bindparam("recorded_at", clock.now()),
            bindparam("recorded_by", audit.actor(db), BigInteger),
            *(counted.c[name] for name in names),
            literal(0),
        )
        .join(Offering, Offering.id == counted.c.offering_id)
        .order_by(counted.c.offering_id)
    )
    db.execute(
        insert(PersonTimeEntry).from_select(
            ["offering_id", "kind", "dated_on", "recorded_at", "recorded_by", *names, "certificates"], lines
        )
    )
    _certify(db)


def _certify(db: Session) -> None:
    """Certificates are dated as issued; of a frozen quarter, by the first day of the first one that is open."""
    rows = db.execute(
        text(
            "SELECT offering_id, issued_on, count(*) FROM placed WHERE certificate IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2"
        )
    ).all()
    if not rows:
        return
    shut = {Quarter(year, number) for year, number in db.execute(select(FrozenQuarter.year, FrozenQuarter.quarter))}
    lines = []
    for offering_id, day, number in rows:
        quarter = Quarter.of(day)
        while quarter in shut:
            quarter = quarter.next
            day = quarter.first  # noqa: PLW2901  # the first open day after it
        lines.append(
            {
                "offering_id": offering_id,
                "kind": EntryKind.CERTIFICATION,
                "dated_on": day,
                "recorded_at": clock.now(),
                "recorded_by": audit.actor(db),
                "certificates": number,
            }
        )
    db.execute(insert(PersonTimeEntry), lines)
