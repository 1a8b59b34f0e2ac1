"""The certificates that people hold are read by the package that keeps certificates, and by nobody where nothing was asked."""

from datetime import date

import pytest
from sqlalchemy.orm import Session

from courses.enrolment import held_certificates

DAY = date(2026, 9, 1)


def test_without_people_or_types_nothing_is_read(db: Session, statements: list[str]) -> None:
    statements.clear()
    assert held_certificates.read(db, [], [1], on=DAY) == {}
    assert held_certificates.read(db, [1], [], on=DAY) == {}
    assert statements == []


def test_a_process_in_which_nothing_was_configured_refuses_to_judge(
    db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_certificates._Provided, "by", None)
    with pytest.raises(RuntimeError, match="configured"):
        held_certificates.read(db, [1], [1], on=DAY)
