"""The form of one trainee's results. Each course has its own skills, so the template writes them as radio buttons."""

from collections.abc import Iterable, Mapping, Sequence

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import HiddenField, IntegerField, SelectField, StringField
from wtforms.validators import Length, NumberRange, Optional

from courses.assessment.assessment import NOTE_LIMIT
from courses.assessment.grid import GridRow
from courses.assessment.marking import EXAMINER, Marks, seen_values
from courses.outcomes import REASON_LIMIT
from instructors.models import Instructor
from lms.core.db import LARGEST_ID
from lms.core.errors import DomainError
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


def _examiner_in(seen: str) -> str:
    """The examiner's id in a row's version, empty where there is none."""
    try:
        return seen_values(seen).get(EXAMINER, "")
    except DomainError:
        return ""


def grid_rows(fields: Mapping[str, str], skill_ids: Sequence[int]) -> list[GridRow]:
    """Read the rows of the grid: each has a field `seen-<enrolment id>`.

    A person's examiner is the one chosen for the person; where none is, the one for all, which counts only where it was
    changed on the form or the person has none yet.
    """
    common, common_before = fields.get("examiner", ""), fields.get("examiner-before", "")
    rows = []
    for name, seen in fields.items():
        key = name.removeprefix("seen-")
        if key == name or not key.isdecimal() or int(key) > LARGEST_ID:
            continue
        own = fields.get(f"examiner-{key}", "")
        before = _examiner_in(seen)
        examiner = own or (common if common != common_before or before != common_before else "")
        rows.append(
            GridRow(
                int(key),
                seen,
                fields.get(f"theory-{key}", ""),
                skills_in(
                    {f"skill-{skill_id}": fields.get(f"skill-{key}-{skill_id}", "") for skill_id in skill_ids},
                    skill_ids,
                ),
                int(examiner) if examiner.isdecimal() and 0 < int(examiner) <= LARGEST_ID else None,
                not before and not own and common == common_before,
            )
        )
    return rows
