"""List of certificates: its filters, and their form in an address."""

from collections.abc import Callable
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from certificates import listings, revocation
from certificates.listings import CertificateFilters
from certificates.models import Certificate
from certificates.states import ISSUED, State
from lms.core.scope import EVERYTHING, Scope

texts = st.none() | st.text(min_size=1, max_size=5)
days = st.none() | st.dates()


@given(
    st.builds(
        CertificateFilters,
        number=texts, holder=texts, programme=texts, district=st.none() | st.integers(1, 16),
        state=st.none() | st.sampled_from(ISSUED), since=days, until=days,
    )
)  # fmt: skip
def test_an_address_gives_back_the_filters_that_it_was_made_of(filters: CertificateFilters) -> None:
    assert CertificateFilters.of(filters.address()) == filters


def test_each_filter_narrows_the_list(db: Session, issue: Callable[..., Certificate]) -> None:
    first, second = issue("张三丰"), issue("李四")
    revocation.revoke(db, second, "误发")
    today, day = first.issued_on, timedelta(days=1)

    def names(scope: Scope = EVERYTHING, **facts: object) -> list[str]:
        filters = CertificateFilters(**facts)  # type: ignore[arg-type]
        page = listings.listing(db, scope, filters, today=today)
        return [certificate.holder_name for certificate in page.rows]

    assert names() == ["李四", "张三丰"]
    assert names(number=first.number.lower().replace("-", "")) == ["张三丰"]
    assert names(holder="张三") == ["张三丰"]
    assert names(holder="%") == []
    assert names(state=State.REVOKED) == ["李四"]
    assert names(state=State.VALID) == ["张三丰"]
    assert names(since=today, until=today) == ["李四", "张三丰"]
    assert names(since=today + day) == names(until=today - day) == []
    assert names(programme="RESCUE") == []
    district = first.enrolment.offering.district_id
    assert names(district=district) == ["李四", "张三丰"]
    assert names(Scope(district_ids=frozenset({district % 16 + 1}))) == []


def test_programmes_come_in_their_order(db: Session) -> None:
    positions = [programme.position for programme in listings.programmes(db)]
    assert positions == sorted(positions)
