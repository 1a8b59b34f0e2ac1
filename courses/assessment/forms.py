"""The form of one trainee's results. The skills are fields of the course, so they come as plain radio buttons."""

from collections.abc import Iterable, Mapping

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import HiddenField, IntegerField, SelectField, StringField
from wtforms.validators import Length, NumberRange, Optional

from courses.assessment.assessment import NOTE_LIMIT
from courses.assessment.marking import Marks
from courses.outcomes import REASON_LIMIT
from instructors.models import Instructor
from lms.core.forms import Form, strip

PASSED, NOT_YET = "passed", "not_yet"


class ResultForm(Form):
    """Theory, examiner and note. `seen` says against which results it was filled in; `reason` only after closing."""

    seen = HiddenField()
    theory_score = IntegerField(
        _("Theory score (0–100)"),
        validators=[Optional(), NumberRange(0, 100, _("The theory score is between 0 and 100."))],
        render_kw={"inputmode": "numeric", "min": 0, "max": 100, "autocomplete": "off"},
    )
    examiner = SelectField(_("Examiner"), coerce=int)
    note = StringField(_("Note"), filters=[strip], validators=[Optional(), Length(max=NOTE_LIMIT)])
    reason = StringField(
        _("Reason for the correction"), filters=[strip], validators=[Optional(), Length(max=REASON_LIMIT)]
    )

    def offer(self, examiners: Iterable[Instructor]) -> None:
        """Say who may be chosen."""
        self.examiner.choices = [
            (0, gettext("Choose the examiner")),
            *((person.id, person.name) for person in examiners),
        ]

    def marks(self, skills: Mapping[int, bool]) -> Marks:
        """The attempt as the rule takes it."""
        return Marks(self.theory_score.data, skills, self.examiner.data or None, self.note.data)


def skills_in(fields: Mapping[str, str], skill_ids: Iterable[int]) -> dict[int, bool]:
    """Which skills were examined, and passed or not; those left open are not in it."""
    said = {skill: fields.get(f"skill-{skill}") for skill in skill_ids}
    return {skill: word == PASSED for skill, word in said.items() if word in (PASSED, NOT_YET)}
