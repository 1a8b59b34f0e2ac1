"""Recipients of messages about an enrolment: the addresses that were given for it, and whose staff call otherwise."""

from courses.models.enrolment import Enrolment
from lms.core.contacts import ContactKind
from lms.core.messages.models import Channel
from lms.core.messages.owing import Address, Recipient


def of_enrolment(enrolment: Enrolment) -> Recipient:
    """The recipient of messages about an enrolment.

    E-mail first, then a phone that was given for this enrolment or that the trainee has proven. If neither reaches the
    person, the staff of the offering's host and district call the phone of the enrolment or of the record.
    """
    trainee, offering = enrolment.trainee, enrolment.offering
    addresses = []
    email = enrolment.email or trainee.email
    if email:
        addresses.append(Address(Channel.EMAIL, email))
    phone = enrolment.phone or (trainee.phone if trainee.is_proven(ContactKind.PHONE) else None)
    if phone:
        addresses.append(Address(Channel.SMS, phone))
    return Recipient(
        person=f"trainee:{trainee.id}",
        name=trainee.name,
        addresses=tuple(addresses),
        district_id=offering.district_id,
        organisation_id=offering.organisation_id,
        phone=enrolment.phone or trainee.phone,
    )
