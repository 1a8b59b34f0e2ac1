"""Messages to the person who asked for a training, in Chinese and then in English."""

from sqlalchemy.orm import Session

from courses.enrolment.mail import LANGUAGE_SEPARATOR
from courses.models.training_requests import TrainingRequest
from lms.core.errors import N_
from lms.core.languages import chinese
from lms.core.messages import owing
from lms.core.messages.models import Channel
from lms.core.messages.owing import Address, Purpose, Recipient

# The page has said it already, so nobody calls whom the receipt did not reach.
RECEIPT = Purpose("training_request", N_("Requested training received"), called=False, parameters=("course",))
ACCEPTANCE = Purpose("training_request_accepted", N_("Requested training accepted"), parameters=("course",))
DECLINE = Purpose("training_request_declined", N_("Requested training declined"), parameters=("course",))

_RECEIVED = N_("Your request was received: %(course)s")
_RECEIVED_TEXT = N_(
    "The Red Cross of %(district)s received a request with this contact for the training “%(course)s”.\n\n"
    "It calls or writes to you about day and place. You need not do anything until then."
)
_ACCEPTED = N_("Your request was accepted: %(course)s")
_ACCEPTED_TEXT = N_(
    "The Red Cross of %(district)s will hold the training “%(course)s” for “%(organisation)s”.\n\n"
    "It plans the training now and calls or writes to you about day and place."
)
_DECLINED = N_("Your request was declined: %(course)s")
_DECLINED_TEXT = N_(
    "The Red Cross of %(district)s cannot hold the training “%(course)s” for “%(organisation)s”.\n"
    "Reason: %(reason)s\n\nTrainings that anybody can join are at\n%(address)s"
)


def recipient_of(request: TrainingRequest) -> Recipient:
    """The contact person of a request, by e-mail first; the district's staff call whom nothing reaches."""
    contact = request.contact
    addresses = [Address(Channel.EMAIL, contact.email)] if contact.email else []
    addresses += [Address(Channel.SMS, contact.phone)] if contact.phone else []
    return Recipient(
        person=f"training_request:{request.id}",
        name=contact.name,
        addresses=tuple(addresses),
        language=request.language,
        district_id=request.district_id,
    )


def send_receipt(db: Session, request: TrainingRequest) -> None:
    """Tell that a request was received. Nothing in it was typed by whoever asked, who may have given another's contact."""
    _send(db, RECEIPT, request, _RECEIVED, _RECEIVED_TEXT)


def send_acceptance(db: Session, request: TrainingRequest) -> None:
    """Tell that the training will be held."""
    _send(db, ACCEPTANCE, request, _ACCEPTED, _ACCEPTED_TEXT)


def send_decline(db: Session, request: TrainingRequest) -> None:
    """Tell that the training will not be held, and why."""
    _send(db, DECLINE, request, _DECLINED, _DECLINED_TEXT)


def _send(db: Session, purpose: Purpose, request: TrainingRequest, subject: str, text: str) -> None:
    course, district = request.course, request.district
    subjects, texts = [], []
    for translate, course_name, district_name in (
        (chinese().gettext, course.name_zh, district.name_zh),
        (str, course.name_en, district.name_en),
    ):
        subjects.append(translate(subject) % {"course": course_name})
        texts.append(
            translate(text)
            % {
                "course": course_name,
                "district": district_name,
                "organisation": request.organisation_name,
                "reason": request.answer or "",
                "address": f"{owing.SITE}/training/",
            }
        )
    owing.owe(
        db,
        purpose,
        recipient_of(request),
        subject=" / ".join(subjects),
        text=LANGUAGE_SEPARATOR.join(texts),
        parameters={"course": course.name_zh},
        key=f"{purpose.code}:{request.id}",
    )
