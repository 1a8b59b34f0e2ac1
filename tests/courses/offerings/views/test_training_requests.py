"""Pages of requested trainings: an administrator reads, accepts and declines, and the home page says how many wait."""

from collections.abc import Callable

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.models.offerings import Offering
from lms.accounts.models import User
from lms.core.scope import Role
from tests.factories import Make
from tests.messages import mails

SignIn = Callable[[User], FlaskClient]


def test_the_district_accepts_one_and_declines_another(db: Session, make: Make, sign_in: SignIn) -> None:
    make.organisation(name_zh="景山学校")
    accepted, declined = make.training_request(), make.training_request(organisation_name="新华书店")
    make.training_request(district_id=2, organisation_name="别区的单位")
    db.commit()
    district = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR))
    assert '<span class="need-number">2</span> <span>个单位申请培训。' in district.get("/").text
    listing = district.get("/offerings/requested/").text
    assert "新华书店" in listing
    assert "别区的单位" not in listing
    page = district.get(f"/offerings/requested/{accepted.id}").text
    assert 'value="景山学校 · 东城区"' in page
    assert "zhou@example.org" in page
    address = f"/offerings/requested/{accepted.id}/accept"
    assert district.post(address, data={}).status_code == 422
    assert "没有此名称" in district.post(address, data={"organisation": "别处"}).text
    answer = district.post(address, data={"organisation": "景山学校 · 东城区"})
    offering = db.scalars(select(Offering)).one()
    assert answer.location == f"/offerings/{offering.id}/edit"
    assert district.get(answer.location).status_code == 200
    assert "景山学校申请举办" in district.get(f"/offerings/{offering.id}").text
    assert district.post(address, data={"organisation": "景山学校"}).status_code == 422
    address = f"/offerings/requested/{declined.id}/decline"
    assert district.post(address, data={"reason": " "}).status_code == 422
    assert district.post(address, data={"reason": "五月没有师资"}).status_code == 302
    assert "五月没有师资" in district.get(f"/offerings/requested/{declined.id}").text
    assert len(mails(db)) == 2
    assert "申请办班" not in district.get("/").text.partition("<main")[2]
    assert (
        '<span class="need-number">1</span> <span>个单位申请培训。'
        in sign_in(make.user(Role.CITY_ADMINISTRATOR)).get("/").text
    )
    assert "家单位申请办班" not in sign_in(make.user(Role.AUDITOR)).get("/").text


def test_an_odd_filter_shows_all(make: Make, sign_in: SignIn) -> None:
    make.training_request()
    city = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    for query in ("state=x", "state=all", "page=0", "page=99999999999999999999", "state=%00"):
        assert city.get(f"/offerings/requested/?{query}").status_code in {200, 400, 404}
    assert "景山学校" in city.get("/offerings/requested/?state=all").text
