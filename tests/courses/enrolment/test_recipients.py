"""Recipients of messages about an enrolment."""

from courses.enrolment import recipients
from lms.core.contacts import ContactKind, ContactProof
from lms.core.messages.models import Channel
from lms.core.messages.owing import Address
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


def test_a_claimed_phone_of_the_record_is_called_and_gets_no_message(make: Make) -> None:
    enrolment = make.enrolment(make.offering(), make.trainee(phone="+8613800138000"))
    assert recipients.of_enrolment(enrolment).addresses == ()
    assert recipients.of_enrolment(enrolment).phone == "+8613800138000"
    enrolment.trainee.set_proof(ContactKind.PHONE, ContactProof.CODE)
    assert recipients.of_enrolment(enrolment).addresses == (Address(Channel.SMS, "+8613800138000"),)
