"""The search of every page: what each role finds, and where a number leads."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates.legacy.models import LegacyCertificate
from courses.enrolment.trainees import TraineeFacts, register
from lms.accounts.models import User
from lms.core.scope import Role
from tests.architecture.test_reach import certify
from tests.certificates.legacy_files import GOOD, HEAD, load
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
PHONE = "+8613812345678"


def _found(client: FlaskClient, words: str) -> str:
    answer = client.post("/search/", data={"words": words})
    assert answer.status_code == 303
    assert words not in answer.location or words.isdecimal()
    return client.get(answer.location + "&lang=en").text if answer.location.startswith("/search/") else answer.location


def test_every_kind_is_found_and_an_exact_number_leads_straight_there(
    db: Session, make: Make, sign_in: SignIn, tmp_path: Path
) -> None:
    person = register(db, TraineeFacts("张伟", phone=PHONE, birth_year=1985), 1)
    register(db, TraineeFacts("张伟", phone="+8613812345679", birth_year=1990), 1)
    host = make.organisation(1, name_zh="红星小学")
    lead = make.instructor(name="章子怡", district_id=1)
    offering = make.offering(organisation=host, lead=lead)
    enrolment = make.enrolment(offering, person)
    certificate = certify(db, enrolment.id)
    path = tmp_path / "old.csv"
    path.write_text("\n".join((HEAD, GOOD)), encoding="utf-8")
    load(db, path)
    old = db.scalars(select(LegacyCertificate)).one()
    db.commit()
    city = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    for words in ("张伟", "zhang wei", "zw"):
        page = _found(city, words)
        assert page.count(f'href="/trainees/{person.id}"') == 1
        assert all(year in page for year in ("1985", "1990"))
    assert "1990" not in _found(city, "张伟 1985")
    assert _found(city, "138 1234 5678") == f"/trainees/{person.id}"
    assert _found(city, enrolment.ticket) == f"/trainees/{person.id}"
    assert _found(city, f"https://localhost/tickets/{enrolment.ticket}") == f"/trainees/{person.id}"
    assert _found(city, certificate.number.lower()) == f"/certificates/{certificate.id}"
    assert f'href="/certificates/{certificate.id}"' in _found(city, certificate.number[:-2])
    assert _found(city, old.number) == f"/certificates/legacy/{old.id}"
    assert _found(city, lead.registration_number) == f"/instructors/{lead.id}"
    assert _found(city, str(offering.id)) == f"/offerings/{offering.id}"
    page = _found(city, "红星")
    assert all(f'href="{address}"' in page for address in (f"/offerings/{offering.id}", f"/organisations/{host.id}"))
    assert f'href="/instructors/{lead.id}"' in _found(city, "zzy")
    assert "Nothing matches" in _found(city, "没有此人")


@pytest.mark.parametrize(
    "words", ["", "  ", "%", "_", "/", "'", "0", "9" * 30, "\u200b", "张" * 100, "z" * 200, "١٢٣٤"]
)
def test_odd_words_find_nothing_and_break_nothing(make: Make, sign_in: SignIn, words: str) -> None:
    city = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    answer = city.post("/search/", data={"words": words}, follow_redirects=True)
    assert answer.status_code == 200
    assert "search-hits" not in answer.text


def test_each_role_finds_what_it_reaches(db: Session, make: Make, sign_in: SignIn) -> None:
    person = register(db, TraineeFacts("张伟", phone=PHONE), 2)
    offering = make.offering(organisation=make.organisation(2, name_zh="红星小学"), lead=make.instructor(district_id=2))
    make.enrolment(offering, person)
    db.commit()
    elsewhere = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR, district_id=1))
    for words in ("张伟", "13812345678", "红星", str(offering.id), "https://x/tickets/" + "A" * 22):
        page = _found(elsewhere, words)
        assert "search-hits" not in page
        assert "Nothing matches" in page
    assert elsewhere.get("/search/?words=nonsense").status_code == 200
    instructor = sign_in(make.user(Role.INSTRUCTOR))
    assert "Nothing matches" in _found(instructor, "13812345678")
    assert 'action="/search/"' in instructor.get("/search/").text
    assert 'id="site-search"' in elsewhere.get("/trainees/").text
    assert 'id="site-search"' not in sign_in(make.user(Role.TRAINEE)).get("/my-training/").text
