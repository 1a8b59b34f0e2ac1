"""Pages on which administrators decide whose a legacy certificate is."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from certificates.legacy import matching
from certificates.legacy.models import LegacyCertificate
from courses.models.trainees import Trainee
from lms.core.scope import Role
from tests.certificates.legacy_people import ID_NUMBER, legacy_of
from tests.factories import Make

SignIn = Callable[..., FlaskClient]
LIST = "/certificates/legacy/holders/"


@pytest.fixture
def trainee(make: Make) -> Trainee:
    return make.trainee("张三丰", district_id=1, birth_year=1990)


@pytest.fixture
def row(db: Session, trainee: Trainee) -> LegacyCertificate:
    certificate = legacy_of(db, certificate_type=None, course="老证", id_number=ID_NUMBER)
    for _progress in matching.match_all(db):
        db.commit()
    return certificate


def test_a_district_decides_and_undoes_it(
    db: Session, make: Make, sign_in: SignIn, row: LegacyCertificate, trainee: Trainee
) -> None:
    browser = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=1))
    assert LIST in browser.get("/certificates/").text
    assert row.number in browser.get(f"{LIST}?agrees=name").text
    page = browser.get(f"{LIST}{row.id}").text
    assert "1990" in page
    assert ID_NUMBER not in page
    refused = browser.post(f"{LIST}{row.id}/link", data={"trainee": "", "certificate_type": ""})
    assert refused.status_code == 422
    answer = browser.post(
        f"{LIST}{row.id}/link", data={"trainee": trainee.id, "certificate_type": "2"}, follow_redirects=True
    )
    assert answer.status_code == 200
    db.refresh(row)
    assert (row.trainee_id, row.certificate_type) == (trainee.id, 2)
    assert row.number in browser.get(f"/trainees/{trainee.id}").text
    again = browser.post(f"{LIST}{row.id}/link", data={"trainee": trainee.id, "certificate_type": ""})
    assert again.status_code == 422
    assert browser.post(f"{LIST}{row.id}/unlink", data={"reason": ""}).status_code == 422
    browser.post(f"{LIST}{row.id}/unlink", data={"reason": "同名不同人"})
    db.refresh(row)
    assert row.trainee_id is None
    browser.post(f"{LIST}{row.id}/set-aside")
    assert row.number in browser.get(f"{LIST}?agrees=aside").text
    browser.post(f"{LIST}{row.id}/put-back")
    assert row.number not in browser.get(f"{LIST}?agrees=aside").text


def test_another_districts_is_not_found_and_odd_values_are_refused(
    make: Make, sign_in: SignIn, row: LegacyCertificate, trainee: Trainee
) -> None:
    other = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=2))
    assert other.get(f"{LIST}{row.id}").status_code == 404
    for act in ("link", "unlink", "set-aside", "put-back"):
        assert other.post(f"{LIST}{row.id}/{act}", data={"trainee": trainee.id}).status_code == 404
    city = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    for odd, status in (("-1", 422), ("x", 422), (str(2**63), 422), ("999999999", 404)):
        assert city.post(f"{LIST}{row.id}/link", data={"trainee": odd, "certificate_type": ""}).status_code == status
    assert city.post(f"{LIST}{row.id}/link", data={"trainee": trainee.id, "certificate_type": "x"}).status_code == 422
    assert city.get(f"{LIST}?agrees=nonsense&page=0").status_code == 200


def test_the_city_sees_whose_a_certificate_is_and_how_it_was_found(
    db: Session, make: Make, sign_in: SignIn, trainee: Trainee
) -> None:
    held = legacy_of(db, holder=trainee)
    db.commit()
    city = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    page = city.get(f"/certificates/legacy/{held.id}").text
    assert f"/trainees/{trainee.id}" in page
    assert "姓名与证件号码相符" in page
    assert f"/certificates/legacy/{held.id}" in city.get(f"/trainees/{trainee.id}").text
    auditor = sign_in(make.user(Role.AUDITOR))
    assert held.number in auditor.get(f"/trainees/{trainee.id}").text
    assert auditor.get(LIST).status_code == 403


def test_a_person_sees_the_own_certificate_and_nobody_elses(
    db: Session, make: Make, sign_in: SignIn, trainee: Trainee
) -> None:
    user = make.user(Role.TRAINEE)
    trainee.user_id = user.id
    held, other = legacy_of(db, holder=trainee), legacy_of(db, holder=make.trainee("李四"))
    db.commit()
    page = sign_in(user).get("/my-training/").text
    assert held.number in page
    assert other.number not in page
