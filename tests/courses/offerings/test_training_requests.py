"""Training requests: stored once, decided once, by the district that was asked."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.models.offerings import OfferingState
from courses.models.training_requests import ContactPerson, RequestState, TrainingRequest
from courses.offerings import training_requests
from courses.offerings.training_requests import RequestedTraining
from lms.core.errors import DomainError, NotFound
from lms.core.scope import EVERYTHING, Scope
from lms.organisations.models import Organisation, Sector
from tests.courses.planning import ZONE
from tests.factories import Make
from tests.messages import mails

DISTRICT_1 = Scope(district_ids=frozenset({1}))
DISTRICT_2 = Scope(district_ids=frozenset({2}))


def asked(make: Make, **facts: object) -> RequestedTraining:
    contact = ContactPerson("周老师", "+8613811112222", "zhou@example.org", "带轮椅坡道")
    training = RequestedTraining("景山学校", 1, make.course().id, 40, "五月的周六", "礼堂", contact)
    return replace(training, **facts)  # type: ignore[arg-type]


def store(db: Session, training: RequestedTraining, form_hash: bytes | None = None) -> TrainingRequest | None:
    return training_requests.ask(db, training, language="zh", privacy_version=1, form_hash=form_hash)


def test_is_stored_sealed_and_a_form_sent_twice_once(db: Session, make: Make) -> None:
    training, form_hash = asked(make), bytes(32)
    request = store(db, training, form_hash)
    assert request is not None
    assert (request.contact, request.state) == (training.contact, RequestState.OPEN)
    assert b"zhou@example.org" not in request.content
    assert not training_requests.is_new(db, form_hash)
    assert store(db, training, form_hash) is None
    assert db.scalar(select(func.count()).select_from(TrainingRequest)) == len(mails(db)) == 1
    assert store(db, training) is not None
    assert store(db, training) is not None


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"district_id": 99}, "district_unknown"),
        ({"course_id": 10**12}, "course_not_offered"),
        ({"people": 0}, "people"),
        ({"people": 2001}, "people"),
        ({"contact": ContactPerson("周老师")}, "no_contact"),
    ],
)
def test_what_nobody_can_plan_is_refused(db: Session, make: Make, facts: dict[str, object], code: str) -> None:
    with pytest.raises(DomainError) as refused:
        store(db, asked(make, **facts))
    assert refused.value.code == code


def test_only_its_district_and_the_city_see_it(db: Session, make: Make) -> None:
    request = make.training_request()
    for scope, number in (
        (DISTRICT_1, 1),
        (DISTRICT_2, 0),
        (EVERYTHING, 1),
        (Scope(organisation_ids=frozenset({1})), 0),
    ):
        assert training_requests.count_open(db, scope) == number
        assert training_requests.listing(db, scope, RequestState.OPEN, 1).total == number
    with pytest.raises(NotFound):
        training_requests.decline(db, request.id, DISTRICT_2, "没有师资")
    with pytest.raises(NotFound):
        training_requests.accept(db, request.id, DISTRICT_2, host="景山学校", zone=ZONE)


def test_becomes_a_draft_of_the_host_in_the_register_and_is_decided_once(db: Session, make: Make) -> None:
    school = make.organisation(name_zh="景山学校")
    make.organisation(2, name_zh="景山学校")
    request = make.training_request(people=12, place="礼堂")
    assert training_requests.suggest_host(db, request, EVERYTHING) == "景山学校 · 东城区"
    offering = training_requests.accept(db, request.id, DISTRICT_1, host="景山学校 · 东城区", zone=ZONE)
    assert (offering.state, offering.organisation_id, offering.capacity) == (OfferingState.DRAFT, school.id, 12)
    assert (offering.place, offering.by_invitation, list(offering.sessions)) == ("礼堂", True, [])
    assert (request.state, request.offering_id) == (RequestState.ACCEPTED, offering.id)
    assert training_requests.of_offering(db, offering.id) is request
    for again in (
        lambda: training_requests.accept(db, request.id, DISTRICT_1, host="景山学校", zone=ZONE),
        lambda: training_requests.decline(db, request.id, DISTRICT_1, "没有师资"),
    ):
        with pytest.raises(DomainError) as refused:
            again()
        assert refused.value.code == "already_decided"


def test_a_new_host_is_entered_with_the_typed_name(db: Session, make: Make) -> None:
    request = make.training_request(organisation_name="新华书店")
    assert training_requests.suggest_host(db, request, EVERYTHING) is None
    offering = training_requests.accept(db, request.id, DISTRICT_1, host=None, new_host=Sector.ENTERPRISE, zone=ZONE)
    host = db.get_one(Organisation, offering.organisation_id)
    assert (host.name_zh, host.sector, host.district_id, offering.place) == (
        "新华书店",
        Sector.ENTERPRISE,
        1,
        "新华书店",
    )
    second = make.training_request(organisation_name="新华书店")
    with pytest.raises(DomainError) as refused:
        training_requests.accept(db, second.id, DISTRICT_1, host=None, new_host=Sector.ENTERPRISE, zone=ZONE)
    assert refused.value.code == "organisation_known"


def test_a_decline_needs_a_reason(db: Session, make: Make) -> None:
    request = make.training_request()
    with pytest.raises(DomainError):
        training_requests.decline(db, request.id, DISTRICT_1, " ")
    assert training_requests.decline(db, request.id, DISTRICT_1, "五月没有师资").answer == "五月没有师资"
    assert len(mails(db)) == 1
    training_requests.decline(db, make.training_request().id, DISTRICT_1, "玩笑", tell=False)
    assert len(mails(db)) == 1
