"""Recipients of messages about an enrolment: the contacts that were given for it, or proven ones of the person.

A contact of the record that is only claimed may be somebody else's, so it gets nothing.
"""

from sqlalchemy import select
from sqlalchemy.orm import object_session

from courses.models.enrolment import Enrolment
from lms.accounts.models import User
from lms.core.contacts import ContactKind, ProvenContacts
from lms.core.messages.models import Channel
from lms.core.messages.owing import Address, Recipient

_CHANNELS = {ContactKind.EMAIL: Channel.EMAIL, ContactKind.PHONE: Channel.SMS}


def of_enrolment(enrolment: Enrolment) -> Recipient:
    """The recipient of messages about an enrolment.

    Tried in this order: the e-mail address and the phone that were given for the enrolment; of a kind that was not given, a
    proven contact of the record; and where there is none of all these, a proven contact of the linked account. If nothing
    reaches the person, the staff of the offering's host and district call the phone that was given, else the record's where
    their district registered the person: whoever enrols a stranger must not be told the stranger's number.
    """
    trainee, offering = enrolment.trainee, enrolment.offering
    given = {ContactKind.EMAIL: enrolment.email, ContactKind.PHONE: enrolment.phone}
    addresses = [Address(_CHANNELS[kind], value) for kind, value in given.items() if value]
    addresses += [address for kind, address in _proven(trainee) if not given[kind]]
    if not addresses and trainee.user_id is not None:
        addresses += [address for _kind, address in _of_account(enrolment)]
    return Recipient(
        person=f"trainee:{trainee.id}",
        name=trainee.name,
        addresses=tuple(addresses),
        district_id=offering.district_id,
        organisation_id=offering.organisation_id,
        phone=enrolment.phone or (trainee.phone if trainee.district_id == offering.district_id else None),
    )


def _of_account(enrolment: Enrolment) -> list[tuple[ContactKind, Address]]:
    db = object_session(enrolment)
    if db is None:
        raise AssertionError("the enrolment was read in a session")
    account = db.scalars(
        select(User).where(User.id == enrolment.trainee.user_id, User.disabled_at.is_(None))
    ).one_or_none()
    return _proven(account) if account is not None else []


def _proven(person: ProvenContacts) -> list[tuple[ContactKind, Address]]:
    """The proven contacts of a person, the e-mail address first."""
    return [
        (kind, Address(channel, value))
        for kind, channel in _CHANNELS.items()
        if person.is_proven(kind) and (value := getattr(person, kind))
    ]
