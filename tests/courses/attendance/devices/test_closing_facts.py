"""The facts with which a device foresees a closing: the offering's sessions, what is required, and who was elsewhere."""

from courses.attendance.devices import closing_facts
from tests.courses.closing.steps import attends, loaded, two_sessions


def test_a_session_is_told_with_the_attendances_at_the_others(db, make):
    offering = two_sessions(make, minutes_share=None)
    first, second = loaded(db, offering), loaded(db, offering, 1)
    both, only_first = make.enrolment(offering), make.enrolment(offering)
    attends(db, both, first, late=20)
    attends(db, both, second)
    attends(db, only_first, first, early=30)
    facts = closing_facts.read(db, second, {both.trainee_id: None, only_first.trainee_id: None})
    assert [(row["id"], row["closed"]) for row in facts.session["sessions"]] == [(first.id, False), (second.id, False)]
    assert (facts.session["sessions_needed"], facts.session["minutes_planned"]) == (2, 240)
    assert facts.session["hours"] is None
    assert facts.not_holding == set()
    make.prerequisite(offering.course)
    db.refresh(offering.course, ["prerequisites"])
    make.legacy_certificate(both.trainee, None)
    people = {both.trainee_id: None, only_first.trainee_id: None}
    assert closing_facts.read(db, second, people).not_holding == {only_first.trainee_id}
    assert closing_facts.read(db, second, people | {only_first.trainee_id: "天津"}).not_holding == set()
    assert set(facts.elsewhere) == {both.id, only_first.id}
    assert list(facts.elsewhere[both.id]) == [first.id]
    assert facts.elsewhere[only_first.id][first.id][1] is not None
