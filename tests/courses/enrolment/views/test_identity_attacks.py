"""Attacks by staff who know one fact of a stranger: an ID number alone, or name and phone."""

import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.enrolment.trainees import TraineeFacts, register
from courses.models.enrolment import Enrolment
from courses.models.offerings import Offering
from courses.models.proposals import Proposal
from courses.models.trainees import IdType, Trainee
from lms.accounts.models import User
from lms.core import clock, crypto
from lms.core.audit import AuditEntry
from lms.core.contacts import ContactKind
from lms.core.messages.models import Message
from lms.core.scope import Role
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
ID = "11010519491231002X"
SECRETS = ("欧阳真名", "138****5678", "13812345678", "v***@", "victim@example.org")


@pytest.fixture
def victim(db: Session, make: Make) -> Trainee:
    """A person of district 2 with all facts, enrolled there."""
    facts = TraineeFacts("欧阳真名", "+8613812345678", "victim@example.org", 1949, IdType.RESIDENT, ID)
    person = register(db, facts, 2)
    make.enrolment(make.offering(organisation=make.organisation(2)), person)
    return person


@pytest.fixture
def offering(make: Make) -> Offering:
    """A coming offering of district 1."""
    return make.offering(organisation=make.organisation(1), starts=[clock.now() + timedelta(days=3)])


@pytest.fixture
def coordinator(make: Make, sign_in: SignIn, offering: Offering) -> FlaskClient:
    """The browser of the coordinator of the offering's host."""
    return sign_in(make.user(Role.COORDINATOR, organisation_id=offering.organisation_id))


def enrolments_in(db: Session, offering: Offering) -> int:
    return db.scalar(select(func.count()).select_from(Enrolment).where(Enrolment.offering_id == offering.id)) or 0


def test_an_id_number_alone_tells_nothing(
    coordinator: FlaskClient, victim: Trainee, offering: Offering, db: Session
) -> None:
    """The former answer to `confirmed=yes` was the real name, and then the phone for the reason "x"."""
    base = f"/offerings/{offering.id}/enrolments"
    guess = {"name": "甲乙", "phone": "13900000009", "id_type": "resident", "id_number": ID}
    for confirmed in ("", "yes"):
        answer = coordinator.post(f"{base}/new?lang=en", data=guess | {"confirmed": confirmed})
        assert "Nobody was enrolled" in answer.text
        assert not [secret for secret in SECRETS if secret in answer.text]
    assert enrolments_in(db, offering) == 0
    assert coordinator.get(f"/trainees/{victim.id}").status_code == 404
    for address in (f"/trainees/{victim.id}/phone", f"/trainees/{victim.id}/id-number"):
        assert coordinator.post(address, data={"reason": "other", "sentence": "x"}).status_code == 404
    for query in (ID, "13812345678"):
        found = coordinator.post("/trainees/", data={"words": query}, follow_redirects=True).text
        found += coordinator.post(f"{base}/find", data={"words": query}).text
        assert not [secret for secret in SECRETS[:2] if secret in found]
    assert coordinator.post(f"{base}/known", data={"trainee_id": victim.id}).status_code == 404
    assert db.scalar(select(func.count()).select_from(AuditEntry).where(AuditEntry.action == "trainee.conflict")) == 2


def test_a_list_with_id_numbers_tells_nothing(
    coordinator: FlaskClient, victim: Trainee, offering: Offering, db: Session
) -> None:
    base = f"/offerings/{offering.id}/enrolments"
    content = f"姓名,手机,证件号码\r\n甲乙,13900000009,{ID}\r\n李四,13900000001,\r\n".encode()
    sent = coordinator.post(f"{base}/import", data={"file": (io.BytesIO(content), "名单.csv")})
    preview = coordinator.get(f"{sent.location}?lang=en").text
    assert "do not agree" in preview
    rejected = coordinator.get(f"{sent.location}/rejected.csv").data.decode("utf-8-sig")
    assert not [secret for secret in SECRETS if secret in preview + rejected]
    assert coordinator.post(f"{sent.location}/apply").status_code == 302
    assert enrolments_in(db, offering) == 1

    rows = "".join(f"试名{number},139000001{number:02d},{ID}\r\n" for number in range(20))
    many = coordinator.post(
        f"{base}/import", data={"file": (io.BytesIO(f"姓名,手机,证件号码\r\n{rows}".encode()), "名单.csv")}
    )
    assert many.location == f"{base}/import"
    assert "Too many ID numbers" in coordinator.get(f"{base}/import?lang=en").text
    right = {"name": "欧阳真名", "phone": "13900000009", "id_type": "resident", "id_number": ID, "confirmed": "yes"}
    assert "Too many ID numbers" in coordinator.post(f"{base}/new?lang=en", data=right).text
    assert enrolments_in(db, offering) == 1


