"""Search terms for a person (a name, a phone number), encrypted in the address of a list.

A list that can be filtered by a person takes its filters by POST and answers with a redirect (303) to an address in
which the search term is encrypted. Pages, files and the switch of languages then keep the term as they keep every
filter, while no log, browser history or forwarded link shows for whom somebody searched. Only the user who searched can
decrypt it.
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
from lms.core.crypto import UnknownKey, cipher
from lms.core.forms import Form, strip

CIPHER_COLUMN = "address.sought"
LONGEST = 100


def seal(term: str) -> str:
    """A search term encrypted for the user of this request, in letters that an address may hold."""
    content = cipher().encrypt(CIPHER_COLUMN, _user(), term[:LONGEST])
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def unseal(part: str) -> str:
    """The search term of a `seal`. Raises ValueError for anything else, also for what was sealed for another user."""
    try:
        content = base64.urlsafe_b64decode(part.encode() + b"=" * (-len(part) % 4))
        return cipher().open(CIPHER_COLUMN, _user(), content).decode()
    except (binascii.Error, InvalidTag, UnknownKey, ValueError) as error:
        raise ValueError("sealed for another user, or not sealed") from error


class SealedSearchField(StringField):
    """A search term for a person, which is sealed in the address."""

    widget = SearchInput()
    data: str | None

    def process_formdata(self, valuelist: list[str]) -> None:
        """Unseal the term of the address.

        A term that cannot be unsealed is an error of the field and filters nothing.
        """
        part = strip(valuelist[0]) if valuelist else None
        self.data = None
        if part:
            try:
                self.data = unseal(part)
            except ValueError:
                raise ValidationError(
                    _("Enter the search again. Only the person who searched can read the search text in this address.")
                ) from None


def redirect_to_search(form: type[Form], path: str | None = None) -> ResponseReturnValue:
    """Redirect a filter form that was sent by POST to the address of its list. Empty fields are left out.

    path: the address of the list, where the form is sent to another one.
    """
    sealed_names = {field.name for field in form(formdata=None) if isinstance(field, SealedSearchField)}
    filters = {name: value.strip() for name, value in request.form.items() if value.strip() and name != "csrf_token"}
    query = urlencode(search_arguments(filters, sealed_names))
    path = path or request.path
    return redirect(f"{path}?{query}" if query else path, 303)


def search_arguments(filters: Mapping[str, str], sealed_names: Collection[str]) -> dict[str, str]:
    """Filters as arguments of an address; those of `sealed_names` are sealed."""
    return {name: seal(value) if name in sealed_names else value for name, value in filters.items()}


def _user() -> str:
    return str(scope().user_id)
