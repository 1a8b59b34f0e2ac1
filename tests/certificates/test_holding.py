"""Certificates that a person holds, by enrolment, trainee and ticket."""

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from certificates import holding
from certificates.models import Certificate
from certificates.payload import digits_of
from certificates.states import State
from lms.config import Settings
from tests.factories import Make

Issue = Callable[..., Certificate]


@pytest.fixture
def certificate(issue: Issue) -> Certificate:
    """A certificate of district 1."""
    return issue("张三丰")


def test_what_somebody_holds(db: Session, certificate: Certificate, make: Make, settings: Settings) -> None:
    zone = settings.zone
    held = holding.of_enrolment(db, certificate.enrolment_id, zone=zone)
    assert held is not None
    assert (held.number, held.state) == (certificate.number, State.VALID)
    assert held.digits == digits_of(certificate.payload)
    assert holding.of_trainee(db, certificate.enrolment.trainee_id, zone=zone) == [held]
    assert holding.of_enrolment(db, make.enrolment(make.offering()).id, zone=zone) is None
