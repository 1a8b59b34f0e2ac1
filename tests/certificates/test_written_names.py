"""A certificate with a writing of the name is verified by what one reads on it and by the holder's name."""

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from certificates import written_names
from certificates.branch import Branch
from certificates.keys.qr_keys import PublicKeyCache
from certificates.models import Certificate
from certificates.payload import decode, digits_of, name_matches
from certificates.verification import bulk, look_up, verification
from certificates.verification.bulk import BulkItem
from courses.enrolment import name_writings
from lms.core import clock
from lms.core.errors import DomainError
from tests.certificates.conftest import closed_offering, owe
from tests.factories import Make

NAME, WRITING = "古\ue5e5·买买提", "Gu Mamat"


@pytest.fixture
def certificate(db: Session, make: Make, issue: Callable[..., Certificate]) -> Certificate:
    """A certificate with the writing, and one of somebody else."""
    offering = closed_offering(make)
    name_writings.record(db, owe(make, offering, NAME), WRITING, "本人到场选择")
    name_writings.record(db, owe(make, offering, "赵\ue5e5"), "Zhao", "本人到场选择")
    issue("张三丰", offering=offering)
    return db.query(Certificate).filter_by(holder_name=WRITING).one()


def test_both_writings_hold_and_nothing_else(db: Session, branch: Branch, certificate: Certificate) -> None:
    today, keys = clock.today(branch.zone), PublicKeyCache()
    digits = digits_of(certificate.payload)
    verdict = verification.verify(db, digits, today=today, keys=keys)

    def answers(name: str) -> tuple[bool | None, bool | None, bool]:
        items = [BulkItem(digits, name)]
        by_list = next(iter(bulk.verify(db, items, today=today, keys=keys, scheme=branch.scheme)))
        try:
            found = look_up.code_of(db, certificate.number, name, scheme=branch.scheme) == digits
        except DomainError:
            found = False
        return verification.name_holds(db, verdict, name), by_list.name_matches, found

    for name in (WRITING, "gu mamat", NAME, "古\ue5e5买买提"):
        assert answers(name) == (True, True, True)
    for name in ("古买买提", "赵\ue5e5", "Zhao", "张三丰"):
        assert answers(name) == (False, False, False)


def test_the_code_binds_what_is_printed(certificate: Certificate) -> None:
    payload = decode(digits_of(certificate.payload)).payload
    assert name_matches(payload, WRITING)
    assert not name_matches(payload, NAME)


def test_only_a_certificate_with_a_writing_has_another_name(db: Session, certificate: Certificate) -> None:
    assert db.scalars(written_names.record_names().where(_number(certificate.number))).all() == [NAME]
    others = db.scalars(written_names.record_names().where(_number("BJ-FR-2026-0000000-X"))).all()
    assert others == []


def _number(number: str) -> object:
    return Certificate.__table__.c.number == number
