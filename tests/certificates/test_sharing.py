"""A link shows one certificate for a while, to whoever has it, and ends for good."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import sharing
from certificates.models import Certificate, ShareLink
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError, NotFound

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
