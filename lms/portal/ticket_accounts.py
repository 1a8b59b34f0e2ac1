"""Accounts that trainees create from a ticket, which show the trainee's whole record."""

from sqlalchemy.orm import Session

from courses.models.enrolment import Enrolment, EnrolmentSource, EnrolmentState
from lms.accounts import users
from lms.accounts.models import User
from lms.accounts.roles import GrantFacts
from lms.accounts.users import UserFacts
from lms.core import audit
from lms.core.errors import N_, DomainError
from lms.core.scope import EVERYTHING, Role


def may_claim(enrolment: Enrolment) -> bool:
    """Tell whether this ticket proves enough to show all of a person's trainings.

    A ticket that staff handed over does. A ticket from self-enrolment proves only that somebody knew a name and a phone, so it
    is enough only if it created the trainee's record: then there is nothing of another person to see.
    """
    trainee = enrolment.trainee
    if trainee.user_id is not None or trainee.phone is None or enrolment.state == EnrolmentState.CANCELLED:
        return False
    return enrolment.source != EnrolmentSource.SELF or trainee.created_at == enrolment.created_at


def claim(db: Session, enrolment: Enrolment, *, email: str | None, password: str, language: str) -> User:
    """Create an account for a ticket's holder, who signs in by the phone of the enrolment or by e-mail."""
    db.refresh(enrolment.trainee, with_for_update=True)
    if not may_claim(enrolment):
        raise DomainError(
            "not_claimable", N_("This ticket cannot be used to create an account. Contact the host organisation.")
        )
    trainee = enrolment.trainee
    if users.find(db, trainee.phone or "") is not None or (email and users.find(db, email) is not None):
        raise DomainError(
            "account_exists",
            N_(
                "An account with this phone number or e-mail address already exists. Sign "
                "in, or contact the host organisation."
            ),
        )
    facts = UserFacts(name=trainee.name, email=email, phone=trainee.phone, language=language)
    user = users.create(db, facts, [GrantFacts(Role.TRAINEE)], EVERYTHING, None).user
    users.set_password(db, user, password)
    trainee.user_id = user.id
    db.flush()
    audit.record(db, "trainee.claim", trainee, after={"user": user.id})
    return user
