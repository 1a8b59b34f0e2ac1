"""A link shows one certificate for a while, to whoever has it, and ends for good."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import erasing, holding, issuing, reissue, sharing
from certificates.branch import Branch
from certificates.models import Certificate, ShareLink
from certificates.reissue import Correction
from courses.models.enrolment import EnrolmentState
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError, NotFound
from lms.core.scope import EVERYTHING
from tests.certificates.conftest import closed_offering
from tests.factories import Make

Issue = Callable[..., Certificate]


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(DomainError) as refused:
        act()
    return refused.value.code


@pytest.mark.parametrize("days", sharing.PERIODS)
def test_a_link_holds_for_as_many_days_as_were_chosen(db: Session, issue: Issue, days: int) -> None:
    certificate = issue()
    token = sharing.share(db, certificate, days)
    made_at = clock.now()
    with clock.at(made_at + timedelta(days=days, seconds=-5)):
        assert sharing.open_link(db, token).certificate.id == certificate.id
        assert len(sharing.active_links(db, certificate)) == 1
    with clock.at(made_at + timedelta(days=days, seconds=5)):
        assert code_of(lambda: sharing.open_link(db, token)) == "share_ended"
        assert sharing.active_links(db, certificate) == []


def test_only_the_offered_periods_can_be_chosen(db: Session, issue: Issue) -> None:
    certificate = issue()
    for days in (0, -1, 8, 3650):
        assert code_of(lambda days=days: sharing.share(db, certificate, days)) == "share_days"  # type: ignore[misc]


def test_the_token_is_kept_nowhere(db: Session, issue: Issue) -> None:
    token = sharing.share(db, issue(), 7)
    row = db.scalars(select(ShareLink)).one()
    assert token.encode() not in row.token_hash
    assert token not in str([entry.after for entry in db.scalars(select(AuditEntry))])
    assert len(token) >= 22


def test_a_withdrawn_link_looks_like_one_that_never_was(db: Session, issue: Issue) -> None:
    certificate = issue()
    kept, ended = sharing.share(db, certificate, 30), sharing.share(db, certificate, 30)
    link = sharing.active_links(db, certificate)[0]
    for _ in range(2):
        sharing.withdraw(db, certificate, link.id)
    assert sharing.open_link(db, kept).certificate.id == certificate.id
    answers = []
    for token in (ended, "nonsense", ""):
        with pytest.raises(DomainError) as refused:
            sharing.open_link(db, token)
        answers.append((refused.value.code, refused.value.status, str(refused.value)))
    assert len(set(answers)) == 1
    assert answers[0][:2] == ("share_ended", 410)


def test_nobody_withdraws_the_link_of_another_certificate(db: Session, issue: Issue) -> None:
    mine, other = issue("张三"), issue("李四")
    token = sharing.share(db, other, 7)
    link = sharing.active_links(db, other)[0]
    with pytest.raises(NotFound):
        sharing.withdraw(db, mine, link.id)
    assert sharing.open_link(db, token).certificate.id == other.id


def test_making_and_withdrawing_are_in_the_audit_trail_once_each(db: Session, issue: Issue) -> None:
    certificate = issue()
    sharing.share(db, certificate, 7)
    link = sharing.active_links(db, certificate)[0]
    sharing.withdraw(db, certificate, link.id)
    sharing.withdraw(db, certificate, link.id)
    acts = db.scalars(
        select(AuditEntry).where(AuditEntry.subject == f"certificate:{certificate.id}").order_by(AuditEntry.id)
    ).all()
    assert [(act.action, act.after) for act in acts[1:]] == [
        ("certificate.share", {"link": link.id, "days": 7}),
        ("certificate.unshare", {"link": link.id}),
    ]


def test_there_is_an_end_to_how_many_links_hold_at_once(db: Session, issue: Issue) -> None:
    certificate = issue()
    for _ in range(sharing.MAX_LINKS):
        sharing.share(db, certificate, 7)
    assert code_of(lambda: sharing.share(db, certificate, 7)) == "share_many"
    sharing.withdraw(db, certificate, sharing.active_links(db, certificate)[0].id)
    assert sharing.share(db, certificate, 7)


@pytest.fixture
def correct(db: Session, branch: Branch) -> Callable[[Certificate, str], Certificate]:
    """Correct the holder's name, as an administrator and the worker do."""

    def corrected(certificate: Certificate, name: str) -> Certificate:
        reissue.request(db, certificate, Correction(name, {}), "姓名有误", branch=branch, scope=EVERYTHING)
        reissue.issue_owed(db, branch)
        db.commit()
        db.expire_all()
        assert certificate.superseded_by is not None
        return certificate.superseded_by

    return corrected


