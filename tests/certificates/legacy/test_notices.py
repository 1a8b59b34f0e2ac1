"""The holder of a legacy certificate is told of its revocation and of the end of it, by proven contacts alone."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates.legacy import legacy
from lms.core import clock
from lms.core.contacts import ContactKind, ContactProof
from lms.core.messages import owing
from lms.core.messages.models import Message, MessageState
from lms.core.messages.owing import Content
from lms.core.scope import Role
from tests.certificates.legacy_people import legacy_of
from tests.factories import Make


def told(db: Session) -> list[tuple[str, MessageState]]:
    return [(row.purpose, row.state) for row in db.scalars(select(Message).order_by(Message.id))]


def test_it_is_told_each_time_with_reason_unit_and_the_way(db: Session, make: Make) -> None:
    holder = make.trainee("张三丰", email="holder@example.org", district_id=3)
    holder.set_proof(ContactKind.EMAIL, ContactProof.CODE)
    row = legacy_of(db, holder=holder)
    for _ in range(2):
        legacy.revoke(db, row.number, "档案有误")
        legacy.restore(db, row.number, "核对无误")
    acts = [("certificate_revoked", MessageState.WAITING), ("certificate_restored", MessageState.WAITING)]
    assert told(db) == acts * 2
    revoked, restored = (Content.of(each) for each in db.scalars(select(Message).order_by(Message.id).limit(2)))
    assert revoked.addresses[0].value == "holder@example.org"
    assert revoked.text.count("档案有误") == revoked.text.count("东城区红十字会") == 2
    assert row.number in revoked.text
    assert restored.text.count(f"{owing.SITE}/my-certificate") == 2
    assert {message.district_id for message in db.scalars(select(Message))} == {3}


def test_a_holder_with_claimed_contacts_is_called_and_nobody_is_where_nobody_was_found_or_all_was_erased(
    db: Session, make: Make
) -> None:
    row = legacy_of(db, holder=make.trainee("张三丰", email="claimed@example.org"))
    legacy.revoke(db, row.number, "档案有误")
    assert told(db) == [("certificate_revoked", MessageState.TO_CALL)]
    legacy.restore(db, row.number, "核对无误")
    assert told(db) == [("certificate_revoked", MessageState.ASIDE)]
    unmatched, erased = legacy_of(db), legacy_of(db, holder=make.trainee(), erased_at=clock.now())
    for each in (unmatched, erased):
        legacy.revoke(db, each.number, "档案有误")
        legacy.restore(db, each.number, "核对无误")
    assert len(told(db)) == 1


def test_the_page_gives_the_contact_of_the_branch(
    db: Session, make: Make, sign_in: Callable[..., FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = legacy_of(db, holder=make.trainee("张三丰"))
    city = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    settings = city.application.config["SETTINGS"].model_copy(update={"verification_contact": "010-1234 5678"})
    monkeypatch.setitem(city.application.config, "SETTINGS", settings)
    assert city.post(f"/certificates/legacy/{row.id}/revoke", data={"reason": "档案有误"}).status_code == 302
    assert Content.of(db.scalars(select(Message)).one()).text.count("010-1234 5678") == 2
