"""The requirements of a course, worked out for one offering from the planned minutes of its sessions."""

from collections.abc import Sequence

from courses.assessment.entitlement import CourseRequirements, minutes_needed, sessions_needed
from courses.models.catalogue import Course


def of_course(course: Course, minutes: Sequence[int]) -> CourseRequirements:
    """Return what the course requires of an offering. minutes: the planned length of each of its sessions."""
    planned = sum(minutes)
    return CourseRequirements(
        sessions_needed=sessions_needed(len(minutes), course.attendance_rule),
        minutes_planned=planned,
        minutes_needed=minutes_needed(planned, course.minutes_share),
        pass_mark=course.pass_mark,
        skills=frozenset(skill.id for skill in course.skills if skill.active),
        certificate=course.certificate_type is not None,
    )
