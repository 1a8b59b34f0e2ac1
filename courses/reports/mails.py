"""Reports by mail: the monthly and the quarterly report for users who subscribed, with the figures of their own scope.

The database says which mails are due: each user gets each period once, whichever worker sends it and however often the
task runs. A worker that was down on the first of the month sends on the next days. A mail holds figures and links, and
nothing of any trainee.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from sqlalchemy import delete, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from courses.counting import targets
from courses.counting.quarters import Quarter
from courses.counting.rule import RULE
from courses.models.catalogue import Programme
from courses.models.report_mails import ReportFrequency, ReportMail, ReportSubscription
from courses.reports import enrolment
from courses.reports.enrolment import EnrolmentReport
from courses.reports.ledger import Figures
from courses.reports.questions import Filters, Grouping, Question
from lms.accounts.models import RoleGrant, User
from lms.core import clock
from lms.core.access import scope_of
from lms.core.errors import N_, Denied
from lms.core.languages import each_language, named, organisation_name, whole
from lms.core.messages import owing
from lms.core.messages.models import Channel
from lms.core.messages.owing import Address, Purpose, Recipient
from lms.core.scope import READERS, Scope
from lms.organisations import districts
from lms.organisations.models import District

SENDING_DAYS = 7  # the first days of a month, on which the reports of the month before are still sent
MAILS_LISTED = 12
REPORT = Purpose("report", N_("Report by mail"), called=False)
SEPARATOR = "\n\n" + "-" * 32 + "\n\n"  # between the two languages


@dataclass(frozen=True)
class MailPeriod:
    """A month or a quarter that is over. name: "2026-10" or "2026Q3"."""

    rhythm: ReportFrequency
    name: str
    first: date
    last: date

    @property
    def year_before(self) -> tuple[date, date]:
        """The first and last day of the same month or quarter a year before.

        A February ends there on its own last day.
        """
        first = self.first.replace(year=self.first.year - 1)
        day_after = self.last + timedelta(days=1)
        return first, day_after.replace(year=day_after.year - 1) - timedelta(days=1)


@dataclass(frozen=True)
class ProgrammeFigures:
    """The figures of one programme, or of all, in a mail.

    before: person-times of the same period a year earlier. so_far: person-times of the year until the end of the
    period. Both include totals from before the system, as they do where they are held against targets.
    """

    programme: Programme
    figures: Figures
    before: int
    so_far: int
    target: int | None


@dataclass(frozen=True)
class ReportLetter:
    """The content of one mail, before it is put into words.

    total: of all programmes; None where nothing was counted. districts: those of the scope; None for the whole branch.
    """

    period: MailPeriod
    programmes: tuple[ProgrammeFigures, ...]
    total: ProgrammeFigures | None
    report: EnrolmentReport
    districts: tuple[District, ...] | None


def periods_due(today: date) -> tuple[MailPeriod, ...]:
    """The periods whose reports are sent on a day.

    On 3 July, for example, June and the second quarter; on 3 August, July; on 20 July, none.
    """
    if today.day > SENDING_DAYS:
        return ()
    last = today.replace(day=1) - timedelta(days=1)
    month = MailPeriod(ReportFrequency.MONTH, f"{last:%Y-%m}", last.replace(day=1), last)
    quarter = Quarter.of(last)
    if quarter == Quarter.of(today):
        return (month,)
    return month, MailPeriod(ReportFrequency.QUARTER, str(quarter), quarter.first, quarter.last)


def subscribe(db: Session, user: User, rhythms: Collection[ReportFrequency]) -> None:
    """Set which reports a user gets; an empty collection stops them all.

    Raises Denied for a user who reads no reports.
    """
    require_reader(user)
    db.execute(
        delete(ReportSubscription).where(
            ReportSubscription.user_id == user.id, ReportSubscription.rhythm.not_in(list(rhythms))
        )
    )
    for rhythm in rhythms:
        row = {"user_id": user.id, "rhythm": rhythm, "asked_at": clock.now()}
        db.execute(insert(ReportSubscription).values(row).on_conflict_do_nothing())


def subscriptions_of(db: Session, user: User) -> set[ReportFrequency]:
    """The reports that a user gets. Raises Denied for a user who reads no reports."""
    require_reader(user)
    return set(db.scalars(select(ReportSubscription.rhythm).where(ReportSubscription.user_id == user.id)))


def latest_mails(db: Session, user: User) -> Sequence[ReportMail]:
    """The latest mails of a user, newest first."""
    statement = select(ReportMail).where(ReportMail.user_id == user.id).order_by(ReportMail.owed_at.desc())
    return db.scalars(statement.limit(MAILS_LISTED)).all()


def require_reader(user: User) -> None:
    """Raise Denied for a user who holds no role that reads reports."""
    if not _reader_grants(user.grants):
        raise Denied


def owe_next(db: Session, zone: ZoneInfo) -> bool:
    """Owe the next mail that is due, and return whether there was one.

    The caller commits, and calls again until there is none.

    Two workers never take the same user: the subscription is locked (SKIP LOCKED), and the row of the mail is unique.
    """
    for period in periods_due(clock.today(zone)):
        user = _next_reader(db, period)
        if user is None:
            continue
        row = {"user_id": user.id, "rhythm": period.rhythm, "period": period.name, "owed_at": clock.now()}
        new = db.scalar(insert(ReportMail).values(row).on_conflict_do_nothing().returning(ReportMail.user_id))
        if new is not None and user.email:
            _owe_mail(db, user, letter(db, period, scope_of(user.id, _reader_grants(user.grants)), zone))
        db.flush()
        return True
    return False


def letter(db: Session, period: MailPeriod, scope: Scope, zone: ZoneInfo) -> ReportLetter:
    """The figures of a period within a scope."""

    def report(since: date, until: date) -> EnrolmentReport:
        question = Question(Filters(since, until, grouping=Grouping.PROGRAMME), scope)
        return enrolment.report(db, question, zone=zone)

    of_period = report(period.first, period.last)
    before = _person_times(report(*period.year_before))
    so_far = _person_times(report(date(period.first.year, 1, 1), period.last))
    targets_of_year = targets.read(db, period.first.year, scope)
    figures = {row.key: row.figures for row in of_period.rows}
    programmes = [
        ProgrammeFigures(
            programme=programme,
            figures=figures.get(programme.code, Figures()),
            before=before.get(programme.code, 0),
            so_far=so_far.get(programme.code, 0),
            target=targets_of_year.of_programme(programme.code).target,
        )
        for programme in targets_of_year.programmes
    ]
    programmes = [
        programme
        for programme in programmes
        if programme.figures != Figures() or programme.before or programme.so_far or programme.target
    ]
    return ReportLetter(
        period,
        tuple(programmes),
        _sum(programmes),
        of_period,
        None if scope.everything else tuple(districts.administered(db, scope)),
    )


def _reader_grants(grants: Iterable[RoleGrant]) -> list[RoleGrant]:
    return [grant for grant in grants if grant.role in READERS]


def _next_reader(db: Session, period: MailPeriod) -> User | None:
    """A user who subscribed, may still read reports, has an e-mail address, and has no mail of this period. Locked."""
    reads = exists().where(RoleGrant.user_id == User.id, RoleGrant.role.in_(READERS))
    owed = exists().where(
        ReportMail.user_id == User.id, ReportMail.rhythm == period.rhythm, ReportMail.period == period.name
    )
    return db.scalars(
        select(User)
        .join(ReportSubscription, ReportSubscription.user_id == User.id)
        .where(ReportSubscription.rhythm == period.rhythm, User.disabled_at.is_(None), User.email_index.is_not(None))
        .where(reads, ~owed)
        .order_by(User.id)
        .limit(1)
        .with_for_update(of=ReportSubscription, skip_locked=True)
    ).one_or_none()


def _person_times(report: EnrolmentReport) -> Mapping[str, int]:
    """Person-times by programme, with the totals from before the system."""
    person_times = {row.key: row.figures.person_times for row in report.rows}
    for programme, number in report.opening.by_key.items():
        person_times[programme] = person_times.get(programme, 0) + number
    return person_times


def _sum(programmes: Sequence[ProgrammeFigures]) -> ProgrammeFigures | None:
    if not programmes:
        return None
    targets_set = [programme.target for programme in programmes if programme.target is not None]
    return ProgrammeFigures(
        programme=programmes[0].programme,
        figures=sum((programme.figures for programme in programmes), Figures()),
        before=sum(programme.before for programme in programmes),
        so_far=sum(programme.so_far for programme in programmes),
        target=sum(targets_set) if targets_set else None,
    )


def _owe_mail(db: Session, user: User, content: ReportLetter) -> None:
    subjects, texts = [], []
    for _language in each_language():
        subjects.append(_subject(content.period))
        texts.append(_text(content))
    address = (Address(Channel.EMAIL, user.email),) if user.email else ()
    recipient = Recipient(f"user:{user.id}", user.name, address, user.language)
    owing.owe(
        db,
        REPORT,
        recipient,
        subject=" / ".join(subjects),
        text=SEPARATOR.join(texts),
        key=f"report:{content.period.rhythm}:{content.period.name}:{user.id}",
    )


def _subject(period: MailPeriod) -> str:
    if period.rhythm is ReportFrequency.MONTH:
        return str(_("Monthly training report %(period)s", period=period.name))
    return str(_("Quarterly training report %(period)s", period=period.name))


def _text(content: ReportLetter) -> str:
    period, report = content.period, content.report
    paragraphs = [
        f"{organisation_name()}\n{_subject(period)} ({period.first.isoformat()} – {period.last.isoformat()})",
        _("Covers: %(places)s", places=_district_names(content.districts)),
    ]
    paragraphs += [_programme(named(programme.programme), programme, period) for programme in content.programmes]
    if content.total is None:
        paragraphs.append(_("Nothing was counted in this period."))
    elif len(content.programmes) > 1:
        paragraphs.append(_programme(_("All programmes"), content.total, period))
    notes = []
    if content.districts is not None:
        notes.append(_("Whole branch: %(number)s", number=whole(report.branch.person_times)))
    if report.progress.offerings:
        notes.append(
            _(
                "Not closed yet and not in the figures: offerings of this period "
                "%(offerings)s, attended so far %(people)s.",
                offerings=whole(report.progress.offerings),
                people=whole(report.progress.named),
            )
        )
    if notes:
        paragraphs.append("\n".join(notes))
    query = urlencode(report.question.filters.address())
    paragraphs += [
        _("Counting rule") + "\n" + str(RULE[0]),
        _(
            "The report, with every number down to its sessions: %(page)s\nAs a PDF: %(paper)s",
            page=f"{owing.SITE}/reports/enrolment?{query}",
            paper=f"{owing.SITE}/reports/enrolment.pdf?{query}",
        ),
        _("You asked for this mail. To stop it: %(page)s", page=f"{owing.SITE}/reports/by-mail"),
    ]
    return "\n\n".join(paragraphs)


def _district_names(in_scope: Sequence[District] | None) -> str:
    if in_scope is None:
        return str(_("the whole branch"))
    return ", ".join(named(district) for district in in_scope)


def _programme(name: str, programme: ProgrammeFigures, period: MailPeriod) -> str:
    figures = programme.figures
    growth = (figures.person_times - programme.before) / programme.before if programme.before else None
    texts = [
        name,
        _(
            "  Person-times: %(number)s (%(named)s named + %(counted)s by headcount)",
            number=whole(figures.person_times),
            named=whole(figures.named),
            counted=whole(figures.counted),
        ),
        _(
            "  The same period a year before: %(number)s%(growth)s",
            number=whole(programme.before),
            growth="" if growth is None else f" ({growth:+.1%})",
        ),
        _(
            "  Person-hours: %(hours)s; certificates issued: %(certificates)s",
            hours=f"{figures.minutes / 60:,.1f}",
            certificates=whole(figures.certificates),
        ),
    ]
    if programme.target is None:
        texts.append(_("  %(year)s so far: %(number)s", year=period.first.year, number=whole(programme.so_far)))
    else:
        texts.append(
            _(
                "  %(year)s so far: %(number)s of the target of %(target)s (%(share)s)",
                year=period.first.year,
                number=whole(programme.so_far),
                target=whole(programme.target),
                share=f"{programme.so_far / programme.target:.1%}",
            )
        )
    return "\n".join(str(text) for text in texts)
