"""The monthly and the quarterly report by mail, to those who asked: figures of their own reach, and the way to the page.

What is due is found in the database: each period once for each person, whoever sends it and however often it is tried. A
worker that was down on the first sends on the next days. Figures alone are mailed, nothing of any trainee.
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
from courses.reports.enrolment import Report
from courses.reports.filters import Filters, Grouping
from courses.reports.ledger import Figures
from lms.accounts.models import RoleGrant, User
from lms.core import clock, mail
from lms.core.access import scope_of
from lms.core.errors import Denied
from lms.core.languages import each_language, named, organisation_name
from lms.core.scope import READERS, Scope
from lms.organisations import districts
from lms.organisations.models import District

DAYS = 7  # of a month on which its predecessor's reports are still sent
LATEST = 12
LINE = "\n\n" + "-" * 32 + "\n\n"


@dataclass(frozen=True)
class Span:
    """A month or quarter that is over. name: "2026-10" or "2026Q3"."""

    rhythm: ReportFrequency
    name: str
    first: date
    last: date

    @property
    def year_before(self) -> tuple[date, date]:
        """The same month or quarter of the year before, to its own last day: February may end on another one."""
        first = self.first.replace(year=self.first.year - 1)
        after = self.last + timedelta(days=1)
        return first, after.replace(year=after.year - 1) - timedelta(days=1)


@dataclass(frozen=True)
class ProgrammeLine:
    """One programme in the period. before: person-times of the same period a year earlier. so_far: of the year to its end.

    `before` and `so_far` hold totals from before the system, as targets are held against them.
    """

    programme: Programme
    figures: Figures
    before: int
    so_far: int
    target: int | None


@dataclass(frozen=True)
class Letter:
    """What one mail says, before it is put into words."""

    span: Span
    lines: tuple[ProgrammeLine, ...]
    total: ProgrammeLine | None
    report: Report
    places: tuple[District, ...] | None


def months_and_quarters(today: date) -> tuple[Span, ...]:
    """What is sent on a day: last month's report in a month's first days, last quarter's in a quarter's. Else nothing."""
    if today.day > DAYS:
        return ()
    last = today.replace(day=1) - timedelta(days=1)
    month = Span(ReportFrequency.MONTH, f"{last:%Y-%m}", last.replace(day=1), last)
    quarter = Quarter.of(last)
    if quarter == Quarter.of(today):
        return (month,)
    return month, Span(ReportFrequency.QUARTER, f"{quarter.year}Q{quarter.number}", quarter.first, quarter.last)


def ask(db: Session, user: User, wanted: Collection[ReportFrequency]) -> None:
    """Set what somebody wants to get; nothing is to stop it. Raises Denied for who reads no reports."""
    demand_reader(user)
    db.execute(
        delete(ReportSubscription).where(
            ReportSubscription.user_id == user.id, ReportSubscription.rhythm.not_in(list(wanted))
        )
    )
    for rhythm in wanted:
        row = {"user_id": user.id, "rhythm": rhythm, "asked_at": clock.now()}
        db.execute(insert(ReportSubscription).values(row).on_conflict_do_nothing())


def wanted_by(db: Session, user: User) -> set[ReportFrequency]:
    """What somebody gets. Raises Denied for who reads no reports."""
    demand_reader(user)
    return set(db.scalars(select(ReportSubscription.rhythm).where(ReportSubscription.user_id == user.id)))


def sent_to(db: Session, user: User) -> Sequence[ReportMail]:
    """The latest that were mailed to somebody, newest first."""
    statement = select(ReportMail).where(ReportMail.user_id == user.id).order_by(ReportMail.owed_at.desc())
    return db.scalars(statement.limit(LATEST)).all()


def demand_reader(user: User) -> None:
    """Raise Denied for who holds no role that reads reports."""
    if not _reading(user.grants):
        raise Denied


def owe_next(db: Session, zone: ZoneInfo) -> bool:
    """Owe the next mail that is due; whether there was one. The caller commits and asks again until there is none.

    Of two workers each takes another person's: the rows are locked, and the row of the mail can be written once.
    """
    today = clock.today(zone)
    for span in months_and_quarters(today):
        user = _next_reader(db, span)
        if user is None:
            continue
        row = {"user_id": user.id, "rhythm": span.rhythm, "period": span.name, "owed_at": clock.now()}
        new = db.scalar(insert(ReportMail).values(row).on_conflict_do_nothing().returning(ReportMail.user_id))
        if new is not None and user.email:
            _tell(db, user.email, letter(db, span, scope_of(user.id, _reading(user.grants)), zone))
        db.flush()
        return True
    return False


def letter(db: Session, span: Span, scope: Scope, zone: ZoneInfo) -> Letter:
    """The figures of a period in somebody's reach."""
    filters = Filters(span.first, span.last, grouping=Grouping.PROGRAMME)
    first, last = span.year_before
    of_period = enrolment.report(db, filters, scope, zone=zone)
    before = _person_times(enrolment.report(db, Filters(first, last, grouping=Grouping.PROGRAMME), scope, zone=zone))
    january = date(span.first.year, 1, 1)
    so_far = _person_times(
        enrolment.report(db, Filters(january, span.last, grouping=Grouping.PROGRAMME), scope, zone=zone)
    )
    aims = targets.read(db, span.first.year, scope)
    figures = {row.key: row.figures for row in of_period.rows}
    lines = [
        ProgrammeLine(
            programme=programme,
            figures=figures.get(programme.code, Figures()),
            before=before.get(programme.code, 0),
            so_far=so_far.get(programme.code, 0),
            target=aims.of_programme(programme.code).target,
        )
        for programme in aims.programmes
    ]
    lines = [one for one in lines if one.figures != Figures() or one.before or one.so_far or one.target]
    return Letter(
        span,
        tuple(lines),
        _sum(lines),
        of_period,
        None if scope.everything else tuple(districts.administered(db, scope)),
    )


