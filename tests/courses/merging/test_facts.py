"""Facts of two records: the winners, the exchange, and that every former fact still finds the person."""

from flask import Flask
from sqlalchemy.orm import Session

from courses.enrolment import trainee_search, trainees
from courses.enrolment.trainees import TraineeFacts
from courses.merging import facts, merging
from courses.merging.facts import Side
from courses.models.trainees import IdType
from lms.core.contacts import ContactKind, ContactProof
from lms.core.scope import EVERYTHING, Role
from tests.courses.merging.test_merging import ID_NUMBER, merge, stored
from tests.factories import Make


def test_facts_are_exchanged_and_every_former_one_finds_the_person(app: Flask, db: Session, make: Make) -> None:
    kept, merged = make.trainee("张三丰", birth_year=1949), make.trainee("张三风", email="zhang@example.org")
    merged.set_id_number(IdType.RESIDENT, ID_NUMBER)
    merged.set_proof(ContactKind.PHONE, ContactProof.CODE)
    merged.birth_year = 1949
    user = make.user(Role.TRAINEE)
    merged.user_id = user.id
    db.flush()
    phones, before = (kept.phone, merged.phone), stored(db)
    row = merge(db, kept, merged, name=Side.KEPT)
    assert (kept.name, kept.phone, kept.email, kept.open_id_number(), kept.user_id) == (
        "张三丰", phones[1], "zhang@example.org", ID_NUMBER, user.id,
    )  # fmt: skip
    assert kept.is_proven(ContactKind.PHONE)
    assert (merged.phone, merged.user_id, merged.open_id_number()) == (phones[0], None, None)
    for query in ("张三风", "张三丰", *phones, ID_NUMBER):
        assert [each.id for each in trainee_search.search(db, query or "", EVERYTHING).rows] == [kept.id], query
    for name, phone, number in (("张三丰", phones[0], None), ("张三风", phones[0], None), ("张三风", None, ID_NUMBER)):
        given_facts = TraineeFacts(name, phone, id_type=IdType.RESIDENT if number else None, id_number=number)
        record = trainees.match(db, given_facts)
        assert (name, phone == phones[0]) == ("张三丰", True) or record is not None
        if record is not None:
            assert record.id == kept.id
            assert not trainees.is_conflict(record, given_facts)
    assert merging.undo(db, row.id, EVERYTHING) == []
    assert stored(db) == before
    assert (merged.open_id_number(), kept.open_id_number()) == (ID_NUMBER, None)


def test_the_year_follows_the_number_and_an_empty_fact_never_wins(db: Session, make: Make) -> None:
    kept, merged = make.trainee("张三", birth_year=1950, email="a@example.org"), make.trainee("张三", birth_year=1949)
    merged.set_id_number(IdType.RESIDENT, ID_NUMBER)
    chosen = {"birth_year": Side.KEPT, "email": Side.MERGED}
    winners = facts.winners(kept, merged, chosen)
    assert (winners["birth_year"], winners["email"], winners["id_number"]) == (Side.MERGED, Side.KEPT, Side.MERGED)
    assert {side.name for side in facts.side_by_side(kept, merged) if side.differs} == {"phone", "birth_year"}
