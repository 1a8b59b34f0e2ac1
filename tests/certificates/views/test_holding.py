"""The holder's page: what it shows, what it lets download, and the links it gives to others."""

import html
import json
import re
from collections.abc import Callable
from io import BytesIO

import pypdfium2
import pytest
from flask.testing import FlaskClient
from openbadgeslib.ob3.verifier import OB3Verifier
from PIL import Image
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from certificates import badges, documents, reissue, revocation, sharing
from certificates.branch import Branch
from certificates.models import Badge, Certificate
from certificates.payload import digits_of
from certificates.reissue import Correction
from courses.models.enrolment import Enrolment
from lms.core.scope import EVERYTHING
from tests.factories import Make

Issue = Callable[..., Certificate]


@pytest.fixture
def certificate(issue: Issue) -> Certificate:
    return issue("张三丰")


@pytest.fixture
def home(db: Session, certificate: Certificate) -> str:
    ticket = db.get_one(Enrolment, certificate.enrolment_id).ticket
    return f"/tickets/{ticket}"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no worker beside these tests, so waiting for one is in vain."""
    monkeypatch.setattr(badges, "MAX_WAIT", 0.0)


@pytest.mark.parametrize(
    ("language", "words"), [("zh", ("我的证书", "有效", "数字徽章")), ("en", ("My certificate", "Valid"))]
)
def test_the_page_shows_the_certificate(
    client: FlaskClient, home: str, certificate: Certificate, language: str, words: tuple[str, ...]
) -> None:
    answer = client.get(f"{home}/certificate?lang={language}")
    assert answer.status_code == 200
    for word in (*words, certificate.number, "张三丰"):
        assert word in answer.text
    assert answer.headers["X-Robots-Tag"].startswith("noindex")
    assert answer.headers["Cache-Control"] == "no-store"


def test_ticket_leads_to_the_certificate(client: FlaskClient, home: str) -> None:
    assert f'href="{home}/certificate"' in client.get(home).text


def test_documents_and_picture_are_there(client: FlaskClient, home: str, certificate: Certificate) -> None:
    for name, pages, file in (("certificate.pdf", 1, ""), ("card.pdf", 2, "-card")):
        answer = client.get(f"{home}/{name}")
        assert answer.content_type == "application/pdf"
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{certificate.number}{file}.pdf"'
        with pypdfium2.PdfDocument(answer.data) as document:
            assert len(document) == pages
    picture = client.get(f"{home}/certificate.png")
    assert picture.content_type == "image/png"
    assert Image.open(BytesIO(picture.data)).size == (909, 1286)


def test_a_ticket_without_certificate_has_no_page(client: FlaskClient, make: Make, db: Session) -> None:
    enrolment = make.enrolment(make.offering())
    db.commit()
    for name in ("certificate", "certificate.pdf", "card.pdf", "certificate.png", "badge.json"):
        assert client.get(f"/tickets/{enrolment.ticket}/{name}").status_code == 404


@pytest.mark.usefixtures("impatient")
def test_the_first_download_owes_the_badge_and_a_later_one_gets_it(
    client: FlaskClient, db: Session, branch: Branch, home: str
) -> None:
    first = client.get(f"{home}/badge.json")
    assert (first.status_code, first.location) == (303, f"{home}/badge.json")
    waiting = client.get(f"{home}/badge.json")
    assert waiting.status_code == 202
    assert waiting.headers["Retry-After"] == "5"
    assert "正在制作" in waiting.text
    assert db.scalar(select(func.count()).select_from(Badge)) == 1
    assert badges.sign_owed(db, branch) == 1
    db.commit()
    made = client.get(f"{home}/badge.json")
    assert made.status_code == 200
    credential = json.loads(made.data)
    assert credential["proof"][0]["cryptosuite"] == "eddsa-rdfc-2022"
    keys = client.get("/.well-known/did.json").get_json()
    assert credential["proof"][0]["verificationMethod"] in keys["assertionMethod"]
    assert client.get(f"{home}/badge.jwt").text.count(".") == 2
    png = client.get(f"{home}/badge.png")
    assert json.loads(OB3Verifier.extract_token_from_png(png.data)) == credential
    assert client.get(f"{home}/badge.svg").status_code == 404


def test_what_the_badge_points_at_is_there(client: FlaskClient, certificate: Certificate, branch: Branch) -> None:
    subject = badges.badge_subject(certificate, branch)
    from certificates import credentials

    body = credentials.credential(subject)
    achievement = body["credentialSubject"]["achievement"]
    for address, media_type in (
        (body["id"], "text/html"),
        (achievement["id"], "text/html"),
        (achievement["image"]["id"], "image/png"),
        (f"{branch.public_url}/badges/issuer", "application/ld+json"),
    ):
        answer = client.get(address.removeprefix(branch.public_url))
        assert answer.status_code == 200
        assert answer.content_type.startswith(media_type)
    assert 'id="criteria"' in client.get(achievement["criteria"]["id"].removeprefix(branch.public_url)).text
    for nothing in (
        "/badges/achievements/254",
        "/badges/123.png",
        f"/badges/{'9' * 198}.png",
        f"/badges/{'x' * 198}.png",
    ):
        assert client.get(nothing).status_code == 404


def test_a_link_is_made_shown_once_opened_and_withdrawn(
    client: FlaskClient, home: str, certificate: Certificate
) -> None:
    made = client.post(f"{home}/shares", data={"days": "7"})
    assert made.status_code == 303
    page = client.get(f"{home}/certificate").text
    address = re.search(r'value="(http[^"]+/shared/[^"]+)"', page)
    assert address is not None
    path = html.unescape(address[1]).removeprefix("http://127.0.0.1:8000")
    assert path not in client.get(f"{home}/certificate").text, "shown once"
    visitor = client.application.test_client()
    shared = visitor.get(path)
    assert shared.status_code == 200
    assert shared.headers["Referrer-Policy"] == "no-referrer"
    assert shared.headers["X-Robots-Tag"].startswith("noindex")
    for word in (certificate.number, "张三丰", "有效"):
        assert word in shared.text
    assert home not in shared.text, "whoever has the link does not get the ticket"
    assert visitor.get(f"{path}/certificate.pdf").content_type == "application/pdf"
    assert visitor.get(f"{path}/certificate.png").content_type == "image/png"
    withdraw = re.search(rf'action="({re.escape(home)}/shares/\d+/withdraw)"', page)
    assert withdraw is not None
    assert client.post(withdraw[1]).status_code == 303
    ended = visitor.get(path)
    assert ended.status_code == 410
    assert "链接已失效" in ended.text
    assert certificate.number not in ended.text
    assert visitor.get(f"{path}/certificate.pdf").status_code == 410


def test_a_period_that_is_not_offered_is_refused(client: FlaskClient, home: str) -> None:
    for days in ("8", "x", ""):
        assert client.post(f"{home}/shares", data={"days": days}).status_code == 409


def test_a_revoked_certificate_is_said_to_be_and_given_to_nobody(
    client: FlaskClient, db: Session, home: str, certificate: Certificate
) -> None:
    token = sharing.share(db, certificate, 30)
    revocation.revoke(db, certificate, "发错人")
    db.commit()
    for address in (f"{home}/certificate", f"/shared/{token}"):
        page = client.get(address)
        assert page.status_code == 200
        assert "已撤销" in page.text
        assert "发错人" not in page.text
        assert "certificate.png" not in page.text
    for address in (
        f"{home}/certificate.pdf",
        f"{home}/card.pdf",
        f"{home}/badge.png",
        f"/shared/{token}/certificate.pdf",
    ):
        assert client.get(address).status_code == 409


def test_a_link_from_before_a_correction_shows_the_new_name_and_its_button_ends_it(
    client: FlaskClient, db: Session, branch: Branch, issue: Issue
) -> None:
    former = issue("张三峰")
    home, token = f"/tickets/{former.enrolment.ticket}", sharing.share(db, former, 30)
    reissue.request(db, former, Correction("张三丰", {}), "姓名有误", branch=branch, scope=EVERYTHING)
    reissue.issue_owed(db, branch)
    db.commit()
    db.expire_all()
    visitor = client.application.test_client()
    shared = visitor.get(f"/shared/{token}").text
    assert "张三丰" in shared
    assert "张三峰" not in shared
    assert "更正" in shared
    page = client.get(f"{home}/certificate").text
    assert "更正" in page
    withdraw = re.search(rf'action="({re.escape(home)}/shares/\d+/withdraw)"', page)
    assert withdraw is not None
    assert client.post(withdraw[1]).status_code == 303
    assert visitor.get(f"/shared/{token}").status_code == 410


def test_a_shared_page_tells_messengers_nothing_of_the_person(
    client: FlaskClient, db: Session, certificate: Certificate
) -> None:
    token = sharing.share(db, certificate, 30)
    db.commit()
    head = client.get(f"/shared/{token}").text.partition("</head>")[0]
    assert 'property="og:title"' in head
    for word in (certificate.number, "张三丰", token):
        assert word not in head
    revocation.revoke(db, certificate, "发错人")
    db.commit()
    page = client.get(f"/shared/{token}").text
    assert "已撤销" in page
    assert "张三丰" not in page


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_code_stands_alone_and_reads(
    client: FlaskClient, home: str, certificate: Certificate, branch: Branch, language: str
) -> None:
    answer = client.get(f"{home}/code?lang={language}")
    assert answer.status_code == 200
    assert answer.headers["X-Robots-Tag"].startswith("noindex")
    assert "张三丰" not in answer.text, "a stranger looks at this screen"
    svg = re.search(r"<svg.+?</svg>", answer.text, re.DOTALL)
    assert svg is not None
    assert svg[0] == documents.code(certificate, branch)


def test_the_page_offers_the_ways_on(client: FlaskClient, home: str, certificate: Certificate) -> None:
    page = client.get(f"{home}/certificate").text
    for way in ("/code", "/certificate.pdf", "/card.pdf", "/second-name", "/badge.json"):
        assert f'href="{home}{way}"' in page
    assert f'download="{certificate.number}.png"' in page
    assert "https://www.linkedin.com/profile/add?" in page
    assert f'data-copy="http://127.0.0.1:8000/v/{digits_of(certificate.payload)}"' in page
    assert page.index("有效") < page.index("张三丰") < page.index("certificate.png"), "the certificate comes first"