def test_a_conflict_is_handed_to_the_city(  # noqa: PLR0917  # fixtures
    coordinator: FlaskClient, victim: Trainee, offering: Offering, db: Session, make: Make, sign_in: SignIn
) -> None:
    address = f"/offerings/{offering.id}/enrolments/conflict"
    facts = {"name": "欧阳更名", "phone": "13900000009", "id_type": "resident", "id_number": ID}
    assert coordinator.post(address, data=facts).status_code == 422
    assert coordinator.post(address, data=facts | {"reason": "证件上是这个名字"}).status_code == 302
    unknown = facts | {"id_number": "11010519491231003X"[:17] + "8", "reason": "证件上是这个名字"}
    assert coordinator.post(address, data=unknown).status_code in {302, 422}
    (proposal,) = db.scalars(select(Proposal)).all()
    mine = coordinator.get(f"/trainees/proposals/{proposal.id}").text + coordinator.get("/trainees/proposals/").text
    assert "欧阳更名" in mine
    assert not [secret for secret in SECRETS if secret in mine]
    assert f"/trainees/{victim.id}" not in mine
    city = sign_in(make.user(Role.CITY_ADMINISTRATOR)).get(f"/trainees/proposals/{proposal.id}").text
    assert "欧阳真名" in city


def test_who_knows_name_and_phone_does_not_get_at_the_record(
    coordinator: FlaskClient, victim: Trainee, offering: Offering, db: Session
) -> None:
    """The former way: enrol the stranger, edit the e-mail of the city-wide record, enrol again, get the ticket by mail."""
    base = f"/offerings/{offering.id}/enrolments"
    facts = {"name": "欧阳真名", "phone": "13812345678", "email": "thief@example.org", "id_type": "resident"}
    assert coordinator.post(f"{base}/new", data=facts).status_code == 302
    enrolment = db.scalars(select(Enrolment).where(Enrolment.offering_id == offering.id)).one()
    assert (enrolment.phone, enrolment.email) == ("+8613812345678", "thief@example.org")
    page = coordinator.get(f"/trainees/{victim.id}").text
    assert not [secret for secret in SECRETS[3:] if secret in page]
    holder = coordinator.application.test_client()
    assert holder.post(f"/tickets/{enrolment.ticket}/account").status_code == 302
    code = db.scalars(select(Message).where(Message.purpose == "code")).one()
    text = crypto.cipher().decrypt("message.content", code.ref, code.content or b"")
    assert "thief@" not in text
    assert "+8613812345678" in text, "the account takes a code to the record's phone"
    change = {"name": "欧阳真名", "email": "thief@example.org", "reason": "本人更换邮箱"}
    assert coordinator.post(f"/trainees/{victim.id}/edit", data=change).status_code == 302
    db.expire_all()
    assert victim.email == "victim@example.org"
    assert not victim.is_proven(ContactKind.EMAIL)
    assert db.scalars(select(Proposal.proposed_by)).one() is not None
    assert (
        coordinator.post(
            f"/trainees/{victim.id}/proof", data={"email": "y", "document": "resident", "seen": "y"}
        ).status_code
        == 403
    )


def test_typed_facts_of_a_stranger_fill_no_gap_and_warn_of_no_difference(
    coordinator: FlaskClient, offering: Offering, db: Session, make: Make
) -> None:
    person = make.trainee("孙一", name_key="孙一", phone="+8613812340000", district_id=2, birth_year=1980)
    facts = {
        "name": "孙一",
        "phone": "13812340000",
        "email": "typed@example.org",
        "birth_year": "1990",
        "id_type": "resident",
    }
    answer = coordinator.post(f"/offerings/{offering.id}/enrolments/new", data=facts)
    assert answer.status_code == 302, "a warning of a difference would tell that 1990 is wrong"
    db.expire_all()
    assert (person.email, person.birth_year) == (None, 1980)
