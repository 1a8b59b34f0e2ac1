"""Words by which a person is sought, on their way through an address: sealed for whoever seeks.

A list that can be narrowed to a person takes its filters by POST and answers with the address of what was asked (303), in
which such words stand sealed. So pages, files and the other language keep them as they keep every filter, while no log,
history or link that was passed on says who was sought. Nobody else's account opens them.
"""

import base64
import binascii
from collections.abc import Collection, Mapping
from urllib.parse import urlencode

from cryptography.exceptions import InvalidTag
from flask import redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from wtforms import StringField
from wtforms.validators import ValidationError
from wtforms.widgets import SearchInput

from lms.core.access import scope
from lms.core.crypto import cipher
from lms.core.forms import Form, strip

PLACE = "address.sought"
LONGEST = 100


def sealed(words: str) -> str:
    """Words as they stand in an address of this request's user."""
    content = cipher().encrypt(PLACE, _reader(), words[:LONGEST])
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def opened(part: str) -> str:
    """What `sealed` closed. Raises ValueError for anything else, also what was sealed for somebody else."""
    try:
        content = base64.urlsafe_b64decode(part.encode() + b"=" * (-len(part) % 4))
        return cipher().open(PLACE, _reader(), content).decode()
    except (binascii.Error, InvalidTag, ValueError) as error:
        raise ValueError("sealed for somebody else, or not at all") from error


class SoughtField(StringField):
    """A filter by a person; in the address its words stand sealed."""

    widget = SearchInput()
    data: str | None

    def process_formdata(self, valuelist: list[str]) -> None:
        """Open what the address has. What cannot be opened is refused, and filters nothing."""
        part = strip(valuelist[0]) if valuelist else None
        self.data = None
        if part:
            try:
                self.data = opened(part)
            except ValueError:
                raise ValidationError(
                    _("Type it again. What this address searches for is readable only by the person who searched.")
                ) from None


def narrowed(form: type[Form], path: str | None = None) -> ResponseReturnValue:
    """Answer a filter bar that was sent with the address of what it asks; fields left empty are left out.

    path: of the list, where the bar is not sent to the list itself.
    """
    names = {field.name for field in form(formdata=None) if isinstance(field, SoughtField)}
    given = {name: value.strip() for name, value in request.form.items() if value.strip() and name != "csrf_token"}
    asked = urlencode(address(given, names))
    path = path or request.path
    return redirect(f"{path}?{asked}" if asked else path, 303)


def address(asked: Mapping[str, str], names: Collection[str]) -> dict[str, str]:
    """The arguments of an address that asks something; those of `names` say whom, and are sealed."""
    return {name: sealed(value) if name in names else value for name, value in asked.items()}


def _reader() -> str:
    return str(scope().user_id)
