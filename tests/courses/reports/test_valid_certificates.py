"""The number of valid certificates comes from the function that another package registered."""

from datetime import date

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from courses.reports import valid_certificates
from courses.reports.valid_certificates import ValidCertificates
from lms.core.scope import EVERYTHING, Scope

DAY = date(2025, 3, 1)


@pytest.fixture(autouse=True)
def nobody_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(valid_certificates, "_counters", [])


def test_the_registered_function_counts(db: Session) -> None:
    asked = []

    @valid_certificates.register
    def counter(_db: Session, day: date, scope: Scope) -> ValidCertificates:
        asked.append((day, scope))
        return ValidCertificates({1: 2, 2: 3}, legacy=4)

    assert valid_certificates.count(db, DAY, EVERYTHING).total == 9
    assert asked == [(DAY, EVERYTHING)]


def test_without_a_function_there_is_no_number(db: Session) -> None:
    with pytest.raises(LookupError):
        valid_certificates.count(db, DAY, EVERYTHING)


def test_the_application_registers_one(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    from certificates import valid_counts

    monkeypatch.undo()
    assert valid_certificates._counters == [valid_counts.count_on]
