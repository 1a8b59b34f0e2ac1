"""Sections of other packages on the staff page of a person."""

from sqlalchemy.orm import Session

from courses.enrolment import trainee_sections
from lms.core.scope import EVERYTHING, Scope
from tests.factories import Make


def test_each_registered_section_gives_its_facts(db: Session, make: Make) -> None:
    trainee = make.trainee()
    trainee_sections.register("trial", lambda _db, person, scope: (person.id, scope.everything))
    try:
        assert trainee_sections.facts(db, trainee, EVERYTHING)["trial"] == (trainee.id, True)
        assert trainee_sections.facts(db, trainee, Scope())["trial"] == (trainee.id, False)
    finally:
        del trainee_sections._sections["trial"]
