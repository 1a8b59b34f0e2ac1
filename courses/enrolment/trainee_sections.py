"""Facts of packages above this one on the staff page of a person, such as the person's certificates.

A package registers a function under the name by which the template knows its facts.
"""

from collections.abc import Callable

from sqlalchemy.orm import Session

from courses.models.trainees import Trainee
from lms.core.scope import Scope

Section = Callable[[Session, Trainee, Scope], object]

_sections: dict[str, Section] = {}


def register(name: str, section: Section) -> None:
    """Register the function that gives the facts of a section. name: the template's name for them."""
    _sections[name] = section


def facts(db: Session, trainee: Trainee, scope: Scope) -> dict[str, object]:
    """The facts of every section about a person, as far as the scope covers them."""
    return {name: section(db, trainee, scope) for name, section in _sections.items()}
