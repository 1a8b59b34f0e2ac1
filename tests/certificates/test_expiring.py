"""Certificates by expiry date: groups, order, and what is left out."""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy.orm import Session

from certificates import expiring, revocation
from certificates.expiring import ExpiringFilters, ExpiryGroup
from certificates.models import Certificate
from lms.core.scope import EVERYTHING, Scope
from tests.certificates.legacy_people import legacy_of
from tests.factories import Make

Issue = Callable[..., Certificate]
NO_FILTER = ExpiringFilters()


def test_a_certificate_moves_through_the_groups_as_its_last_day_comes(db: Session, issue: Issue) -> None:
    last = issue().valid_until
    assert last is not None
    for days, group in (
        (91, ExpiryGroup.LATER), (90, ExpiryGroup.WITHIN_90), (31, ExpiryGroup.WITHIN_90), (30, ExpiryGroup.WITHIN_30),
        (0, ExpiryGroup.WITHIN_30), (-1, ExpiryGroup.EXPIRED),
    ):  # fmt: skip
        today = last - timedelta(days=days)
        counts = expiring.counts(db, EVERYTHING, NO_FILTER, today=today)
        assert counts == {other: int(other is group) for other in ExpiryGroup}
        [row] = expiring.rows(db, EVERYTHING, NO_FILTER, group, today=today)
        assert (row.days_left, row.valid_until) == (days, last)


def test_the_soonest_end_comes_first_and_of_the_expired_the_latest(db: Session, issue: Issue) -> None:
    sooner, later = issue("张三丰"), issue("李四")
    assert later.valid_until is not None
    sooner.issued_on = later.issued_on - timedelta(days=3)
    sooner.valid_until = later.valid_until - timedelta(days=3)
    db.flush()

    def names(days: int, group: ExpiryGroup) -> list[str]:
        assert later.valid_until is not None
        today = later.valid_until - timedelta(days=days)
        return [row.holder for row in expiring.rows(db, EVERYTHING, NO_FILTER, group, today=today)]

    assert names(5, ExpiryGroup.WITHIN_30) == ["张三丰", "李四"]
    assert names(-1, ExpiryGroup.EXPIRED) == ["李四", "张三丰"]


def test_the_revoked_and_those_without_a_last_day_are_left_out(db: Session, issue: Issue) -> None:
    revoked, lifelong = issue("张三丰"), issue("李四")
    today = revoked.issued_on
    revocation.revoke(db, revoked, "误发")
    lifelong.valid_until = None
    db.flush()
    assert set(expiring.counts(db, EVERYTHING, NO_FILTER, today=today).values()) == {0}


def test_filters_that_are_not_set_are_left_out_of_the_address() -> None:
    assert NO_FILTER.address() == {}
    assert ExpiringFilters(holder="张", host="小学").address() == {"holder": "张", "host": "小学"}


def test_legacy_certificates_of_known_people_are_listed_among_the_others(
    db: Session, make: Make, issue: Issue, statements: list[str]
) -> None:
    certificate = issue(course=make.new_course(certificate_type=1))
    offering, holder, last = certificate.enrolment.offering, certificate.enrolment.trainee, certificate.valid_until
    assert last is not None
    today = last - timedelta(days=20)
    sooner = legacy_of(db, holder=holder, valid_until=last - timedelta(days=5))
    other = legacy_of(db, holder=holder, valid_until=last + timedelta(days=5), certificate_type=2)
    legacy_of(db, valid_until=last)
    legacy_of(db, holder=make.trainee(), valid_until=last)
    host = Scope(organisation_ids=frozenset({offering.organisation_id}))
    statements.clear()
    counts = expiring.counts(db, host, NO_FILTER, today=today)
    assert len(statements) == 1
    assert counts[ExpiryGroup.WITHIN_30] == 3
    assert expiring.counts(db, EVERYTHING, NO_FILTER, today=today)[ExpiryGroup.WITHIN_30] == 4
    page = expiring.listing(db, host, NO_FILTER, ExpiryGroup.WITHIN_30, today=today, total=3, page=1)
    assert [(row.number, row.legacy, row.newer) for row in page.rows] == [
        (sooner.number, True, True), (certificate.number, False, False), (other.number, True, False),
    ]  # fmt: skip
    assert page.rows[0].host_zh == sooner.unit
    filters = ExpiringFilters(holder="张三", programme="FIRST_RESPONDER", host="东城区红十字会")
    assert [row.number for row in expiring.rows(db, host, filters, ExpiryGroup.WITHIN_30, today=today)] == [
        sooner.number, other.number,
    ]  # fmt: skip
