"""The list of people who were absent, late or left early, and what follows for each."""

from courses.assessment.entitlement import Shortfall
from courses.closing import closing
from courses.models.catalogue import AttendanceRule
from courses.models.enrolment import EnrolmentState
from tests.courses.closing.confirming import CONFIRMED
from tests.courses.closing.steps import ZONE, attends, loaded, two_sessions


def test_the_closing_names_who_missed_what_with_minutes_and_consequence(db, make):
    offering = two_sessions(make)
    first, second = offering.sessions
    complete, late, early, half, _never = (
        make.enrolment(offering, make.trainee(name)) for name in ("安全", "陈迟", "丁早", "方半", "高缺")
    )
    for row in (complete, late, early, half):
        attends(db, row, first, late=25 if row is late else 5)
    for row in (complete, late, early):
        attends(db, row, second, early=40 if row is early else 0)
    closing.close(db, loaded(db, offering), zone=ZONE)
    outlook = closing.outlook(db, loaded(db, offering, 1))
    assert [
        (person.name, [(at.punctuality.late, at.punctuality.early) if at.punctuality else None for at in person.incomplete],
         person.minutes, person.planned, list(person.missing))
        for person in outlook.missed
    ] == [
        ("陈迟", [(25, 0)], 215, 240, []),
        ("丁早", [(0, 40)], 195, 240, []),
        ("方半", [None], 115, 240, [Shortfall.SESSIONS_MISSING]),
        ("高缺", [None, None], 0, 240, [Shortfall.ABSENT]),
    ]  # fmt: skip
    assert {judgement.enrolment.id for judgement in outlook.judgements if judgement.verdict.certificate_due} == {
        complete.id, late.id, early.id,
    }  # fmt: skip
    assert complete.id not in {person.enrolment_id for person in outlook.missed}


def test_before_the_last_session_it_says_what_can_still_be_reached(db, make):
    """Of 240 minutes, 60 % are 144: who missed the first session can reach 120 at most."""
    for rule, share, expected in (
        (AttendanceRule.ALL, None, [Shortfall.SESSIONS_MISSING]),
        (AttendanceRule.SHARE, 60, [Shortfall.MINUTES_MISSING]),
        (AttendanceRule.SHARE, 50, []),
        (AttendanceRule.ALL_AND_SHARE, 60, [Shortfall.SESSIONS_MISSING, Shortfall.MINUTES_MISSING]),
    ):
        offering = two_sessions(make, attendance_rule=rule, minutes_share=share)
        came, missed = make.enrolment(offering), make.enrolment(offering)
        attends(db, came, offering.sessions[0])
        outlook = closing.outlook(db, loaded(db, offering))
        assert [(person.enrolment_id, list(person.missing)) for person in outlook.missed] == [(missed.id, expected)]
        assert not outlook.last


def test_the_confirmed_page_is_outdated_when_somebody_turns_out_to_be_late(db, make):
    offering = two_sessions(make)
    row = make.enrolment(offering)
    attends(db, row, offering.sessions[0])
    before = closing.outlook(db, loaded(db, offering)).seen
    attends(db, row, offering.sessions[0], early=60)
    assert closing.outlook(db, loaded(db, offering)).seen != before


def test_trainees_without_a_place_are_not_named(db, make, offering):
    attends(db, make.enrolment(offering), offering.sessions[0])
    for state in (EnrolmentState.WAITLISTED, EnrolmentState.CANCELLED):
        make.enrolment(offering, state=state)
    assert closing.outlook(db, loaded(db, offering)).missed == []
    assert closing.close(db, loaded(db, offering), zone=ZONE, **CONFIRMED).last
