"""Scheduling, changing, publishing and cancelling offerings, and the cautions about them."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.models.enrolment import EnrolmentState
from courses.models.offerings import OfferingState, SessionInstructor, TeachingRole
from courses.offerings import offerings, scheduling
from courses.offerings.class_hours import HoursDecision
from courses.offerings.offerings import CautionKind
from courses.offerings.scheduling import Team
from instructors.models import Qualification
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError, NotFound
from lms.core.scope import EVERYTHING, Scope
from tests.courses.planning import DAY, HOUR, MORNING, ZONE, changed, meeting, plan, scheduled
from tests.factories import Make
from tests.messages import mails


class TestSchedule:
    def test_makes_a_draft_with_the_team_at_every_session(self, db: Session, make: Make) -> None:
        lead, second = make.instructor(), make.instructor()
        offering = scheduled(
            db, plan(make, meeting(MORNING + DAY), meeting(), team=Team(lead.id, (second.id,)), capacity=20)
        )
        assert offering.state == OfferingState.DRAFT
        assert offering.lead_instructor_id == lead.id
        assert [row.starts_at for row in offering.sessions] == [MORNING, MORNING + DAY]
        for row in offering.sessions:
            assert {(t.instructor_id, t.role) for t in row.instructors} == {
                (lead.id, TeachingRole.LEAD),
                (second.id, TeachingRole.ASSISTANT),
            }
        entry = db.scalars(select(AuditEntry).where(AuditEntry.subject == f"offering:{offering.id}")).one()
        assert entry.action == "offering.schedule"

    def test_takes_the_capacity_of_the_course_and_the_district_of_the_host(self, db: Session, make: Make) -> None:
        host = make.organisation(7)
        offering = scheduled(db, plan(make, organisation_id=host.id, course_id=make.new_course(capacity=33).id))
        assert (offering.capacity, offering.district_id) == (33, 7)

    def test_refuses_a_host_out_of_reach(self, db: Session, make: Make) -> None:
        with pytest.raises(DomainError) as refused:
            offerings.schedule(
                db,
                plan(make, organisation_id=make.organisation(2).id),
                scope=Scope(district_ids=frozenset({1})),
                zone=ZONE,
            )
        assert refused.value.field == "organisation"

    def test_refuses_a_lead_who_is_not_qualified_for_the_programme(self, db: Session, make: Make) -> None:
        with pytest.raises(DomainError, match="cannot lead") as refused:
            scheduled(db, plan(make, lead=make.instructor("RESCUE")))
        assert refused.value.code == "lead_not_qualified"

    def test_refuses_a_lead_whose_qualification_ends_between_the_two_days(self, db: Session, make: Make) -> None:
        lead = make.instructor("RESCUE")
        # The second session begins at 23:30 UTC on the 4th, which is the 5th in Beijing: the day is the branch's.
        lead.qualifications.append(
            Qualification(programme_code="FIRST_RESPONDER", valid_from=date(2025, 1, 1), valid_until=date(2030, 5, 4))
        )
        db.flush()
        scheduled(db, plan(make, meeting(MORNING - 30 * DAY), meeting(MORNING), lead=lead))
        with pytest.raises(DomainError) as refused:
            scheduled(db, plan(make, meeting(MORNING - 60 * DAY), meeting(MORNING + 22.5 * HOUR, 2), lead=lead))
        assert refused.value.params["day"] == "2030-05-05"

    def test_an_assistant_needs_no_qualification_for_the_programme(self, db: Session, make: Make) -> None:
        helper = make.instructor("RESCUE")
        offering = scheduled(db, plan(make, team=Team(make.instructor().id, (helper.id,))))
        assert len(offering.sessions[0].instructors) == 2

    def test_refuses_an_instructor_named_twice(self, db: Session, make: Make) -> None:
        lead = make.instructor()
        with pytest.raises(DomainError, match="named twice"):
            scheduled(db, plan(make, team=Team(lead.id, (lead.id,))))


class TestChange:
    def test_rescheduling_moves_the_time_that_the_constraint_guards(self, db: Session, make: Make) -> None:
        lead = make.instructor()
        offering = scheduled(db, plan(make, lead=lead))
        moved = meeting(MORNING + DAY, session_id=offering.sessions[0].id)
        changed(db, offering, replace(offerings.current_plan(offering), sessions=(moved,)))
        during = db.scalars(select(SessionInstructor.during).where(SessionInstructor.instructor_id == lead.id)).one()
        assert (during.lower, during.upper) == (MORNING + DAY, MORNING + DAY + 8 * HOUR)
        scheduled(db, plan(make, lead=lead))
        with pytest.raises(DomainError, match="already teaches"):
            scheduled(db, plan(make, meeting(MORNING + DAY), lead=lead))

    def test_two_sessions_may_swap_their_times(self, db: Session, make: Make) -> None:
        offering = scheduled(db, plan(make, meeting(hours=3), meeting(MORNING + 4 * HOUR, 3)))
        first, second = offering.sessions
        swapped = (
            meeting(MORNING + 4 * HOUR, 3, session_id=first.id),
            meeting(MORNING, 3, session_id=second.id),
        )
        changed(db, offering, replace(offerings.current_plan(offering), sessions=swapped))
        assert [row.id for row in offering.sessions] == [second.id, first.id]
        assert all(teacher.active for row in offering.sessions for teacher in row.instructors)

    def test_lead_and_assistant_may_swap_and_one_session_may_differ(self, db: Session, make: Make) -> None:
        lead, second = make.instructor(), make.instructor()
        offering = scheduled(db, plan(make, meeting(), meeting(MORNING + DAY), team=Team(lead.id, (second.id,))))
        later = offering.sessions[1]
        offerings.change_session(
            db,
            offering,
            meeting(MORNING + DAY, team=Team(second.id, (lead.id,)), session_id=later.id),
            scope=EVERYTHING,
            zone=ZONE,
        )
        leads = [t.instructor_id for row in offering.sessions for t in row.instructors if t.role == TeachingRole.LEAD]
        assert leads == [lead.id, second.id]
        assert offering.lead_instructor_id == lead.id

    def test_a_session_of_another_offering_is_not_found(self, db: Session, make: Make) -> None:
        offering, other = scheduled(db, plan(make)), scheduled(db, plan(make))
        with pytest.raises(NotFound):
            offerings.change_session(
                db, offering, meeting(session_id=other.sessions[0].id), scope=EVERYTHING, zone=ZONE
            )

    def test_capacity_cannot_drop_below_those_who_have_a_place(self, db: Session, make: Make) -> None:
        offering = make.offering(starts=[MORNING], capacity=3)
        for _ in range(2):
            make.enrolment(offering)
        make.enrolment(offering, state=EnrolmentState.WAITLISTED)
        make.enrolment(offering, state=EnrolmentState.CANCELLED)
        plan_before = offerings.current_plan(offering)
        with pytest.raises(DomainError) as refused, db.begin_nested():
            changed(db, offering, replace(plan_before, capacity=1))
        assert refused.value.field == "capacity"
        changed(db, offering, replace(plan_before, capacity=2))
        assert offering.capacity == 2

    def test_more_places_go_to_those_who_wait(self, db: Session, make: Make) -> None:
        offering = make.offering(starts=[MORNING], capacity=1)
        make.enrolment(offering)
        waiting = make.enrolment(offering, state=EnrolmentState.WAITLISTED)
        changed(db, offering, replace(offerings.current_plan(offering), capacity=2))
        db.refresh(waiting)
        assert waiting.state == EnrolmentState.ENROLLED

    def test_the_enrolled_of_a_published_offering_are_told_of_a_new_time(
        self, app: Flask, db: Session, make: Make
    ) -> None:
        offering = make.offering(starts=[MORNING])
        make.enrolment(offering, make.trainee("赵一"), email="zhao@example.org")
        make.enrolment(offering)
        plan_before = offerings.current_plan(offering)
        with app.app_context():
            changed(db, offering, replace(plan_before, capacity=44))
            assert mails(db) == []
            moved = (meeting(MORNING + DAY, session_id=offering.sessions[0].id),)
            changed(db, offering, replace(plan_before, sessions=moved))
            (mail,) = mails(db)
            assert "zhao@example.org" in mail
            assert "2030-05-05 09:00–17:00" in mail
            assert "有变更" in mail
            assert "has changed" in mail
            changed(db, offering, replace(plan_before, sessions=moved, place="新地点"))
            assert "新地点" in mails(db)[1]

    def test_an_attended_session_cannot_be_removed_nor_a_closed_one_moved(self, db: Session, make: Make) -> None:
        offering = make.offering(starts=[MORNING, MORNING + DAY])
        first, second = offering.sessions
        first.headcount, second.closed_at = 40, clock.now()
        db.flush()
        plan_before = offerings.current_plan(offering)
        plans = {row.id: scheduling.current_plan(row) for row in offering.sessions}
        with pytest.raises(DomainError, match="cannot be removed"), db.begin_nested():
            changed(db, offering, replace(plan_before, sessions=(plans[second.id],)))
        moved = meeting(MORNING + 2 * DAY, session_id=second.id)
        with pytest.raises(DomainError, match="closed session"):
            changed(db, offering, replace(plan_before, sessions=(plans[first.id], moved)))

    @pytest.mark.parametrize("state", [OfferingState.CLOSED, OfferingState.CANCELLED])
    def test_a_closed_or_cancelled_offering_cannot_be_changed(
        self, db: Session, make: Make, state: OfferingState
    ) -> None:
        offering = make.offering(
            state=state,
            closed_at=clock.now() if state is OfferingState.CLOSED else None,
            counted_on=date(2026, 5, 4) if state is OfferingState.CLOSED else None,
            cancelled_at=clock.now() if state is OfferingState.CANCELLED else None,
            cancel_reason="停电" if state is OfferingState.CANCELLED else None,
        )
        with pytest.raises(DomainError):
            changed(db, offering, offerings.current_plan(offering))
        with pytest.raises(DomainError):
            offerings.publish(db, offering, zone=ZONE)
        with pytest.raises(DomainError):
            offerings.cancel(db, offering, "下雨", zone=ZONE)

    def test_the_course_of_a_published_offering_is_fixed(self, db: Session, make: Make) -> None:
        offering = make.offering(starts=[MORNING])
        other_course = replace(offerings.current_plan(offering), course_id=make.new_course().id)
        with pytest.raises(DomainError, match="cannot be changed"):
            changed(db, offering, other_course)


class TestPublish:
    def test_opens_a_draft_once(self, db: Session, make: Make) -> None:
        offering = scheduled(db, plan(make))
        offerings.publish(db, offering, zone=ZONE)
        assert offering.state == OfferingState.PUBLISHED
        assert offering.published_at is not None
        with pytest.raises(DomainError, match="already"):
            offerings.publish(db, offering, zone=ZONE)

    @pytest.mark.parametrize(
        ("facts", "code"),
        [
            ({"sessions": ()}, "no_session"),
            ({"sessions": (meeting(datetime(2020, 3, 1, tzinfo=UTC)),)}, "no_future_session"),
            ({"team": Team()}, "no_lead"),
        ],
    )
    def test_names_the_requirement_that_is_not_met(
        self, db: Session, make: Make, facts: dict[str, object], code: str
    ) -> None:
        offering = scheduled(db, plan(make, **({"sessions": (meeting(),)} | facts)))
        with pytest.raises(DomainError) as refused:
            offerings.publish(db, offering, zone=ZONE)
        assert refused.value.code == code

    def test_while_the_only_session_runs_says_so_and_not_that_all_are_over(self, db: Session, make: Make) -> None:
        offering = scheduled(db, plan(make, meeting(clock.now() - HOUR)))
        with pytest.raises(DomainError) as refused:
            offerings.publish(db, offering, zone=ZONE)
        assert (refused.value.code, refused.value.params["ends"]) == ("session_running", offering.sessions[0].ends_at)

    def test_fewer_hours_than_the_course_need_a_decision(self, db: Session, make: Make) -> None:
        offering = scheduled(db, plan(make, meeting(hours=4)))
        with pytest.raises(DomainError) as refused:
            offerings.publish(db, offering, zone=ZONE)
        assert (refused.value.code, offering.state) == ("fewer_hours", OfferingState.DRAFT)
        offerings.publish(db, offering, zone=ZONE, hours=HoursDecision("学员此前已自学理论四小时"))
        assert (offering.state, offering.hours_reason) == (OfferingState.PUBLISHED, "学员此前已自学理论四小时")
        entry = db.scalars(
            select(AuditEntry).where(
                AuditEntry.subject == f"offering:{offering.id}", AuditEntry.action == "offering.publish"
            )
        ).one()
        assert entry.after == {"state": "published", "hours_reason": "学员此前已自学理论四小时"}

    def test_checks_the_qualification_again(self, db: Session, make: Make) -> None:
        lead = make.instructor()
        offering = scheduled(db, plan(make, lead=lead))
        for qualification in lead.qualifications:
            qualification.valid_until = date(2029, 12, 31)
        db.flush()
        with pytest.raises(DomainError) as refused:
            offerings.publish(db, offering, zone=ZONE)
        assert refused.value.code == "lead_not_qualified"


class TestCancel:
    def test_frees_the_instructors_and_tells_the_enrolled_and_waiting(
        self, app: Flask, db: Session, make: Make
    ) -> None:
        lead = make.instructor()
        offering = make.offering(starts=[MORNING], lead=lead)
        make.enrolment(offering, make.trainee("赵一"), email="zhao@example.org")
        make.enrolment(offering, make.trainee("钱二"), EnrolmentState.WAITLISTED, email="qian@example.org")
        make.enrolment(offering, make.trainee("孙三"), EnrolmentState.CANCELLED, email="sun@example.org")
        caller = make.enrolment(offering)
        with app.app_context():
            recipients = offerings.cancel(db, offering, "  场地停电 ", zone=ZONE)
            sent = mails(db)
        assert (recipients.mailed, recipients.to_call) == (2, (caller,))
        assert [name in "".join(sent) for name in ("zhao@", "qian@", "sun@")] == [True, True, False]
        chinese, english = sent[0].index("已取消"), sent[0].index("has been cancelled")
        assert chinese < english
        assert sent[0].count("场地停电") == 2
        assert offering.cancel_reason == "场地停电"
        scheduled(db, plan(make, lead=lead))

    def test_needs_a_reason(self, db: Session, make: Make) -> None:
        with pytest.raises(DomainError) as refused:
            offerings.cancel(db, make.offering(), "   ", zone=ZONE)
        assert refused.value.field == "reason"


class TestCautions:
    def test_too_few_instructors_for_the_capacity_and_for_the_enrolled(self, make: Make) -> None:
        offering = make.offering(starts=[MORNING], capacity=30, course=make.new_course(trainee_ratio=12))
        assert [row.kind for row in offerings.find_cautions(offering, 12)] == [CautionKind.RATIO_CAPACITY]
        assert [row.kind for row in offerings.find_cautions(offering, 13)] == [CautionKind.RATIO_ENROLLED]
        offering.capacity = 12
        assert offerings.find_cautions(offering, 12) == []

    def test_too_few_hours_and_an_offering_left_open(self, make: Make) -> None:
        past = make.offering(starts=[datetime(2026, 1, 5, tzinfo=UTC)], hours=4, capacity=1)
        assert {row.kind for row in offerings.find_cautions(past, 0)} == {CautionKind.HOURS, CautionKind.OVERDUE}


def test_a_row_of_another_district_is_not_found(db: Session, make: Make) -> None:
    offering = make.offering(organisation=make.organisation(2))
    with pytest.raises(NotFound):
        offerings.get_with_details(db, offering.id, Scope(district_ids=frozenset({1})))
    assert offerings.get_with_details(db, offering.id, Scope(district_ids=frozenset({2}))) is offering
