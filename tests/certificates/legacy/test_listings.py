"""List of legacy certificates: filters, scope and states."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates.legacy import legacy, listings
from certificates.legacy.listings import LegacyCertificateFilters
from certificates.legacy.models import LegacyCertificate
from certificates.states import State
from lms.core.scope import EVERYTHING, Scope
from tests.certificates.legacy_files import GOOD, HEAD, LIFELONG, load


@pytest.fixture(autouse=True)
def imported(db: Session, tmp_path: Path) -> None:
    """Two certificates: of 张三丰 from 2015 and of 李四光 from 2012."""
    path = tmp_path / "old.csv"
    path.write_text("\n".join((HEAD, GOOD, LIFELONG)), encoding="utf-8")
    assert load(db, path)[0] == 2


def test_both_filters_compare_as_the_public_look_up_does(db: Session) -> None:
    def names(scope: Scope = EVERYTHING, **filters: str) -> list[str]:
        page = listings.listing(db, scope, LegacyCertificateFilters(**filters))
        return [certificate.name for certificate in page.rows]

    assert names() == ["张三丰", "李四光"]
    assert names(number="（2015）第00123") == ["张三丰"]
    assert names(holder="李 四") == ["李四光"]
    assert names(holder="%") == []
    assert names(Scope(district_ids=frozenset({1}))) == []


def test_a_state_is_that_of_the_day_and_revoked_comes_first(db: Session) -> None:
    certificate = db.scalars(select(LegacyCertificate).where(LegacyCertificate.name == "张三丰")).one()
    last = certificate.valid_until
    assert last is not None
    assert listings.state(certificate, last) is State.VALID
    assert listings.state(certificate, last + timedelta(days=1)) is State.EXPIRED
    legacy.revoke(db, certificate.number, "伪造档案")
    assert listings.state(certificate, last) is State.REVOKED
