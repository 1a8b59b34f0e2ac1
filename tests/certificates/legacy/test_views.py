"""The city's pages of legacy certificates, and the wallet card of ours."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates.legacy import superseding
from certificates.legacy.models import LegacyCertificate
from certificates.models import Certificate
from certificates.payload import digits_of
from lms.core.scope import Role
from tests.certificates.legacy_files import GOOD, HEAD, ID_NUMBER, LIFELONG, take_in
from tests.certificates.legacy_people import legacy_of
from tests.factories import Make

SignIn = Callable[..., FlaskClient]


@pytest.fixture
def old(db: Session, tmp_path: Path) -> LegacyCertificate:
    """The first of two imported certificates."""
    path = tmp_path / "old.csv"
    path.write_text("\n".join((HEAD, GOOD, LIFELONG)))
    take_in(db, path)
    return db.scalars(select(LegacyCertificate).where(LegacyCertificate.name == "张三丰")).one()


@pytest.fixture
def city(make: Make, sign_in: SignIn) -> FlaskClient:
    return sign_in(make.user(Role.CITY_ADMINISTRATOR))


def test_the_list_is_searched_as_the_public_looks_up(city: FlaskClient, old: LegacyCertificate) -> None:
    def shown(**words: str) -> set[str]:
        page = city.post("/certificates/legacy/", data=words, follow_redirects=True).text
        return {name for name in ("张三丰", "李四光") if name in page}

    assert shown() == {"张三丰", "李四光"}
    assert shown(number="2015第00123") == {"张三丰"}
    assert shown(holder="李四") == {"李四光"}
    assert shown(number="%") == {"张三丰", "李四光"}
    assert shown(holder="王五") == set()
    assert "/certificates/legacy/" in city.get("/certificates/").text


def test_one_is_shown_without_its_id_number_taken_back_and_restored(
    city: FlaskClient, db: Session, old: LegacyCertificate
) -> None:
    address = f"/certificates/legacy/{old.id}"
    page = city.get(address).text
    assert old.number in page
    assert "old.csv:2" in page
    assert "109X" not in page
    assert city.post(f"{address}/revoke", data={"reason": ""}).status_code == 422
    assert city.post(f"{address}/revoke", data={"reason": "伪造档案"}, follow_redirects=True).status_code == 200
    db.refresh(old)
    assert old.revoke_reason == "伪造档案"
    assert city.post(f"{address}/revoke", data={"reason": "again"}).status_code == 422
    assert "伪造档案" in city.get(address).text
    assert "核对无误" in city.post(f"{address}/restore", data={"reason": "核对无误"}, follow_redirects=True).text
    db.refresh(old)
    assert old.revoked_at is None


def test_they_are_the_citys_alone(make: Make, sign_in: SignIn, old: LegacyCertificate) -> None:
    district = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=1))
    assert district.get("/certificates/legacy/").status_code == 403
    assert district.get(f"/certificates/legacy/{old.id}").status_code == 403
    auditor = sign_in(make.user(Role.AUDITOR))
    assert old.number in auditor.get("/certificates/legacy/").text
    assert "/revoke" not in auditor.get(f"/certificates/legacy/{old.id}").text
    assert auditor.post(f"/certificates/legacy/{old.id}/revoke", data={"reason": "why"}).status_code == 403


def test_staff_print_the_wallet_card(city: FlaskClient, issue: Callable[..., Certificate]) -> None:
    certificate = issue("张三丰")
    address = f"/certificates/{certificate.id}"
    assert f"{address}/card.pdf" in city.get(address).text
    card = city.get(f"{address}/card.pdf")
    assert card.data.startswith(b"%PDF")
    assert card.headers["Content-Disposition"] == f'attachment; filename="{certificate.number}-card.pdf"'
    assert card.data != city.get(f"{address}.pdf").data


@pytest.mark.usefixtures("old")
def test_the_page_says_that_there_is_no_signed_code(client: FlaskClient) -> None:
    answer = client.post("/verify", data={"number": "京红救(2015)第00123号", "proof": "张三丰"})
    assert answer.status_code == 200
    assert 'class="verdict valid"' in answer.text
    assert "无签名二维码" in answer.text
    assert "张*丰" in answer.text
    assert "张三丰" not in answer.text
    assert ID_NUMBER[-6:] not in answer.text
    english = client.post("/verify?lang=en", data={"number": "京红救(2015)第00123号", "proof": "张三丰"}).text
    assert "has no signed code" in english
    texts = set()
    for number, proof in (("京红救(2015)第00123号", "王五"), ("京红救(2015)第99999号", "王五"), ("无", "王五")):
        refused = client.post("/verify", data={"number": number, "proof": proof})
        assert refused.status_code == 404
        texts.add(refused.text.replace(number, ""))
    assert len(texts) == 1


def test_a_renewed_one_leads_to_its_successor_and_the_successor_shows_it(
    db: Session, make: Make, city: FlaskClient, client: FlaskClient, issue: Callable[..., Certificate]
) -> None:
    renewal = issue("张三丰", course=make.new_course(refresher=True, certificate_type=1))
    old = legacy_of(db, holder=renewal.enrolment.trainee)
    superseding.settle(db, [renewal.enrolment.trainee_id])
    db.commit()
    answer = client.post("/verify", data={"number": old.number, "proof": "张三丰"}).text
    assert 'class="verdict superseded"' in answer
    assert f'href="/v/{digits_of(renewal.payload)}"' in answer
    asked = {"certificates": [{"number": old.number, "name": "张三丰"}]}
    [result] = client.post("/api/v1/verify", json=asked).get_json()["results"]
    assert (result["state"], result["successor"]) == ("superseded", f"/v/{digits_of(renewal.payload)}")
    assert f"/certificates/legacy/{old.id}" in city.get(f"/certificates/{renewal.id}").text
    assert renewal.number in city.get(f"/certificates/legacy/{old.id}").text
