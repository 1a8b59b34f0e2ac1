"""Legacy certificates that a person holds."""

from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from certificates.legacy import holding, legacy
from certificates.states import State
from tests.certificates.legacy_people import legacy_of
from tests.factories import Make

ZONE = ZoneInfo("Asia/Shanghai")


def test_a_person_holds_what_was_matched_newest_first_each_in_its_state(
    db: Session, make: Make, statements: list[str]
) -> None:
    trainee, other = make.trainee("张三丰"), make.trainee("李四")
    old = legacy_of(db, holder=trainee, issued_on=date(2012, 1, 1), valid_until=date(2015, 1, 1))
    revoked = legacy_of(db, holder=trainee, issued_on=date(2013, 1, 1))
    legacy.revoke(db, revoked.number, "伪造")
    valid = legacy_of(db, holder=trainee)
    legacy_of(db, holder=other)
    legacy_of(db)
    statements.clear()
    held = holding.of_trainee(db, trainee.id, zone=ZONE)
    assert [(row.id, row.state) for row in held] == [
        (valid.id, State.VALID),
        (revoked.id, State.REVOKED),
        (old.id, State.EXPIRED),
    ]
    assert (held[0].ref, held[0].number, held[0].unit, held[0].certificate_type) == (
        valid.ref, valid.number, "东城区红十字会", 1,
    )  # fmt: skip
    assert len(statements) == 1
