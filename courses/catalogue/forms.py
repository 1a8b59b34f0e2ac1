"""Forms of the catalogue: a programme, a course and its checklist."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _
from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    DecimalField,
    FieldList,
    FormField,
    HiddenField,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional, Regexp

from courses.catalogue.catalogue import ChecklistItem, CourseFacts, ProgrammeFacts
from courses.catalogue.prerequisites import PrerequisiteFacts
from courses.models.catalogue import AttendanceRule, CoursePrerequisite
from lms.core import clock
from lms.core.forms import DayField, Form, PrintedField, choices, strip

MAX_SKILLS = 40
MAX_PREREQUISITES = 10
NAME = (DataRequired(), Length(max=100))


class ProgrammeForm(Form):
    """A programme. Its codes can be entered only once; after that they are fixed."""

    code = StringField(
        _("Code"),
        filters=[strip],
        validators=[
            DataRequired(),
            Length(max=40),
            Regexp("^[A-Z][A-Z0-9_]*$", message=_("Capital letters, digits and underscores, beginning with a letter.")),
        ],
    )
    short_code = StringField(
        _("Letters in certificate numbers"),
        filters=[strip],
        validators=[DataRequired(), Regexp("^[A-Z]{1,4}$", message=_("One to four capital letters."))],
    )
    name_zh = PrintedField(_("Name in Chinese"), filters=[strip], validators=NAME)
    name_en = PrintedField(_("Name in English"), filters=[strip], validators=NAME)
    position = IntegerField(_("Order in lists"), default=0, validators=[InputRequired(), NumberRange(min=0, max=1000)])

    def facts(self) -> ProgrammeFacts:
        """The valid input."""
        return ProgrammeFacts(
            self.code.data, self.short_code.data, self.name_zh.data, self.name_en.data, self.position.data
        )


class ChecklistItemForm(Form):
    """A skill of a checklist. An empty new row is ignored."""

    class Meta:
        csrf = False

    skill_id = HiddenField()
    name_zh = StringField(_("Skill in Chinese"), filters=[strip], validators=[Length(max=100)])
    name_en = StringField(_("Skill in English"), filters=[strip], validators=[Length(max=100)])

    def is_blank(self) -> bool:
        """Tell whether both names are empty."""
        return not self.name_zh.data and not self.name_en.data

    def validate(self, extra_validators: Any = None) -> bool:
        """Require both names, or neither of them."""
        valid = bool(super().validate(extra_validators))
        if valid and not self.is_blank():
            for name_field in (self.name_zh, self.name_en):
                if not name_field.data:
                    name_field.errors = [_("Fill this in.")]
                    valid = False
        return valid


class Lapse(StrEnum):
    """For how long a demanded certificate may have lapsed: not at all, for some months, or for any time."""

    NONE = "none"
    MONTHS = "months"
    ANY = "any"


class PrerequisiteForm(Form):
    """A certificate that a course demands. A row without a type is ignored. The view fills in the types."""

    class Meta:
        csrf = False

    certificate_type = SelectField(_("Certificate"))
    lapse = SelectField(
        _("It may have lapsed"),
        choices=choices(
            [
                (Lapse.NONE, _("not at all: it must be valid")),
                (Lapse.MONTHS, _("for some months")),
                (Lapse.ANY, _("for any time")),
            ]
        ),
        default=Lapse.NONE,
        coerce=Lapse,
    )
    months = IntegerField(_("Months"), validators=[Optional(), NumberRange(min=1, max=1200)])
    source = StringField(_("By which rule"), filters=[strip], validators=[Length(max=200)])
    since = DayField(_("For classes that end on or after"), validators=[Optional()])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in (self.source, self.since):
            field.flags.required = True  # of a row that is not blank

    def is_blank(self) -> bool:
        """Tell whether no type was chosen."""
        return not self.certificate_type.data

    def validate(self, extra_validators: Any = None) -> bool:
        """Require the rule and the day of each row, and the months where some are accepted."""
        valid = bool(super().validate(extra_validators))
        if self.is_blank():
            return valid
        required = [self.source, self.since, *([self.months] if self.lapse.data is Lapse.MONTHS else [])]
        for field in required:
            if not field.data and not field.errors:
                field.errors = [_("Fill this in.")]
                valid = False
        return valid

    def facts(self) -> PrerequisiteFacts:
        """The valid input."""
        months = {Lapse.NONE: 0, Lapse.MONTHS: self.months.data, Lapse.ANY: None}[self.lapse.data]
        return PrerequisiteFacts(int(self.certificate_type.data), months, self.source.data, self.since.data)

    @staticmethod
    def shown(row: CoursePrerequisite) -> dict[str, Any]:
        """The data of the fields for a stored row."""
        lapse = Lapse.ANY if row.lapsed_months is None else Lapse.MONTHS if row.lapsed_months else Lapse.NONE
        return {
            "certificate_type": str(row.certificate_type),
            "lapse": lapse,
            "months": row.lapsed_months or None,
            "source": row.source,
            "since": row.since,
        }


class CourseForm(Form):
    """A course, its checklist and its prerequisites. Buttons of the form itself add, remove and move the rows, so no script
    is needed.
    """

    code = StringField(
        _("Code"),
        filters=[strip],
        validators=[
            DataRequired(),
            Length(max=40),
            Regexp("^[A-Z][A-Z0-9-]*$", message=_("Capital letters, digits and hyphens, beginning with a letter.")),
        ],
    )
    programme_code = SelectField(_("Programme"), validators=[InputRequired()])
    name_zh = PrintedField(_("Name in Chinese"), filters=[strip], validators=NAME)
    name_en = PrintedField(_("Name in English"), filters=[strip], validators=NAME)
    hours = DecimalField(_("Class hours"), places=1, validators=[InputRequired(), NumberRange(min=0.5, max=999)])
    attendance_rule = SelectField(
        _("Attendance required"),
        choices=choices(
            [
                (AttendanceRule.ALL, _("All planned sessions")),
                (AttendanceRule.SHARE, _("A share of the planned minutes")),
                (AttendanceRule.ALL_AND_SHARE, _("All planned sessions, and a share of the minutes")),
            ]
        ),
        default=AttendanceRule.ALL,
        coerce=AttendanceRule,
    )
    minutes_share = IntegerField(
        _("Share of the planned minutes, per cent"), validators=[Optional(), NumberRange(min=1, max=100)]
    )
    capacity = IntegerField(_("Places"), validators=[InputRequired(), NumberRange(min=1, max=10_000)])
    trainee_ratio = IntegerField(_("Trainees per instructor"), validators=[Optional(), NumberRange(min=1, max=1000)])
    pass_mark = IntegerField(_("Pass mark in theory, per cent"), validators=[Optional(), NumberRange(min=1, max=100)])
    certificate_type = IntegerField(_("Certificate type"), validators=[Optional(), NumberRange(min=0, max=255)])
    validity_months = IntegerField(_("Valid for, in months"), validators=[Optional(), NumberRange(min=1, max=1200)])
    refresher = BooleanField(_("Refresher: counted in its own column"))
    active = BooleanField(_("Offered: new offerings can be scheduled"), default=True)
    bring_zh = TextAreaField(
        _("What to bring, in Chinese"), filters=[strip], validators=[Length(max=500)], render_kw={"rows": 2}
    )
    bring_en = TextAreaField(
        _("What to bring, in English"), filters=[strip], validators=[Length(max=500)], render_kw={"rows": 2}
    )
    skills = FieldList(FormField(ChecklistItemForm), min_entries=1, max_entries=MAX_SKILLS)
    prerequisites = FieldList(FormField(PrerequisiteForm), max_entries=MAX_PREREQUISITES)

    def offer_types(self, pairs: Sequence[tuple[int, str]]) -> None:
        """Set the certificate types that can be demanded, as pairs of number and name."""
        for entry in self.prerequisites.entries:
            entry.form.certificate_type.choices = choices(
                [("", "—"), *((str(number), f"{number} · {name}") for number, name in pairs)]
            )

    def validate(self, extra_validators: Any = None) -> bool:
        """Require the per cent where the rule is a share. `Optional` ends the validators of the field before."""
        valid = bool(super().validate(extra_validators))
        share = self.minutes_share
        if self.attendance_rule.data is not AttendanceRule.ALL and share.data is None and not share.errors:
            share.errors = [_("Enter the per cent, from 1 to 100.")]
            valid = False
        return valid

    def facts(self) -> CourseFacts:
        """The valid input. A per cent that the rule does not use is dropped."""
        names = CourseFacts.__dataclass_fields__
        facts = CourseFacts(**{name: self[name].data for name in names})
        return replace(facts, minutes_share=None) if facts.attendance_rule is AttendanceRule.ALL else facts

    def checklist(self) -> Sequence[ChecklistItem]:
        """The valid checklist, without empty rows."""
        return [
            ChecklistItem(row.name_zh.data, row.name_en.data, int(row.skill_id.data) if row.skill_id.data else None)
            for row in (entry.form for entry in self.skills.entries)
            if not row.is_blank()
        ]

    def handle_button(self, submitted: MultiDict[str, str]) -> bool:
        """Add, remove or move a row if one of the form's own buttons was pressed; return whether one was.

        All other input stays in the form.
        """
        if submitted.keys() & {"add_prerequisite", "remove_prerequisite"}:
            return self._handle_prerequisite_button(submitted)
        rows = [dict(entry.form.data) for entry in self.skills.entries]
        if "add_skill" in submitted:
            rows.append({})
        elif "remove_skill" in submitted:
            rows = [row for index, row in enumerate(rows) if str(index) != submitted["remove_skill"]]
        elif "raise_skill" in submitted:
            index = submitted.get("raise_skill", type=int) or 0
            if 0 < index < len(rows):
                rows[index - 1], rows[index] = rows[index], rows[index - 1]
        else:
            return False
        _fill(self.skills, (rows or [{}])[:MAX_SKILLS])
        return True

    def _handle_prerequisite_button(self, submitted: MultiDict[str, str]) -> bool:
        rows = [dict(entry.form.data) for entry in self.prerequisites.entries]
        if "add_prerequisite" in submitted:
            rows.append({"since": clock.branch_today()})
        else:
            rows = [row for index, row in enumerate(rows) if str(index) != submitted["remove_prerequisite"]]
        _fill(self.prerequisites, rows[:MAX_PREREQUISITES])
        return True

    def demanded(self) -> Sequence[PrerequisiteFacts]:
        """The valid prerequisites, without empty rows."""
        return [entry.form.facts() for entry in self.prerequisites.entries if not entry.form.is_blank()]


def _fill(rows_field: FieldList, rows: Sequence[Mapping[str, Any]]) -> None:
    """Make the rows of a field these."""
    while rows_field.entries:
        rows_field.pop_entry()
    rows_field.last_index = -1
    for row in rows:
        rows_field.append_entry(row)
