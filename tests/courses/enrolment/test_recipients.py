"""Recipients of messages about an enrolment."""

from sqlalchemy.orm import Session

from courses.enrolment import recipients
from lms.core import clock
from lms.core.contacts import ContactKind, ContactProof
from lms.core.messages.models import Channel
from lms.core.messages.owing import Address
from lms.core.scope import Role
from tests.factories import Make


def test_the_contacts_of_the_enrolment_come_first_and_its_staff_call(make: Make) -> None:
    enrolment = make.enrolment(make.offering(), make.trainee(email="record@example.org", phone="+8613800138000"))
    enrolment.email, enrolment.phone = "given@example.org", "+8613900139000"
    recipient = recipients.of_enrolment(enrolment)
    assert recipient.addresses == (
        Address(Channel.EMAIL, "given@example.org"), Address(Channel.SMS, "+8613900139000"),
    )  # fmt: skip
    assert (recipient.person, recipient.phone) == (f"trainee:{enrolment.trainee_id}", "+8613900139000")
    offering = enrolment.offering
    assert (recipient.district_id, recipient.organisation_id) == (offering.district_id, offering.organisation_id)


def test_claimed_contacts_of_the_record_get_nothing_and_proven_ones_do(make: Make) -> None:
    """Whoever enrolled an unknown person by name and phone gets no mail when staff enrol that person later."""
    trainee = make.trainee(phone="+8613800138000", email="record@example.org")
    enrolment = make.enrolment(make.offering(), trainee)
    assert recipients.of_enrolment(enrolment).addresses == ()
    trainee.set_proof(ContactKind.PHONE, ContactProof.CODE)
    assert recipients.of_enrolment(enrolment).addresses == (Address(Channel.SMS, "+8613800138000"),)
    enrolment.email = "given@example.org"
    trainee.set_proof(ContactKind.EMAIL, ContactProof.CODE)
    assert recipients.of_enrolment(enrolment).addresses == (
        Address(Channel.EMAIL, "given@example.org"), Address(Channel.SMS, "+8613800138000"),
    )  # fmt: skip


def test_the_account_is_told_where_nothing_else_is_known(db: Session, make: Make) -> None:
    user = make.user(Role.TRAINEE, email="account@example.org", proven=False)
    enrolment = make.enrolment(make.offering(), make.trainee(user_id=user.id))
    assert recipients.of_enrolment(enrolment).addresses == ()
    user.set_proof(ContactKind.EMAIL, ContactProof.LINK)
    db.flush()
    assert recipients.of_enrolment(enrolment).addresses == (Address(Channel.EMAIL, "account@example.org"),)
    user.disabled_at = clock.now()
    db.flush()
    assert recipients.of_enrolment(enrolment).addresses == ()


def test_staff_call_the_given_phone_or_the_one_that_their_district_registered(make: Make) -> None:
    """Whoever enrols a stranger of another district by name and ID number is not told the stranger's number."""
    offering = make.offering(organisation=make.organisation(1))
    own, stranger = (make.enrolment(offering, make.trainee(district_id=district)) for district in (1, 2))
    assert recipients.of_enrolment(own).phone == own.trainee.phone
    assert recipients.of_enrolment(stranger).phone is None
    stranger.phone = "+8613900000001"
    assert recipients.of_enrolment(stranger).phone == "+8613900000001"


def test_the_kind_that_the_owner_of_the_account_wishes_comes_first(db: Session, make: Make) -> None:
    user = make.user(Role.TRAINEE, email="account@example.org", phone="+8613800138000")
    enrolment = make.enrolment(make.offering(), make.trainee(user_id=user.id))
    by_mail, by_sms = Address(Channel.EMAIL, "account@example.org"), Address(Channel.SMS, "+8613800138000")
    assert recipients.of_enrolment(enrolment).addresses == (by_mail, by_sms)
    user.messages_by = ContactKind.PHONE
    db.flush()
    assert recipients.of_enrolment(enrolment).addresses == (by_sms, by_mail)
    enrolment.email, enrolment.phone = "given@example.org", "+8613900139000"
    assert [address.value for address in recipients.of_enrolment(enrolment).addresses] == [
        "+8613900139000", "given@example.org",
    ]  # fmt: skip


def test_those_with_an_address_are_found_in_one_statement(db: Session, make: Make, statements: list[str]) -> None:
    offering = make.offering()
    given = make.enrolment(offering, email="given@example.org")
    proven = make.enrolment(offering, make.trainee(phone="+8613800138000"))
    proven.trainee.set_proof(ContactKind.PHONE, ContactProof.CODE)
    linked = make.enrolment(offering, make.trainee(user_id=make.user().id))
    disabled = make.enrolment(offering, make.trainee(user_id=make.user(disabled_at=clock.now()).id))
    claimed = make.enrolment(offering, make.trainee(email="claimed@example.org"))
    db.flush()
    db.expire_all()
    ids = [row.id for row in (given, proven, linked, disabled, claimed)]
    db.expire_all()
    statements.clear()
    reached = list(recipients.reachable(db, ids))
    assert len(statements) == 1
    assert [enrolment for enrolment, _recipient in reached] == [given, proven, linked]
    assert all(recipient.addresses for _enrolment, recipient in reached)
