"""The pages that correct a certificate, and that undo a revocation."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import reissue
from certificates.branch import Branch
from certificates.models import Certificate, ReissueRequest
from certificates.payload import digits_of
from lms.accounts.models import User
from lms.core.scope import Role
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
Issue = Callable[..., Certificate]


@pytest.fixture
def browser(make: Make, sign_in: SignIn) -> FlaskClient:
    return sign_in(make.user(Role.CITY_ADMINISTRATOR))


def wanted(certificate: Certificate, **changes: str) -> dict[str, str]:
    facts = certificate.facts
    return {
        "holder_name": certificate.holder_name,
        "hours": facts["hours"],
        "instructor": facts["instructor"],
        "instructor_registration": facts["instructor_registration"],
        "reason": "姓名打错",
    } | changes


def test_a_correction_is_asked_for_made_and_shown(
    db: Session, browser: FlaskClient, issue: Issue, branch: Branch, client: FlaskClient
) -> None:
    certificate = issue("张三峰")
    address = f"/certificates/{certificate.id}"
    assert "更正并重新签发" in browser.get(address).text
    form = browser.get(f"{address}/reissue").text
    assert "现印内容：张三峰" in form
    answer = browser.post(f"{address}/reissue", data=wanted(certificate, holder_name="张三丰"))
    assert answer.headers["Location"] == address
    waiting = browser.get(address).text
    assert 'data-refresh="3"' in waiting
    assert "正在更正：张三丰" in waiting
    assert reissue.issue_owed(db, branch) == 1
    db.commit()
    done = browser.get(address).text
    new = db.scalars(select(Certificate).where(Certificate.replaces_id == certificate.id)).one()
    assert 'data-refresh="3"' not in done
    assert f'href="/certificates/{new.id}"' in done
    assert new.number in done
    assert "更正换发" in browser.get(f"/certificates/{new.id}").text
    assert f"/v/{digits_of(new.payload)}" in client.get(f"/v/{digits_of(certificate.payload)}").text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "内容没有变化"),
        ({"holder_name": "张三丰", "reason": ""}, 'aria-describedby="reason-hint reason-error"'),
        ({"hours": "many"}, "请用数字填写学时"),
        ({"holder_name": ""}, "holder_name-error"),
    ],
)
def test_a_wrong_correction_changes_nothing(
    db: Session, browser: FlaskClient, issue: Issue, changes: dict[str, str], words: str
) -> None:
    certificate = issue("张三峰")
    answer = browser.post(f"/certificates/{certificate.id}/reissue", data=wanted(certificate, **changes))
    assert answer.status_code == 422
    assert words in answer.text
    assert db.scalars(select(ReissueRequest)).all() == []


def test_a_second_correction_is_refused_while_one_waits(browser: FlaskClient, issue: Issue) -> None:
    certificate = issue("张三峰")
    address = f"/certificates/{certificate.id}/reissue"
    assert browser.post(address, data=wanted(certificate, holder_name="张三丰")).status_code == 302
    answer = browser.post(address, data=wanted(certificate, holder_name="张三风"))
    assert answer.status_code == 422
    assert "正在更正" in answer.text


def test_a_revocation_is_undone_with_a_reason(browser: FlaskClient, client: FlaskClient, issue: Issue) -> None:
    certificate = issue()
    address, public = f"/certificates/{certificate.id}", f"/v/{digits_of(certificate.payload)}"
    browser.post(f"{address}/revoke", data={"reason": "发错人"})
    assert 'class="verdict revoked"' in client.get(public).text
    assert "已被撤销" in browser.get(f"{address}/reissue").text
    assert "取消撤销" in browser.get(address).text
    assert "发错人" in browser.get(f"{address}/restore").text
    assert browser.post(f"{address}/restore", data={"reason": ""}).status_code == 422
    assert 'class="verdict revoked"' in client.get(public).text
    assert browser.post(f"{address}/restore", data={"reason": "核对后无误"}).status_code == 302
    assert 'class="verdict valid"' in client.get(public).text
    history = browser.get(address).text
    assert "发错人" in history
    assert "核对后无误" in history
    assert "没有被撤销" in browser.get(f"{address}/restore").text


def test_the_pages_are_within_their_query_budgets(browser: FlaskClient, issue: Issue, statements: list[str]) -> None:
    certificate = issue()
    for address, budget in ((f"/certificates/{certificate.id}", 10), (f"/certificates/{certificate.id}/reissue", 8)):
        statements.clear()
        assert browser.get(address).status_code == 200
        assert len(statements) <= budget, statements
