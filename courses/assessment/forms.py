"""The form of one trainee's results. Each course has its own skills, so the template writes them as radio buttons."""

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
    """Theory score, examiner and note. seen: the `assessment.form_version`. reason: only for a closed offering."""

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
        """Set the instructors who may be chosen as examiner."""
        self.examiner.choices = [
            (0, gettext("Choose the examiner")),
            *((person.id, person.name) for person in examiners),
        ]

    def marks(self, skills: Mapping[int, bool]) -> Marks:
        """Return the marks for `assessment.save`. `skills`: as `skills_in` reads them."""
        return Marks(self.theory_score.data, skills, self.examiner.data or None, self.note.data)


def skills_in(fields: Mapping[str, str], skill_ids: Iterable[int]) -> dict[int, bool]:
    """Read the skills of a submitted form: skill id to passed. Skills that were not examined are left out."""
    values = {skill_id: fields.get(f"skill-{skill_id}") for skill_id in skill_ids}
    return {skill_id: value == PASSED for skill_id, value in values.items() if value in (PASSED, NOT_YET)}
