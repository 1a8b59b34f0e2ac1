"""Public pages of open training: the offerings and facts that they show, and those that they do not."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from courses.models.enrolment import EnrolmentState
from courses.models.offerings import OfferingState
from lms.core import clock
from tests.factories import Make

MAY = datetime(2030, 5, 4, 1, tzinfo=UTC)


def test_shows_open_offerings_with_their_free_places(db: Session, make: Make, client: FlaskClient) -> None:
    offering = make.offering(starts=[MAY], capacity=2, lead=make.instructor(name="李老师"), place="甲楼")
    make.enrolment(offering)
    make.enrolment(offering, state=EnrolmentState.CANCELLED)
    db.commit()
    page = client.get("/training/").text
    assert "余1个名额" in page
    assert "甲楼" in page
    detail = client.get(f"/training/{offering.id}").text
    assert "李老师" in detail
    assert "09:00" in detail
    make.enrolment(offering)
    make.enrolment(offering, state=EnrolmentState.WAITLISTED)
    db.commit()
    page = client.get("/training/?lang=en").text
    assert "Full: waiting list" in page
    assert "1 waiting" in page


def test_lists_only_offerings_that_anybody_can_join(db: Session, make: Make, client: FlaskClient) -> None:
    hidden = [
        make.offering(starts=[MAY], state=OfferingState.DRAFT),
        make.offering(starts=[MAY], by_invitation=True),
    ]
    begun = make.offering(starts=[clock.now() - timedelta(minutes=5), MAY])
    cancelled = make.offering(
        starts=[MAY], state=OfferingState.CANCELLED, cancelled_at=clock.now(), cancel_reason="场地停电"
    )
    over = make.offering(state=OfferingState.CLOSED, closed_at=clock.now(), counted_on=date(2026, 5, 4))
    db.commit()
    page = client.get("/training/").text
    for offering in (*hidden, begun, cancelled, over):
        assert f'/training/{offering.id}"' not in page
    for offering in hidden:
        assert client.get(f"/training/{offering.id}").status_code == 404
    for offering, notice in ((begun, "报名截止"), (cancelled, "场地停电"), (over, "已结束")):
        detail = client.get(f"/training/{offering.id}").text
        assert notice in detail
        assert "/enrol" not in detail


def test_filters_by_programme_district_and_day(db: Session, make: Make, client: FlaskClient) -> None:
    make.offering(starts=[MAY], organisation=make.organisation(3), place="甲楼甲")
    make.offering(starts=[MAY + timedelta(days=30)], course=make.course("RESCUE-CPR-AED"), place="乙楼乙")
    db.commit()
    for query in (
        "programme=FIRST_RESPONDER",
        "district=3",
        "last_day=2030-05-04",
        "first_day=2030-05-04&last_day=2030-05-10",
    ):
        page = client.get(f"/training/?{query}").text
        assert "甲楼甲" in page, query
        assert "乙楼乙" not in page, query
    assert "没有符合条件" in client.get("/training/?district=9").text


@pytest.mark.parametrize("number", [1, 8])
def test_the_list_is_one_statement(
    db: Session, make: Make, client: FlaskClient, statements: list[str], number: int
) -> None:
    for _ in range(number):
        make.offering(starts=[MAY, MAY + timedelta(days=1)])
    db.commit()
    statements.clear()
    assert client.get("/training/").status_code == 200
    assert len([statement for statement in statements if "FROM offering" in statement]) == 1
    assert len(statements) == 3


def test_gives_no_personal_data_but_the_lead_s_name(db: Session, make: Make, client: FlaskClient) -> None:
    offering = make.offering(starts=[MAY])
    trainee = make.enrolment(offering, make.trainee("赵某某")).trainee
    assert offering.lead_instructor is not None
    offering.lead_instructor.phone = "+8613900001111"
    db.commit()
    for address in ("/training/", f"/training/{offering.id}"):
        page = client.get(address).text
        assert "赵某某" not in page
        assert str(trainee.phone)[3:] not in page
        assert "13900001111" not in page
        assert offering.lead_instructor.registration_number not in page


def test_an_offering_shorter_than_its_course_says_how_long_it_is(db: Session, make: Make, client: FlaskClient) -> None:
    offering = make.offering(starts=[MAY], hours=80 / 60, course=make.new_course(hours=Decimal(2)))
    db.commit()
    page = client.get(f"/training/{offering.id}").text
    assert "计划1小时20分钟" in page
    assert "全部计划课次" in page
    assert "planned: 1 h 20 min" in client.get(f"/training/{offering.id}?lang=en").text


def test_says_whom_to_call_the_way_what_to_bring_and_the_fee(db: Session, make: Make, client: FlaskClient) -> None:
    host = make.organisation(contact_name="教务处", contact_phone="010-6400 1111")
    course = make.new_course(bring_zh="宽松衣裤", bring_en="Loose clothes")
    offering = make.offering(starts=[MAY], organisation=host, course=course, place="甲楼")
    db.commit()
    page = client.get(f"/training/{offering.id}").text
    for text in ("教务处", 'href="tel:01064001111"', "宽松衣裤", "https://uri.amap.com/search?keyword=", "隐私"):
        assert text in page
    assert "Loose clothes" in client.get(f"/training/{offering.id}?lang=en").text
    assert "免费" not in page
    preview = "".join(re.findall(r'<meta property="og:[^>]*>', page))
    assert "甲楼" in preview
    assert "教务处" not in preview
    assert "6400" not in preview
    offering.contact_phone, offering.contact_name, offering.fee = "010-6400 2222", None, Decimal("50.00")
    offering.bring, offering.directions, offering.fee_note = "毛巾", "五号线\nA口", "教材"
    db.commit()
    page = client.get(f"/training/{offering.id}?lang=zh").text
    for text in ("010-6400 2222", "毛巾", "A口", "50元 · 教材"):
        assert text in page
    assert "教务处" not in page
    offering.fee, offering.state = Decimal(0), OfferingState.CLOSED
    offering.closed_at, offering.counted_on = clock.now(), date(2030, 5, 4)
    db.commit()
    page = client.get(f"/training/{offering.id}").text
    assert "免费" in page
    assert "6400" not in page  # nobody is asked any more


def test_a_month_shows_the_days_and_keeps_the_district(db: Session, make: Make, client: FlaskClient) -> None:
    offering = make.offering(starts=[MAY], organisation=make.organisation(3))
    db.commit()
    with clock.at(MAY - timedelta(days=40)):
        page = client.get("/training/month?month=2030-05&district=3&first_day=2030-01-01").text
        assert f'href="/training/{offering.id}"' in page
        assert re.search(r'rel="prev" href="/training/month\?(?=[^"]*district=3)[^"]*month=2030-04', page)
        assert "2030年5月" in page
        assert "first_day" not in page.partition("<main")[2]
        for query in (
            "month=2030-05&district=4",
            "month=2030-06",
            "month=x",
            "month=9999-99",
            "month=&district=x&programme=%27",
        ):
            answer = client.get(f"/training/month?{query}")
            assert answer.status_code == 200
            assert f'href="/training/{offering.id}"' not in answer.text


def test_a_filter_that_is_set_is_a_chip_that_removes_it(client: FlaskClient) -> None:
    page = client.get("/training/?district=3&first_day=2030-05-04").text
    assert 'href="/training/?first_day=2030-05-04"' in page
    assert 'href="/training/?district=3"' in page
    assert '<details class="panel" >' in page
    assert '<details class="panel" open>' in client.get("/training/?first_day=1066-01-01").text
