"""The requirements of a course over the sessions that an offering plans."""

from courses.assessment import requirements
from courses.models.catalogue import AttendanceRule


def test_the_planned_sessions_say_how_much_must_be_attended(make):
    course = make.new_course(skills=2, attendance_rule=AttendanceRule.ALL_AND_SHARE, minutes_share=90)
    demand = requirements.of_course(course, [181, 180])
    assert (demand.sessions_needed, demand.minutes_planned, demand.minutes_needed) == (2, 361, 325)
    assert demand.skills == {skill.id for skill in course.skills}
    assert (demand.pass_mark, demand.certificate) == (course.pass_mark, True)
