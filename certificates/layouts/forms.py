"""Forms of layouts and seals."""

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, ColorField, SelectField, StringField
from wtforms.validators import DataRequired, Length

from certificates.layouts.wording import IdDigits, Wording
from lms.core.forms import Form, choices, strip

LONGEST = 120
NEEDED = (DataRequired(), Length(max=LONGEST))


class LayoutForm(Form):
    """The texts, colours and choices of a layout. `trial.demand_room` says whether they can be printed."""

    title_zh = StringField(_l("Title in Chinese"), filters=[strip], validators=NEEDED)
    title_en = StringField(_l("Title in English"), filters=[strip], validators=NEEDED)
    sentence_zh = StringField(_l("Sentence in Chinese"), filters=[strip], validators=NEEDED)
    sentence_en = StringField(_l("Sentence in English"), filters=[strip], validators=NEEDED)
    footer_zh = StringField(_l("Footer in Chinese"), filters=[strip], validators=[Length(max=LONGEST)])
    footer_en = StringField(_l("Footer in English"), filters=[strip], validators=[Length(max=LONGEST)])
    colour = ColorField(_l("Main colour"))
    accent = ColorField(_l("Colour of fine lines"))
    id_digits = SelectField(
        _l("ID number"),
        choices=choices(
            (
                (IdDigits.NONE.value, _l("Not printed")),
                (IdDigits.LAST.value, _l("Last four characters")),
                (IdDigits.ENDS.value, _l("Without the birth date: 110101********002X")),
            )
        ),
    )
    show_programme = BooleanField(_l("Print programme and class hours"))
    show_instructor = BooleanField(_l("Print the lead instructor"))

    def wording(self) -> Wording:
        """The valid input."""
        return Wording(
            title_zh=self.title_zh.data or "",
            title_en=self.title_en.data or "",
            sentence_zh=self.sentence_zh.data or "",
            sentence_en=self.sentence_en.data or "",
            footer_zh=self.footer_zh.data or "",
            footer_en=self.footer_en.data or "",
            colour=(self.colour.data or "").lower(),
            accent=(self.accent.data or "").lower(),
            id_digits=IdDigits(self.id_digits.data),
            show_programme=bool(self.show_programme.data),
            show_instructor=bool(self.show_instructor.data),
        )


class SealForm(Form):
    """An issuing unit and the picture of its seal."""

    unit = SelectField(_l("Issuing unit"), coerce=int)
    file = FileField(_l("Picture of the seal"), validators=[FileRequired()])
