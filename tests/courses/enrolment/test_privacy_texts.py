"""The versions of the privacy text."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from courses.enrolment import privacy_texts
from lms.core import clock
from lms.core.errors import DomainError, NotFound


def test_the_first_version_comes_with_the_system_in_both_languages(db: Session) -> None:
    first = privacy_texts.current(db)
    assert first.version == 1
    filled = privacy_texts.filled(first.text_zh, organisation="某会", contact="某人")
    assert "某会" in filled
    assert "某人" in filled
    assert "{" not in filled
    kinds = {kind for kind, _lines in privacy_texts.blocks(first.text_en)}
    assert kinds == {"heading", "paragraph", "list"}


def test_a_new_version_holds_from_its_day(db: Session) -> None:
    today = clock.branch_today()
    later = privacy_texts.publish(db, "新文本", "New text", today + timedelta(days=2))
    assert privacy_texts.current(db).version == 1
    with clock.at(clock.now() + timedelta(days=2)):
        assert privacy_texts.current(db).version == later.version
    with pytest.raises(DomainError):
        privacy_texts.publish(db, "更新", "Newer", today + timedelta(days=1))
    with pytest.raises(DomainError):
        privacy_texts.publish(db, "  ", "x", today + timedelta(days=3))


@pytest.mark.parametrize("version", [0, 9, 40_000])
def test_a_version_that_does_not_exist_is_not_found(db: Session, version: int) -> None:
    with pytest.raises(NotFound):
        privacy_texts.get(db, version)


def test_a_published_text_cannot_be_altered(db: Session) -> None:
    with pytest.raises(DatabaseError):
        db.execute(text("UPDATE privacy_text SET text_zh = '改'"))
