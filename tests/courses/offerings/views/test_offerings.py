"""Pages of offerings for staff: forms that keep their input on errors, the scope, and the number of statements."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.enrolment import places
from courses.models.enrolment import EnrolmentState
from courses.models.offerings import Offering, OfferingState, SessionInstructor
from courses.offerings.staffing import label
from lms.accounts.models import User
from lms.core.audit import AuditEntry
from lms.core.scope import Role
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
MAY = datetime(2030, 5, 4, 1, tzinfo=UTC)


@pytest.fixture
def city(make: Make, sign_in: SignIn) -> FlaskClient:
    return sign_in(make.user(Role.CITY_ADMINISTRATOR))


def facts(make: Make, **changes: Any) -> dict[str, Any]:
    values = {
        "course_id": make.new_course().id,
        "organisation": make.organisation().name_zh,
        "place": "二楼教室",
        "lead": make.instructor().registration_number,
        "sessions-0-day": "2030-05-04",
        "sessions-0-starts": "09:00",
        "sessions-0-ends": "17:00",
    } | changes
    make.db.commit()
    return values


def only(db: Session) -> Offering:
    return db.scalars(select(Offering)).one()


class TestForm:
    def test_schedules_publishes_and_leaves_an_audit_trail(self, db: Session, make: Make, city: FlaskClient) -> None:
        helper = make.instructor()
        answer = city.post(
            "/offerings/new",
            data=facts(make, **{
                "assistants-0": label(helper),
                "sessions-1-day": "2030-05-05", "sessions-1-starts": "20:00", "sessions-1-ends": "01:00",
                "sessions-2-day": "", "sessions-2-starts": "", "sessions-2-ends": "",
            }),
        )  # fmt: skip
        offering = only(db)
        assert answer.location == f"/offerings/{offering.id}"
        assert [row.starts_at for row in offering.sessions] == [MAY, MAY + timedelta(hours=35)]
        assert offering.sessions[1].ends_at - offering.sessions[1].starts_at == timedelta(hours=5)
        assert all(len(row.instructors) == 2 for row in offering.sessions)
        assert city.post(f"/offerings/{offering.id}/publish").status_code == 302
        db.refresh(offering)
        assert offering.state == OfferingState.PUBLISHED
        actions = db.scalars(select(AuditEntry.action).where(AuditEntry.subject == f"offering:{offering.id}")).all()
        assert set(actions) == {"offering.schedule", "offering.publish"}
        assert helper.name in city.get(f"/offerings/{offering.id}").text

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"organisation": "没有的单位"}, "没有此名称的组织单位"),
            ({"lead": "没有的人"}, "没有名为没有的人的合格师资"),
            ({"sessions-0-ends": "09:00"}, "结束时间必须晚于开始时间"),
            ({"sessions-0-ends": "08:30"}, "结束时间必须晚于开始时间"),
            ({"sessions-0-starts": ""}, "请填写此项"),
            ({"capacity": "0"}, "名额"),
            ({"place": " "}, "必填"),
        ],
    )
    def test_an_error_says_what_is_wrong_and_loses_nothing(
        self, db: Session, make: Make, city: FlaskClient, changes: dict[str, str], message: str
    ) -> None:
        sent = facts(make, **changes)
        answer = city.post("/offerings/new", data=sent)
        assert answer.status_code == 422
        assert message in answer.text
        for name in ("organisation", "lead", "sessions-0-day", "sessions-0-starts", "sessions-0-ends"):
            assert f'value="{sent[name]}"' in answer.text
        assert db.scalars(select(Offering)).all() == []

    def test_a_clash_is_told_on_the_form(self, db: Session, make: Make, city: FlaskClient) -> None:
        sent = facts(make)
        city.post("/offerings/new", data=sent)
        answer = city.post("/offerings/new", data=sent | {"sessions-0-starts": "16:00"})
        assert answer.status_code == 422
        assert "2030-05-04 09:00–17:00" in answer.text
        assert only(db)

    def test_rows_come_and_go_by_buttons_of_the_form(self, make: Make, city: FlaskClient) -> None:
        sent = facts(make)
        added = city.post("/offerings/new", data=sent | {"add_session": "1"})
        assert added.status_code == 200
        assert 'name="sessions-1-day"' in added.text
        assert 'value="2030-05-05"' in added.text
        removed = city.post(
            "/offerings/new", data=sent | {"sessions-1-day": "2030-06-01", "remove_session": "sessions-0"}
        )
        assert 'value="2030-06-01"' in removed.text
        assert 'name="sessions-0-day"' not in removed.text
        assert 'name="assistants-1"' in city.post("/offerings/new", data=sent | {"add_assistant": "1"}).text

    def test_editing_shows_what_is_there_and_saving_it_changes_nothing(
        self, db: Session, make: Make, city: FlaskClient
    ) -> None:
        city.post("/offerings/new", data=facts(make))
        offering = only(db)
        page = city.get(f"/offerings/{offering.id}/edit").text
        session_id = offering.sessions[0].id
        assert f'value="{session_id}"' in page
        same = facts(
            make,
            course_id=offering.course_id,
            organisation=offering.organisation.name_zh,
            lead=offering.lead_instructor.registration_number if offering.lead_instructor else "",
            capacity=offering.capacity,
            **{"sessions-0-session_id": session_id},
        )
        assert city.post(f"/offerings/{offering.id}/edit", data=same).status_code == 302
        assert "offering.change" not in db.scalars(select(AuditEntry.action)).all()
        moved = same | {"sessions-0-day": "2030-05-11"}
        assert city.post(f"/offerings/{offering.id}/edit", data=moved).status_code == 302
        db.expire_all()
        assert [row.id for row in offering.sessions] == [session_id]
        assert offering.sessions[0].starts_at == MAY + timedelta(days=7)

    def test_one_session_gets_a_place_and_a_lead_of_its_own(self, db: Session, make: Make, city: FlaskClient) -> None:
        offering = make.offering(starts=[MAY, MAY + timedelta(days=1)])
        second = offering.sessions[1]
        other = make.instructor()
        db.commit()
        address = f"/offerings/{offering.id}/sessions/{second.id}/edit"
        assert offering.lead_instructor is not None
        assert offering.lead_instructor.name in city.get(address).text
        sent = {"day": "2030-05-05", "starts": "10:00", "ends": "12:00", "place": "操场", "lead": label(other)}
        assert city.post(address, data=sent).status_code == 302
        db.expire_all()
        assert second.place == "操场"
        leads = db.scalars(
            select(SessionInstructor.instructor_id).where(SessionInstructor.course_session_id == second.id)
        ).all()
        assert leads == [other.id]
        assert "各课次的师资不同" in city.get(f"/offerings/{offering.id}/edit").text

    def test_the_same_again_keeps_weekdays_and_lies_in_the_future(
        self, db: Session, make: Make, city: FlaskClient
    ) -> None:
        offering = make.offering(starts=[datetime(2026, 1, 5, 1, tzinfo=UTC)], place="老地方")
        db.commit()
        page = city.get(f"/offerings/new?like={offering.id}").text
        assert 'value="老地方"' in page
        day = datetime.fromisoformat(page.split('name="sessions-0-day"')[1].split('value="')[1].split('"')[0])
        assert day.weekday() == 0
        assert day.replace(tzinfo=UTC) > datetime.now(UTC) - timedelta(days=1)


class TestCancel:
    def test_lists_those_to_call_with_masked_phones(self, db: Session, make: Make, city: FlaskClient) -> None:
        offering = make.offering(starts=[MAY])
        make.enrolment(offering, make.trainee("赵一", phone="+8613812345678", district_id=offering.district_id))
        make.enrolment(offering, make.trainee("孙三", phone="+8613987654321", district_id=16))
        make.enrolment(offering, make.trainee("钱二"), email="qian@example.org")
        db.commit()
        address = f"/offerings/{offering.id}/cancel"
        assert "2" in city.get(address).text
        assert city.post(address, data={"reason": " "}).status_code == 422
        assert city.post(address, data={"reason": "场地停电"}).status_code == 302
        page = city.get(f"/offerings/{offering.id}").text
        assert "场地停电" in page
        assert "赵一" in page
        assert "138****5678" in page
        assert "13812345678" not in page
        assert "孙三" in page
        assert "4321" not in page
        assert "钱二" not in page
        assert city.get(address).status_code == 302


class TestReach:
    @pytest.fixture
    def elsewhere(self, db: Session, make: Make) -> Offering:
        offering = make.offering(organisation=make.organisation(2), starts=[MAY])
        db.commit()
        return offering

    @pytest.mark.parametrize("path", ["", "/edit", "/cancel"])
    @pytest.mark.parametrize("role", [Role.COORDINATOR, Role.DISTRICT_ADMINISTRATOR])
    def test_another_district_is_not_found(
        self, make: Make, sign_in: SignIn, elsewhere: Offering, role: Role, path: str
    ) -> None:
        browser = sign_in(make.user(role))
        assert browser.get(f"/offerings/{elsewhere.id}{path}").status_code == 404
        assert browser.post(f"/offerings/{elsewhere.id}/publish").status_code == 404
        assert str(elsewhere.place) not in browser.get("/offerings/").text

    def test_an_instructor_reads_the_own_and_changes_nothing(self, db: Session, make: Make, sign_in: SignIn) -> None:
        user = make.user(Role.INSTRUCTOR)
        own = make.offering(lead=make.instructor(user=user), starts=[MAY])
        other = make.offering(starts=[MAY])
        db.commit()
        browser = sign_in(user)
        page = browser.get(f"/offerings/{own.id}")
        assert page.status_code == 200
        assert "/edit" not in page.text
        assert browser.get(f"/offerings/{other.id}").status_code == 404
        assert browser.get(f"/offerings/{own.id}/edit").status_code == 403
        assert browser.post(f"/offerings/{own.id}/publish").status_code == 403

    def test_a_coordinator_plans_for_the_own_organisation_alone(self, db: Session, make: Make, sign_in: SignIn) -> None:
        host = make.organisation()
        browser = sign_in(make.user(Role.COORDINATOR, organisation_id=host.id))
        assert host.name_zh in browser.get("/offerings/new").text
        assert browser.post("/offerings/new", data=facts(make)).status_code == 422
        assert browser.post("/offerings/new", data=facts(make, organisation=host.name_zh)).status_code == 302
        assert only(db).organisation_id == host.id

    def test_an_auditor_reads_and_does_not_write(self, make: Make, sign_in: SignIn, elsewhere: Offering) -> None:
        browser = sign_in(make.user(Role.AUDITOR))
        assert browser.get(f"/offerings/{elsewhere.id}").status_code == 200
        assert browser.post(f"/offerings/{elsewhere.id}/publish").status_code == 403


class TestList:
    def test_filters_narrow_the_list(self, db: Session, make: Make, city: FlaskClient) -> None:
        match = make.offering(starts=[MAY], organisation=make.organisation(3, name_zh="红星小学"), place="甲")
        make.offering(starts=[MAY + timedelta(days=40)], organisation=make.organisation(4), place="乙乙乙")
        make.offering(starts=[MAY], state=OfferingState.DRAFT, place="丙丙丙", course=make.course("RESCUE-CPR-AED"))
        db.commit()
        lead = match.lead_instructor
        assert lead is not None
        for query in (
            "district=3", "organisation=红星", "last_day=2030-05-04&shown=published", f"search={lead.name} 甲",
            "first_day=2030-05-04&last_day=2030-05-04&programme=FIRST_RESPONDER",
        ):  # fmt: skip
            page = city.get(f"/offerings/?{query}").text
            assert "红星小学" in page, query
            assert "乙乙乙" not in page, query
            assert "丙丙丙" not in page, query
        assert "红星小学" not in city.get("/offerings/?shown=draft").text
        assert city.get("/offerings/?first_day=0001-01-01&last_day=9999-12-31&page=99&shown=x").status_code == 200

    def test_takes_the_same_statements_for_any_number_of_rows(
        self, db: Session, make: Make, city: FlaskClient, statements: list[str]
    ) -> None:
        def count() -> int:
            db.commit()
            statements.clear()
            page = city.get("/offerings/")
            assert "3 / 30" in " ".join(page.text.replace("<strong>", "").replace("</strong>", "").split())
            return len([statement for statement in statements if "browser_session" not in statement])

        def fill(number: int) -> None:
            for _ in range(number):
                offering = make.offering(starts=[MAY, MAY + timedelta(days=1)], capacity=30)
                for _ in range(3):
                    make.enrolment(offering)
                make.enrolment(offering, state=EnrolmentState.WAITLISTED)

        fill(1)
        statements_for_one = count()
        fill(6)
        assert count() == statements_for_one
        assert statements_for_one <= 7


class TestHours:
    def test_publishing_fewer_hours_than_the_course_asks_which_ones_the_certificates_state(
        self, db: Session, make: Make, city: FlaskClient
    ) -> None:
        lead = make.instructor()
        offering = make.offering(starts=[MAY], hours=80 / 60, lead=lead, state=OfferingState.DRAFT)
        db.commit()
        address = f"/offerings/{offering.id}"
        page = city.get(address).text
        assert f'href="{address}/publish"' in page
        assert "各课次合计1小时20分钟，少于课程规定的8学时" in page
        assert "All sessions together: 1 h 20 min; class hours of the course: 8." in city.get(f"{address}?lang=en").text
        page = city.get(f"{address}/publish?lang=zh").text
        assert "实际学时: 1.3 学时" in page
        assert "课程学时: 8 学时" in page
        undecided = city.post(f"{address}/publish")
        assert (undecided.status_code, "请选择证书填写哪个学时" in undecided.text) == (422, True)
        reasonless = city.post(f"{address}/publish", data={"hours_choice": "course"})
        assert (reasonless.status_code, "请填写证书仍按课程学时填写的理由" in reasonless.text) == (422, True)
        sent = {"hours_choice": "course", "hours_reason": "另有自学记录"}
        assert city.post(f"{address}/publish", data=sent).status_code == 302
        db.refresh(offering)
        assert (offering.state, offering.hours_reason) == (OfferingState.PUBLISHED, "另有自学记录")
        assert "另有自学记录" in city.get(address).text
        assert city.get(f"{address}/publish").location == address

    def test_an_offering_whose_last_open_session_was_removed_leads_to_its_closing(
        self, db: Session, make: Make, city: FlaskClient
    ) -> None:
        offering = make.offering(starts=[MAY - timedelta(days=2000)])
        db.commit()
        address = f"/sessions/{offering.sessions[0].id}/close"
        assert address not in city.get(f"/offerings/{offering.id}").text
        offering.sessions[0].closed_at = offering.sessions[0].ends_at
        db.commit()
        assert address in city.get(f"/offerings/{offering.id}").text


def test_public_facts_are_copied_and_an_odd_one_is_refused(db: Session, make: Make, city: FlaskClient) -> None:
    sent = facts(
        make, contact_name="周老师", contact_phone="０１０-6400 0000 转 12", directions="五号线", bring="毛巾", fee="50",
        fee_note="教材", map_address="府学胡同1号",
    )  # fmt: skip
    for name, value in (
        ("contact_phone", ""), ("contact_phone", "call me"), ("fee", "-1"), ("fee", "NaN"), ("fee", "1e9"), ("fee", "五十"),
        ("directions", "a" * 501), ("map_address", "a" * 201),
    ):  # fmt: skip
        answer = city.post("/offerings/new", data=sent | {name: value})
        assert answer.status_code == 422, (name, value)
        assert 'value="教材"' in answer.text
    assert city.post("/offerings/new", data=sent).status_code == 302
    offering = only(db)
    assert (offering.contact_phone, str(offering.fee)) == ("010-6400 0000 转 12", "50.00")
    copy = city.get(f"/offerings/new?like={offering.id}").text
    for text in ("周老师", "010-6400 0000 转 12", "五号线", "毛巾", "50.00", "教材", "府学胡同1号"):
        assert text in copy


def test_back_to_draft_is_offered_and_done_while_nobody_is_enrolled(
    db: Session, make: Make, city: FlaskClient, sign_in: SignIn
) -> None:
    offering = make.offering(starts=[MAY], published_at=MAY)
    db.commit()
    address = f"/offerings/{offering.id}/withdraw"
    assert address in city.get(f"/offerings/{offering.id}").text
    enrolment = make.enrolment(offering)
    db.commit()
    assert address not in city.get(f"/offerings/{offering.id}").text
    refused = city.post(address)
    assert refused.status_code == 409
    assert "取消本班" in refused.text
    assert sign_in(make.user(Role.INSTRUCTOR)).post(address).status_code == 403
    places.cancel(db, enrolment, "没有时间")
    db.commit()
    assert city.post(address).location == f"/offerings/{offering.id}"
    assert city.get(f"/training/{offering.id}").status_code == 404
    assert city.get(f"/training/{offering.id}/enrol").status_code == 404
