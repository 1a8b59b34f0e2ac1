"""The public pages: what they say, what they never say, and what they weigh."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import revocation
from certificates.branch import Branch
from certificates.keys import key_files
from certificates.models import Certificate
from certificates.payload import Payload, digits_of, encode, name_tag
from certificates.verification.views.verification import SCANS
from courses.models.trainees import IdType
from lms.config import ROOT
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.scope import Role
from tests.factories import Make


@pytest.fixture
def certificate(issue: Callable[..., Certificate], db: Session) -> Certificate:
    made = issue("张三丰")
    made.enrolment.trainee.set_id_number(IdType.RESIDENT, "11010519491231002X")
    db.commit()
    return made


@pytest.fixture
def address(certificate: Certificate) -> str:
    return f"/v/{digits_of(certificate.payload)}"


def codes(db: Session, branch: Branch, issue: Callable[..., Certificate]) -> dict[str, str]:
    """A code for each state."""
    now = clock.now()
    with clock.at(now - timedelta(days=4 * 366)):
        expired = issue("李四")
    with clock.at(now + timedelta(days=365)):
        early = issue("李四")
    valid, revoked, superseded = issue("张三丰"), issue("李四"), issue("李四")
    revocation.revoke(db, revoked, "发错人")
    superseded.superseded_by_id = valid.id
    db.commit()
    digits = digits_of(valid.payload)
    unrecorded = Payload(1, 1, 1, 4_000_000, date(2026, 3, 5), None, name_tag("李四", 4_000_000))
    return {
        "valid": digits,
        "expired": digits_of(expired.payload),
        "not_yet_valid": digits_of(early.payload),
        "revoked": digits_of(revoked.payload),
        "superseded": digits_of(superseded.payload),
        "forged": digits[:-1] + str((int(digits[-1]) + 1) % 10),
        "unknown unreadable": "12345",
        "unknown unrecorded": encode(unrecorded, key_files.load(branch.keys_dir, "qr-1").sign),
    }


WORDS = {
    "valid": ("有效", "Valid"),
    "expired": ("已过期", "Expired"),
    "not_yet_valid": ("尚未生效", "Not yet valid"),
    "revoked": ("已撤销", "Revoked"),
    "superseded": ("已换发新证", "Superseded"),
    "forged": ("伪造", "Forged"),
    "unknown": ("查无此证", "Unknown"),
    "unknown unreadable": ("无法识读", "Cannot be read"),
}


def test_every_state_in_both_languages_is_small_and_private(
    client: FlaskClient, db: Session, branch: Branch, issue: Callable[..., Certificate]
) -> None:
    style = len(Path(ROOT / "lms" / "static" / "verify.css").read_bytes())
    icon = len(Path(ROOT / "lms" / "static" / "icon.svg").read_bytes())
    scripts = sum(
        len(Path(ROOT / "lms" / "static" / name).read_bytes()) for name in ("verify_page.js", "keep_offline.js")
    )
    for state, digits in codes(db, branch, issue).items():
        for language, word in zip(("zh", "en"), WORDS.get(state) or WORDS[state.split()[0]], strict=True):
            answer = client.get(f"/v/{digits}?lang={language}")
            assert answer.status_code == 200
            assert f"<h1>{word}</h1>" in answer.text
            assert f'class="verdict {state.split()[0]}"' in answer.text
            assert len(answer.data) + style + icon + scripts < 20_000
            # The page needs no script; one runs after it, so that the next code is answered without a network.
            module = '<script type="module" src="/static/verify_page.js"></script>'
            assert "<script" not in answer.text.replace(module, "", 1)
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["Cache-Control"] == "no-store"
            assert "noindex" in answer.headers["X-Robots-Tag"]
            assert '<meta name="robots" content="noindex' in answer.text
            assert "李四" not in answer.text
            assert "张三丰" not in answer.text
            assert "发错人" not in answer.text
    assert db.scalars(select(AuditEntry.action).where(AuditEntry.action == "certificate.alarm")).all() == [
        "certificate.alarm"
    ]


def test_the_page_shows_what_the_paper_says_and_no_more(
    client: FlaskClient, address: str, certificate: Certificate
) -> None:
    page = client.get(address).text
    trainee = certificate.enrolment.trainee
    for shown in (certificate.number, "张*丰", certificate.facts["course_zh"], "东城区红十字会", "救护员培训 · 8 学时"):
        assert shown in page
    for hidden in ("张三丰", "11010519491231002X", trainee.phone, trainee.ref, certificate.enrolment.ticket):
        assert str(hidden) not in page


def test_a_visitor_gets_no_cookie_and_costs_two_statements_at_most(
    client: FlaskClient, address: str, statements: list[str]
) -> None:
    client.get(address)
    statements.clear()
    answer = client.get(address)
    assert "Set-Cookie" not in answer.headers
    assert len(statements) <= 2
    statements.clear()
    flipped = address[:-1] + str((int(address[-1]) + 1) % 10)
    assert 'class="verdict forged"' in client.get(flipped).text
    assert statements == []


def test_the_name_box_answers_yes_and_no(client: FlaskClient, address: str) -> None:
    assert "与证书姓名一致" in client.post(address, data={"name": "张三丰"}).text
    page = client.post(address, data={"name": "张三"})
    assert "与证书上的姓名不符" in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "name-error" in client.post(address, data={"name": " "}).text


def test_guesses_are_limited_and_pages_generously_so(client: FlaskClient, address: str) -> None:
    answers = [client.post(address, data={"name": "张三"}).status_code for _ in range(11)]
    assert answers == [200] * 10 + [429]
    assert client.get(address).status_code == 200
    answers = [client.post("/verify", data={"number": "1", "proof": "2"}).status_code for _ in range(11)]
    assert answers == [404] * 10 + [429]
    answers = [client.get(address).status_code for _ in range(60)]
    assert answers == [200] * 59 + [429]


def test_by_hand_the_number_and_the_name_lead_to_the_same_page(
    client: FlaskClient, address: str, certificate: Certificate
) -> None:
    for proof in ("张三丰", "31002X"):
        answer = client.post("/verify", data={"number": certificate.number.lower(), "proof": proof})
        assert (answer.status_code, answer.location) == (303, address)


def test_by_hand_a_wrong_name_and_a_wrong_number_look_the_same(client: FlaskClient, certificate: Certificate) -> None:
    nobody = Branch.of(client.application.config["SETTINGS"]).scheme.compose("FR", 2026, 4_000_000)
    wrong_name = client.post("/verify", data={"number": certificate.number, "proof": "张三"})
    wrong_number = client.post("/verify", data={"number": nobody, "proof": "张三"})
    assert wrong_name.status_code == wrong_number.status_code == 404
    assert wrong_name.text.replace(certificate.number, nobody) == wrong_number.text
    wrong_letter = certificate.number[:-1] + ("A" if certificate.number[-1] != "A" else "B")
    mistyped = client.post("/verify", data={"number": wrong_letter, "proof": "张三"})
    assert mistyped.status_code == 422
    # Any other text may be the number of a legacy certificate; whether it is one, a stranger does not learn.
    other = client.post("/verify", data={"number": "BJ-12", "proof": "张三"})
    assert other.status_code == 404
    assert other.text.replace("BJ-12", nobody) == wrong_number.text
    assert client.post("/verify", data={}).status_code == 422


def test_forms_need_no_token_because_the_pages_send_no_referrer(client: FlaskClient, address: str) -> None:
    client.application.config["WTF_CSRF_ENABLED"] = True
    try:
        assert client.post(address, data={"name": "张三丰"}).status_code == 200
        assert client.post("/verify", data={"number": "1", "proof": "2"}).status_code == 404
        assert client.post("/certificates/1/revoke", data={"reason": "发错人"}).status_code == 400
    finally:
        client.application.config["WTF_CSRF_ENABLED"] = False


@pytest.fixture
def administrator(make: Make, sign_in: Callable[..., FlaskClient]) -> FlaskClient:
    return sign_in(make.user(Role.CITY_ADMINISTRATOR))


def test_a_revocation_is_seen_at_once(
    client: FlaskClient, administrator: FlaskClient, address: str, certificate: Certificate
) -> None:
    assert 'class="verdict valid"' in client.get(address).text
    administrator.post(f"/certificates/{certificate.id}/revoke", data={"reason": "发错人"})
    assert 'class="verdict revoked"' in client.get(address).text


@pytest.mark.parametrize("spoilt", ["{}/", "{}。", "{}）?utm_source=wechat", "{}%20", "https://example.org/v/{}"])
def test_what_a_chat_or_a_scanner_adds_to_the_address_changes_nothing(
    client: FlaskClient, issue: Callable[..., Certificate], spoilt: str
) -> None:
    digits = digits_of(issue("张三丰").payload)
    answer = client.get("/v/" + spoilt.format(digits), follow_redirects=True)
    assert "<h1>有效</h1>" in answer.text
    named = client.post("/v/" + spoilt.format(digits), data={"name": "张三丰"}, follow_redirects=True)
    assert "是，这就是" in named.text or "✓" in named.text


def test_a_code_in_the_box_for_the_number_leads_to_its_page(
    client: FlaskClient, issue: Callable[..., Certificate]
) -> None:
    digits = digits_of(issue("张三丰").payload)
    answer = client.post("/verify", data={"number": f"https://example.org/v/{digits}。", "proof": ""})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/v/{digits}")


def test_the_page_says_when_it_was_verified_and_whom_to_ask(app: Flask, client: FlaskClient, address: str) -> None:
    with clock.at(datetime(2099, 12, 31, 16, 30, tzinfo=UTC)):
        answer = client.get(address)
    assert "2100-01-01 00:30 UTC+08:00" in answer.text
    app.config["SETTINGS"] = app.config["SETTINGS"].model_copy(update={"verification_contact": "010-0000 0000"})
    app.extensions["verdict_pages"].clear()
    assert "010-0000 0000" in client.get(address).text


def test_a_preview_in_a_chat_names_nobody(client: FlaskClient, certificate: Certificate, address: str) -> None:
    head = client.get(address).text.partition("</head>")[0]
    assert '<meta property="og:description"' in head
    assert "有效</title>" not in head.partition("og:")[2]
    assert not any(text in head for text in (certificate.number, certificate.holder_name, "张*"))


def test_too_many_scans_are_told_how_long_to_wait(client: FlaskClient, address: str) -> None:
    answers = [client.get(address) for _ in range(SCANS + 1)]
    assert answers[-1].status_code == 429
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    guesses = [client.post(address, data={"name": "李四"}) for _ in range(11)]
    assert guesses[-1].status_code == 429
    assert 55 <= int(guesses[-1].headers["Retry-After"]) <= 61
