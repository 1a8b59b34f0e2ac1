"""Public facts of an offering: kept, copied, audited; the link to the map and the number to dial."""

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.offerings import offerings, public_facts
from courses.offerings.public_facts import PublicFacts
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError
from tests.courses.planning import changed, plan, scheduled
from tests.factories import Make

FACTS = PublicFacts(
    "周老师", "010-6400 0000 转 12", "5号线张自忠路站A口", "东城区府学胡同1号", "毛巾", Decimal("50.00"), "教材费"
)


def test_are_stored_changed_and_left_alone(db: Session, make: Make) -> None:
    offering = scheduled(db, plan(make, public_facts=FACTS))
    db.refresh(offering)
    assert PublicFacts.of(offering) == FACTS
    changed(
        db, offering, replace(offerings.current_plan(offering), place="三楼")
    )  # an import, or a change of a session
    assert PublicFacts.of(offering) == FACTS
    changed(db, offering, replace(offerings.current_plan(offering), public_facts=replace(FACTS, fee=None, bring=None)))
    assert (offering.fee, offering.bring, offering.fee_note) == (None, None, "教材费")
    entry = db.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
    assert (entry.before, entry.after) == ({"bring": "毛巾", "fee": "50.00"}, {"bring": None, "fee": None})


def test_a_name_that_nobody_can_call_is_refused(db: Session, make: Make) -> None:
    with pytest.raises(DomainError) as refused:
        scheduled(db, plan(make, public_facts=PublicFacts(contact_name="周老师")))
    assert (refused.value.code, refused.value.field) == ("phone_missing", "contact_phone")


def test_a_map_searches_for_the_address_else_for_the_place_in_its_district() -> None:
    template = "https://map.example/?q={address}&from=us"
    found = public_facts.map_link(template, "东城区", "二楼 & 教室", None)
    assert (
        found
        == "https://map.example/?q=%E4%B8%9C%E5%9F%8E%E5%8C%BA%20%E4%BA%8C%E6%A5%BC%20%26%20%E6%95%99%E5%AE%A4&from=us"
    )
    assert public_facts.map_link(template, "东城区", "教室", "1/2") == "https://map.example/?q=1%2F2&from=us"
    assert public_facts.map_link(None, "东城区", "教室", None) is None


@pytest.mark.parametrize(
    ("typed", "digits"),
    [
        ("010-6400 0000 转 12", "01064000000"),
        ("(010) 64000000", "01064000000"),
        ("+86 10 6400 0000 ext. 12", "+861064000000"),
        ("138 0000 0000x9", "13800000000"),
    ],
)
def test_the_extension_is_not_dialled(typed: str, digits: str) -> None:
    assert public_facts.dialled(typed) == digits
