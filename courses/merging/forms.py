"""Forms of merging: the search for the other record, the winner of each fact, and what undoes or decides."""

from flask_babel import lazy_gettext as _
from wtforms import RadioField, StringField
from wtforms.validators import AnyOf, DataRequired, InputRequired, Length, Optional

from courses.enrolment.forms.trainees import REASON_LIMIT
from courses.enrolment.trainees import NAME_LIMIT
from courses.merging.facts import FACTS, Side
from lms.core.forms import Form, RowIdField, choices, strip

_SIDES = choices((side.value, side.value) for side in Side)


class OtherRecordForm(Form):
    """The search for the second record of a person."""

    words = StringField(
        _("Name, phone or ID number of the other record"),
        filters=[strip],
        validators=[DataRequired(_("Enter a name, a phone or an ID number.")), Length(max=NAME_LIMIT)],
        render_kw={"autocomplete": "off"},
    )


class MergeForm(Form):
    """The side whose fact wins, for each fact, and the name of the person, typed as a confirmation."""

    side_name = RadioField(choices=_SIDES, validators=[Optional()])
    side_phone = RadioField(choices=_SIDES, validators=[Optional()])
    side_email = RadioField(choices=_SIDES, validators=[Optional()])
    side_birth_year = RadioField(choices=_SIDES, validators=[Optional()])
    side_id_number = RadioField(choices=_SIDES, validators=[Optional()])
    side_guardian = RadioField(choices=_SIDES, validators=[Optional()])
    confirmation = StringField(
        _("Type the name of the person to confirm"),
        filters=[strip],
        validators=[DataRequired(_("Type the name of the record that is kept.")), Length(max=NAME_LIMIT)],
        render_kw={"autocomplete": "off"},
    )
    reason = StringField(
        _("How do you know that it is one person?"), filters=[strip], validators=[Optional(), Length(max=REASON_LIMIT)]
    )

    def chosen(self) -> dict[str, Side]:
        """The chosen sides, by the fact."""
        return {name: Side(self[f"side_{name}"].data) for name in FACTS if self[f"side_{name}"].data}


class PairForm(Form):
    """Two records, and whether they are of two people."""

    first_id = RowIdField(validators=[InputRequired()])
    second_id = RowIdField(validators=[InputRequired()])
    apart = StringField(validators=[AnyOf(["yes", "no"])])