def _reading(grants: Iterable[RoleGrant]) -> list[RoleGrant]:
    return [grant for grant in grants if grant.role in READERS]


def _next_reader(db: Session, span: Span) -> User | None:
    """One who asked for it, may still read it, can be reached, and has not got it."""
    reads = exists().where(RoleGrant.user_id == User.id, RoleGrant.role.in_(READERS))
    owed = exists().where(
        ReportMail.user_id == User.id, ReportMail.rhythm == span.rhythm, ReportMail.period == span.name
    )
    return db.scalars(
        select(User)
        .join(ReportSubscription, ReportSubscription.user_id == User.id)
        .where(ReportSubscription.rhythm == span.rhythm, User.disabled_at.is_(None), User.email.is_not(None))
        .where(reads, ~owed)
        .order_by(User.id)
        .limit(1)
        .with_for_update(of=ReportSubscription, skip_locked=True)
    ).one_or_none()


def _person_times(found: Report) -> Mapping[str, int]:
    """By programme, with what was counted before the system."""
    numbers = {row.key: row.figures.person_times for row in found.rows}
    for key, number in found.opening.by_key.items():
        numbers[key] = numbers.get(key, 0) + number
    return numbers


def _sum(lines: Sequence[ProgrammeLine]) -> ProgrammeLine | None:
    if not lines:
        return None
    aims = [one.target for one in lines if one.target is not None]
    return ProgrammeLine(
        programme=lines[0].programme,
        figures=sum((one.figures for one in lines), Figures()),
        before=sum(one.before for one in lines),
        so_far=sum(one.so_far for one in lines),
        target=sum(aims) if aims else None,
    )


def _tell(db: Session, recipient: str, found: Letter) -> None:
    subjects, texts = [], []
    for _language in each_language():
        subjects.append(_subject(found.span))
        texts.append(_text(found))
    mail.owe(db, recipient=recipient, subject=" / ".join(subjects), text=LINE.join(texts))


def _subject(span: Span) -> str:
    if span.rhythm is ReportFrequency.MONTH:
        return str(_("Monthly training report %(period)s", period=span.name))
    return str(_("Quarterly training report %(period)s", period=span.name))


def _text(found: Letter) -> str:
    span, report = found.span, found.report
    parts = [
        f"{organisation_name()}\n{_subject(span)} ({span.first.isoformat()} – {span.last.isoformat()})",
        _("Covers: %(places)s", places=_places(found.places)),
    ]
    parts += [_programme(named(one.programme), one, span) for one in found.lines]
    if found.total is None:
        parts.append(_("Nothing was counted in this period."))
    elif len(found.lines) > 1:
        parts.append(_programme(_("All programmes"), found.total, span))
    more = []
    if found.places is not None:
        more.append(_("Whole branch: %(number)s", number=f"{report.branch.person_times:,}"))
    if report.progress.offerings:
        more.append(
            _(
                "Not closed yet and in no figure: offerings of this period %(offerings)s, attended so far %(people)s.",
                offerings=f"{report.progress.offerings:,}",
                people=f"{report.progress.named:,}",
            )
        )
    if more:
        parts.append("\n".join(more))
    question = urlencode({**report.filters.address(), "grouping": Grouping.PROGRAMME.value})
    parts += [
        _("Counting rule") + "\n" + str(RULE[0]),
        _(
            "The report, with every number down to its sessions: %(page)s\nAs a PDF: %(paper)s",
            page=f"{mail.SITE}/reports/enrolment?{question}",
            paper=f"{mail.SITE}/reports/enrolment.pdf?{question}",
        ),
        _("You asked for this mail. To stop it: %(page)s", page=f"{mail.SITE}/reports/by-mail"),
    ]
    return "\n\n".join(parts)


def _places(places: Sequence[District] | None) -> str:
    if places is None:
        return str(_("the whole branch"))
    return ", ".join(named(one) for one in places)


def _programme(name: str, one: ProgrammeLine, span: Span) -> str:
    figures = one.figures
    lines = [
        name,
        _(
            "  Person-times: %(number)s (%(named)s named + %(counted)s by headcount)",
            number=f"{figures.person_times:,}",
            named=f"{figures.named:,}",
            counted=f"{figures.counted:,}",
        ),
        _(
            "  The same period a year before: %(number)s%(growth)s",
            number=f"{one.before:,}",
            growth=f" ({(figures.person_times - one.before) / one.before:+.1%})" if one.before else "",
        ),
        _(
            "  Person-hours: %(hours)s; certificates issued: %(certificates)s",
            hours=f"{figures.minutes / 60:,.1f}",
            certificates=f"{figures.certificates:,}",
        ),
    ]
    if one.target is None:
        lines.append(_("  %(year)s so far: %(number)s", year=span.first.year, number=f"{one.so_far:,}"))
    else:
        lines.append(
            _(
                "  %(year)s so far: %(number)s of the target of %(target)s (%(share)s)",
                year=span.first.year,
                number=f"{one.so_far:,}",
                target=f"{one.target:,}",
                share=f"{one.so_far / one.target:.1%}",
            )
        )
    return "\n".join(str(line) for line in lines)
