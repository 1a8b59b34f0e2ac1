"""Recipients of messages about an enrolment: the contacts that were given for it, or proven ones of the person.

A contact of the record that is only claimed may be somebody else's, so it gets nothing.
"""

from collections.abc import Collection, Iterator

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session, contains_eager, lazyload, object_session

from courses.models.enrolment import Enrolment
from courses.models.trainees import Trainee
from lms.accounts.models import User
from lms.core.contacts import ContactKind, ProvenContacts
from lms.core.messages.models import Channel
from lms.core.messages.owing import Address, Recipient

_CHANNELS = {ContactKind.EMAIL: Channel.EMAIL, ContactKind.PHONE: Channel.SMS}


def of_enrolment(enrolment: Enrolment) -> Recipient:
    """The recipient of messages about an enrolment.

    Tried in this order: the e-mail address and the phone that were given for the enrolment; of a kind that was not given, a
    proven contact of the record; and where there is none of all these, a proven contact of the linked account. The kind that
    the owner of the linked account wishes (`User.messages_by`) comes before the other. If nothing
    reaches the person, the staff of the offering's host and district call the phone that was given, else the record's where
    their district registered the person: whoever enrols a stranger must not be told the stranger's number.
    """
    trainee, offering = enrolment.trainee, enrolment.offering
    given = {ContactKind.EMAIL: enrolment.email, ContactKind.PHONE: enrolment.phone}
    addresses = [Address(_CHANNELS[kind], value) for kind, value in given.items() if value]
    addresses += [address for kind, address in _proven(trainee) if not given[kind]]
    account = _account(enrolment)
    if account is not None:
        addresses = addresses or [address for _kind, address in _proven(account)]
        wished = _CHANNELS.get(account.messages_by) if account.messages_by is not None else None
        addresses.sort(key=lambda address: address.channel is not wished)  # a stable sort: the rest keeps its order
    return Recipient(
        person=f"trainee:{trainee.id}",
        name=trainee.name,
        addresses=tuple(addresses),
        district_id=offering.district_id,
        organisation_id=offering.organisation_id,
        phone=enrolment.phone or (trainee.phone if trainee.district_id == offering.district_id else None),
    )


def of_record(db: Session, trainee: Trainee) -> Recipient:
    """The recipient of messages about what is no enrolment, such as a legacy certificate.

    Tried in this order: the proven contacts of the record; where there is none, those of the linked account. If nothing
    reaches the person, the staff of the district that registered the person call.
    """
    addresses = [address for _kind, address in _proven(trainee)]
    account = db.get(User, trainee.user_id) if trainee.user_id is not None else None
    if account is not None and account.disabled_at is None:
        addresses = addresses or [address for _kind, address in _proven(account)]
        wished = _CHANNELS.get(account.messages_by) if account.messages_by is not None else None
        addresses.sort(key=lambda address: address.channel is not wished)
    return Recipient(
        person=f"trainee:{trainee.id}",
        name=trainee.name,
        addresses=tuple(addresses),
        district_id=trainee.district_id,
        phone=trainee.phone,
    )


def has_address() -> ColumnElement[bool]:
    """The condition, over Enrolment, Trainee and an outer-joined User, that `of_enrolment` finds an address."""
    given = (contact.is_not(None) for contact in (Enrolment.email_sealed, Enrolment.phone_sealed))
    return or_(*given, has_proven_address())


def has_proven_address() -> ColumnElement[bool]:
    """The condition, over Trainee and an outer-joined User, that `of_record` finds an address."""
    return or_(
        *(proof.is_not(None) for proof in (Trainee.email_proven_at, Trainee.phone_proven_at)),
        and_(User.disabled_at.is_(None), or_(User.email_proven_at.is_not(None), User.phone_proven_at.is_not(None))),
    )


def reachable(db: Session, enrolment_ids: Collection[int]) -> Iterator[tuple[Enrolment, Recipient]]:
    """The enrolments with an address to which messages about them go, in one statement, with their recipients."""
    rows = db.execute(
        select(Enrolment, User)
        .join(Enrolment.trainee)
        .join(Enrolment.offering)
        .outerjoin(User, User.id == Trainee.user_id)
        .options(contains_eager(Enrolment.trainee), contains_eager(Enrolment.offering), lazyload(User.grants))
        .where(Enrolment.id.in_(enrolment_ids), has_address())
        .order_by(Enrolment.id)
    ).all()  # the accounts stay in the session as long as the list does, so that `_account` reads none again
    for enrolment, _account_of_trainee in rows:
        yield enrolment, of_enrolment(enrolment)


def _account(enrolment: Enrolment) -> User | None:
    """The account that is linked to the person's record, if it is in use."""
    if enrolment.trainee.user_id is None:
        return None
    db = object_session(enrolment)
    if db is None:
        raise AssertionError("the enrolment was read in a session")
    account = db.get(User, enrolment.trainee.user_id)
    return account if account is not None and account.disabled_at is None else None


def _proven(person: ProvenContacts) -> list[tuple[ContactKind, Address]]:
    """The proven contacts of a person, the e-mail address first."""
    return [
        (kind, Address(channel, value))
        for kind, channel in _CHANNELS.items()
        if person.is_proven(kind) and (value := getattr(person, kind))
    ]
