"""Forms about organisations."""

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import SearchField, SelectField, StringField
from wtforms.validators import InputRequired, Length, Optional

from lms.core.forms import Form, QueryForm, WorkPhoneField, choices, strip
from lms.organisations.models import Sector

SECTORS = {
    Sector.RED_CROSS: _("Red Cross body"),
    Sector.COMMUNITY: _("Community"),
    Sector.VILLAGE: _("Village"),
    Sector.SCHOOL: _("School"),
    Sector.ENTERPRISE: _("Enterprise"),
    Sector.OFFICE: _("Government office"),
    Sector.FAMILY: _("Families"),
}
REQUIRED = InputRequired(_("Fill this in."))


def optional_number(value: Any) -> int | None:
    """A select field's value as a number; None for the empty choice."""
    return int(value) if value not in (None, "", "None") else None


class OrganisationForm(Form):
    """An organisation. The choice of districts depends on the user."""

    name_zh = StringField(_("Chinese name"), validators=[REQUIRED, Length(max=200)], filters=[strip])
    name_en = StringField(_("English name"), validators=[Length(max=200)], filters=[strip])
    district_id = SelectField(_("District"), coerce=int)
    sector = SelectField(_("Sector"), choices=choices((sector.value, name) for sector, name in SECTORS.items()))
    contact_name = StringField(_("Whom to call"), validators=[Length(max=100)], filters=[strip])
    contact_phone = WorkPhoneField(_("Phone at work"))


class OrganisationFilterForm(QueryForm):
    """Filters of the list of organisations."""

    text = SearchField(_("Name of the organisation"), filters=[strip])
    district = SelectField(_("District"), coerce=optional_number, validators=[Optional()])
    sector = SelectField(_("Sector"), validators=[Optional()])
    state = SelectField(
        _("State"), choices=choices((("active", _("Active")), ("inactive", _("Inactive")))), default="active"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sector.choices = choices(
            [("", _("All sectors")), *((sector.value, name) for sector, name in SECTORS.items())]
        )
