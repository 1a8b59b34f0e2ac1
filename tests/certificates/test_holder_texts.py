"""The texts of messages to holders: in both languages, with the way to the certificate, and nothing left unfilled."""

from datetime import date

import pytest

from certificates import holder_texts
from certificates.holder_texts import CORRECTED, ISSUED, RENEWED, RESTORED, REVOKED, HolderMessage
from lms.core.messages import owing
from lms.core.messages.owing import Purpose, Recipient

FACTS = {"course_zh": "救护员", "course_en": "First responder", "host_zh": "测试社区", "host_en": "Test community"}
WAY = f"{owing.SITE}/tickets/ticket-22/certificate"


def message(purpose: Purpose, **facts: object) -> owing.Draft:
    values: dict[str, object] = {
        "name": "张三丰", "number": "BJ-FR-2026-2", "facts": FACTS, "valid_until": date(2029, 11, 29),
        "ticket": "ticket-22", "day": date(2026, 11, 30), "former": "BJ-FR-2023-1", "reason": "成绩登记错误",
    } | facts  # fmt: skip
    made = HolderMessage(purpose, **values)  # type: ignore[arg-type]
    return holder_texts.draft(made, Recipient("trainee:1", "张三丰", ()), "key")


@pytest.mark.parametrize("purpose", [ISSUED, RENEWED, CORRECTED, REVOKED, RESTORED])
def test_every_text_is_in_both_languages_and_whole(purpose: Purpose) -> None:
    draft = message(purpose)
    chinese, english = draft.text.split("-" * 32)
    assert chinese.startswith("张三丰:\n\n")
    assert "救护员" in chinese
    assert "First responder" in english
    assert "救护员" not in english
    for text in (chinese, english):
        assert "BJ-FR-2026-2" in text
        assert "%" not in text
        assert (WAY in text) is (purpose is not REVOKED)
        assert ("BJ-FR-2023-1" in text) is (purpose in {RENEWED, CORRECTED})
        assert ("成绩登记错误" in text) is (purpose is REVOKED)
        assert ("2029-11-29" in text) is (purpose is not REVOKED)
    assert draft.subject.count(" / ") == 1
    assert tuple(draft.parameters) == purpose.parameters
    assert all(draft.parameters.values())


@pytest.mark.parametrize("purpose", [CORRECTED, REVOKED, RESTORED])
def test_the_holder_asks_the_contact_of_the_branch_or_the_host(purpose: Purpose) -> None:
    hosts = message(purpose).text
    assert "主办单位（测试社区）" in hosts
    assert "ask Test community, the host of the training" in hosts
    assert message(purpose, contact="010-1234 5678").text.count("010-1234 5678") == 2


def test_a_certificate_without_an_end_or_a_ticket() -> None:
    text = message(ISSUED, valid_until=None, ticket="").text
    assert "长期有效" in text
    assert "Valid without an end" in text
    assert text.count(f"{owing.SITE}/my-certificate") == 2


def test_a_reason_may_hold_any_characters() -> None:
    assert "100% {site} %(number)s" in message(REVOKED, reason="100% {site} %(number)s").text
