"""Messages to a person about a change of the person's own record: one was proposed, or one was made."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from courses.events import PeopleIdentified
from courses.models.trainees import Trainee
from lms.core.contacts import ContactKind
from lms.core.errors import N_
from lms.core.events import publish
from lms.core.languages import chinese
from lms.core.messages import owing
from lms.core.messages.models import Channel
from lms.core.messages.owing import Address, Purpose, Recipient

PROPOSED = Purpose("record_proposed", N_("Change of a record proposed"), called=False)
CHANGED = Purpose("record_changed", N_("Contact of a record changed"), called=False)

ANSWERED = Purpose("record_answered", N_("Request about own data answered"), called=False)

_SEPARATOR = "\n\n" + "-" * 32 + "\n\n"

_PROPOSED_SUBJECT = N_("A change of your training record was proposed")
_PROPOSED_TEXT = N_(
    "A host organisation has proposed a change of your training record. The record has not changed.\n\nIf you have an account,"
    " sign in to accept or refuse the change: %(address)s\nOtherwise the branch decides. If you know nothing of this, tell"
    " the host organisation or the branch."
)
_CHANGED_SUBJECT = N_("A contact in your training record was changed")
_CHANGED_TEXT = N_(
    "The phone number or e-mail address in your training record was changed. This message goes to the earlier contact, too."
    "\n\nIf you know nothing of this, tell the host organisation or the branch."
)
_ANSWERED_SUBJECT = N_("Your request about your training data was answered")
_ANSWERED_TEXT = N_("Your request about your training data was answered.\n\nAnswer: %(answer)s")


@dataclass(frozen=True)
class RecordContact:
    """A contact of a record at one moment."""

    kind: ContactKind
    value: str
    proven: bool

    @property
    def address(self) -> Address:
        """The contact as an address of a message."""
        return Address(Channel.SMS if self.kind is ContactKind.PHONE else Channel.EMAIL, self.value)


def contacts_of(trainee: Trainee) -> Sequence[RecordContact]:
    """The contacts of a record: the e-mail address first, then the phone."""
    pairs = ((ContactKind.EMAIL, trainee.email), (ContactKind.PHONE, trainee.phone))
    return [RecordContact(kind, value, trainee.is_proven(kind)) for kind, value in pairs if value]


def tell_proposed(db: Session, trainee: Trainee) -> None:
    """Tell the owner of a record with a proven contact that a change was proposed."""
    addresses = tuple(contact.address for contact in contacts_of(trainee) if contact.proven)
    if addresses:
        text = {"address": f"{owing.SITE}/my-training/"}
        _owe(db, PROPOSED, trainee, addresses, (_PROPOSED_SUBJECT, _PROPOSED_TEXT), text)


def tell_changed(db: Session, trainee: Trainee, before: Sequence[RecordContact]) -> None:
    """Tell a person of a changed contact: each contact that was replaced, also a claimed one, and a proven one that stays.

    A claimed contact may be somebody else's, so the text names nobody.
    """
    now = {(contact.kind, contact.value) for contact in contacts_of(trainee)}
    replaced = [contact for contact in before if (contact.kind, contact.value) not in now]
    if not replaced and len(now) == len(before):
        return
    remaining = [contact for contact in before if contact.proven and contact not in replaced]
    for contact in (*replaced, *remaining):
        _owe(db, CHANGED, trainee, (contact.address,), (_CHANGED_SUBJECT, _CHANGED_TEXT), {})


def tell_answer(db: Session, trainee: Trainee, outcome: str, answer: str | None) -> None:
    """Tell the owner of a record with a proven contact how a request about the own data was answered.

    outcome: in both languages. answer: the words of whoever decided, as they are.
    """
    addresses = tuple(contact.address for contact in contacts_of(trainee) if contact.proven)
    if addresses:
        _owe(
            db,
            ANSWERED,
            trainee,
            addresses,
            (_ANSWERED_SUBJECT, _ANSWERED_TEXT),
            {"answer": f"{outcome} {answer or ''}".strip()},
        )


def in_both(text: str, separator: str = _SEPARATOR) -> str:
    """A msgid in both languages, Chinese first."""
    return f"{chinese().gettext(text)}{separator}{text}"


def _owe(  # noqa: PLR0917  # the parts of one message
    db: Session,
    purpose: Purpose,
    trainee: Trainee,
    addresses: tuple[Address, ...],
    texts: tuple[str, str],
    values: dict[str, str],
) -> None:
    """Owe a message in both languages, which names nobody."""
    subject, text = texts
    translate = chinese().gettext
    recipient = Recipient(f"trainee:{trainee.id}", "", addresses, district_id=trainee.district_id)
    owing.owe(
        db,
        purpose,
        recipient,
        subject=f"{translate(subject)} / {subject}",
        text=_SEPARATOR.join((translate(text) % values, text % values)),
    )


def publish_identified(db: Session, people: Sequence[Trainee]) -> None:
    """Publish that ID numbers or names of people are new: records from before this system may be theirs."""
    if people:
        publish(db, PeopleIdentified(tuple(person.id for person in people)))
