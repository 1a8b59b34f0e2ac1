"""Names of the programmes that a qualification can be for."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.models.catalogue import Programme
from instructors import programmes


def test_all_programmes_come_by_code_in_their_order(db: Session) -> None:
    expected = db.scalars(select(Programme).order_by(Programme.position, Programme.code)).all()
    names = programmes.all_by_code(db)
    assert list(names) == [programme.code for programme in expected]
    assert [(name.name_zh, name.name_en) for name in names.values()] == [
        (programme.name_zh, programme.name_en) for programme in expected
    ]
