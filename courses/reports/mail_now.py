"""A report that is sent by e-mail at once, with its table in the mail and its files beside it.

It may go to the sender and to every user who lies within the sender's reach. It holds figures of the sender's scope and
nothing of any trainee. One mail an hour goes to a person about the same report, so a form that is sent twice sends once.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from lms.accounts.models import User
from lms.core import audit, clock
from lms.core.errors import N_, DomainError
from lms.core.messages import owing
from lms.core.messages.channels.interface import Attachment
from lms.core.messages.models import Channel
from lms.core.messages.owing import Address, Draft, Purpose, Recipient
from lms.core.name_order import by_sound
from lms.core.scope import Scope

REPORT_NOW = Purpose("report_now", N_("Report sent by a colleague"), called=False)
MOST_LISTED = 200
MOST_RECIPIENTS = 20


@dataclass(frozen=True)
class ReportMail:
    """The content of a mail in one language: the text, the same with a table as HTML, and the files."""

    subject: str
    text: str
    html: str
    attachments: Sequence[Attachment]


def recipients(db: Session, sender: User, scope: Scope) -> list[User]:
    """The users whom a sender may mail a report to, the sender first: those within reach who have an e-mail address."""
    statement = (
        select(User)
        .where(User.disabled_at.is_(None), User.email_index.is_not(None))
        .where(or_(User.id == sender.id, User.visible_to(scope)))
        .order_by(User.id != sender.id, User.name, User.id)
        .limit(MOST_LISTED)
    )
    return sorted(db.scalars(statement), key=lambda user: (user.id != sender.id, by_sound(user.name), user.id))


def send(
    db: Session,
    chosen: Collection[User],
    mails: Mapping[str, ReportMail],
    *,
    report: str,
    arguments: Mapping[str, str],
) -> int:
    """Owe the mail to each of the chosen users, in the user's language, and return their number. mails: by language.

    Raises DomainError on the field `recipients` for nobody, and for too many at once.
    """
    if not 0 < len(chosen) <= MOST_RECIPIENTS:
        raise DomainError(
            "recipients", N_("Choose 1 to %(most)s recipients."), field="recipients", most=MOST_RECIPIENTS
        )
    asked = "&".join(f"{name}={value}" for name, value in sorted(arguments.items()))
    hour = int(clock.now().timestamp()) // 3600
    drafts = [
        Draft(
            REPORT_NOW,
            Recipient(f"user:{user.id}", user.name, (Address(Channel.EMAIL, user.email or ""),), user.language),
            mails[user.language].subject,
            mails[user.language].text,
            key=f"report_now:{report}:{asked}:{user.id}:{hour}",
            html=mails[user.language].html,
            attachments=mails[user.language].attachments,
        )
        for user in chosen
    ]
    owing.owe_many(db, drafts)
    audit.record(db, "report.mail", f"report:{report}", after={"recipients": len(drafts), "filters": dict(arguments)})
    return len(drafts)