def test_a_link_follows_a_correction_is_listed_and_can_be_withdrawn(
    db: Session, issue: Issue, correct: Callable[[Certificate, str], Certificate]
) -> None:
    former = issue("张三峰")
    token, unread = sharing.share(db, former, 30), sharing.share(db, former, 7)
    new = correct(correct(former, "张三封"), "张三丰")
    shared = sharing.open_link(db, token)
    assert (shared.certificate.id, shared.certificate.holder_name) == (new.id, "张三丰")
    assert (shared.corrected_on, shared.renewed_on) == (new.issued_on, None)
    for of_chain in (former, new):
        assert [link.certificate_id for link in sharing.active_links(db, of_chain)] == [former.id, former.id]
    sharing.withdraw(db, new, sharing.active_links(db, new)[1].id)
    assert code_of(lambda: sharing.open_link(db, token)) == "share_ended"
    assert sharing.open_link(db, unread).certificate.id == new.id
    later = sharing.open_link(db, sharing.share(db, new, 7))
    assert (later.corrected_on, later.renewed_on) == (None, None), "it was made for the corrected one"
    assert list(db.scalars(select(ShareLink.certificate_id).where(ShareLink.withdrawn_at.is_(None)))) == [
        former.id, new.id,
    ]  # fmt: skip


def test_a_link_follows_a_renewal_whichever_ticket_made_it(
    db: Session, make: Make, issue: Issue, branch: Branch
) -> None:
    trainee, other = make.trainee("张三丰"), issue("李四")
    held = []
    for course in (make.new_course(certificate_type=1), make.new_course(refresher=True, certificate_type=1)):
        make.enrolment(
            closed_offering(make, course), trainee, EnrolmentState.COMPLETED, certificate_due=True, sessions_attended=1
        )
        issuing.issue_owed(db, branch)
        db.commit()
        held.append(db.scalars(select(Certificate).order_by(Certificate.id.desc()).limit(1)).one())
        token = sharing.share(db, held[0], 7)
    first, renewed = held
    assert first.superseded_by_id == renewed.id
    shared = sharing.open_link(db, token)
    assert (shared.certificate.id, shared.renewed_on, shared.corrected_on) == (renewed.id, renewed.issued_on, None)
    tickets = [row.enrolment.ticket for row in held]
    assert {holding.of_ticket(db, ticket).id for ticket in tickets} == {renewed.id}
    assert len(sharing.active_links(db, renewed)) == 2
    with pytest.raises(NotFound):
        sharing.withdraw(db, other, sharing.active_links(db, renewed)[0].id)


def test_the_end_is_one_of_the_whole_chain(
    db: Session, issue: Issue, correct: Callable[[Certificate, str], Certificate]
) -> None:
    former = issue("张三峰")
    for _ in range(sharing.MAX_LINKS):
        sharing.share(db, former, 7)
    new = correct(former, "张三丰")
    assert code_of(lambda: sharing.share(db, new, 7)) == "share_many"


def test_after_the_erasure_a_link_ends(db: Session, issue: Issue) -> None:
    certificate = issue()
    token = sharing.share(db, certificate, 7)
    row = db.scalars(select(ShareLink)).one()
    kept = {column.name: getattr(row, column.name) for column in ShareLink.__table__.columns if column.name != "id"}
    erasing.erase_holder(db, [certificate.enrolment.trainee_id])
    assert code_of(lambda: sharing.open_link(db, token)) == "share_ended"
    db.add(ShareLink(**kept))  # a link that was made at the very moment
    db.flush()
    assert code_of(lambda: sharing.open_link(db, token)) == "share_ended"
