"""The edge: what a request brings is turned into values of a known range here, once for all routes.

A number that no column can hold is not found, a character that PostgreSQL cannot store is refused, and JSON is bounded in
its depth, so that nothing of a request is an error of the database.
"""

import json
import re
from typing import Any

from flask import Request as FlaskRequest
from flask.json.provider import DefaultJSONProvider
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.routing import IntegerConverter, Map

from lms.core.db import LARGEST_ID
from lms.core.errors import N_, DomainError, NotFound

LARGEST_PAGE = 1_000_000  # 50 rows each: more than any list has
LARGEST_COUNT = 1_000_000
DEEPEST_JSON = 32
# What JSON can write and PostgreSQL cannot store: NUL, and a surrogate, which is a fault where it has no partner.
_DOUBTFUL_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_SURROGATE = re.compile("[\ud800-\udfff]")


class RowNumberConverter(IntegerConverter):
    """The converter `<int:…>` of routes: a number that no id can be makes the address one that does not exist."""

    def __init__(self, url_map: Map, fixed_digits: int = 0, min: int | None = None, max: int = LARGEST_ID) -> None:  # noqa: A002
        super().__init__(url_map, fixed_digits=fixed_digits, min=min, max=max)


def row_id(text: str) -> int:
    """A type for `request.args.get(name, type=row_id)`: the id in a text. Raises ValueError for a number that no id can be."""
    number = int(text)
    if not 1 <= number <= LARGEST_ID:
        raise ValueError("no id of a row")
    return number


def count(text: str) -> int:
    """A type for `request.form.get(name, 0, type=count)`: a number from 0 to a million. Raises ValueError for any other."""
    number = int(text)
    if not 0 <= number <= LARGEST_COUNT:
        raise ValueError("no number of things")
    return number


def page_number(text: str) -> int:
    """A type for `request.args.get(name, 1, type=page_number)`: the number of a page, from 1 to `LARGEST_PAGE`."""
    return min(max(int(text), 1), LARGEST_PAGE)


def check_address(request: FlaskRequest) -> None:
    """Check the path and the query string. Raises NotFound for a path, DomainError (400) for a query that cannot be stored."""
    if request.view_args and any(isinstance(text, str) and not storable(text) for text in request.view_args.values()):
        raise NotFound
    if request.query_string:
        refuse_unstorable(request.args)


def refuse_unstorable(fields: MultiDict[str, str]) -> None:
    """Raise DomainError (400) for a name or value with a character that PostgreSQL cannot store.

    Copies of broken files contain NUL characters.
    """
    if any(not storable(text) for pair in fields.items(multi=True) for text in pair):
        raise DomainError(
            "bad_character", N_("The text contains a character that cannot be stored. Type it again."), status=400
        )


def storable(text: str) -> bool:
    """Tell whether PostgreSQL can store a text: it has no NUL and no surrogate without its partner."""
    return "\0" not in text and (text.isascii() or _SURROGATE.search(text) is None)


class BoundedJson(DefaultJSONProvider):
    """Flask's JSON, bounded in depth when it reads, and without texts that cannot be stored."""

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """The value of a document. Raises ValueError, which Flask answers with 400."""
        try:
            value = json.loads(s, parse_constant=_refuse_constant, **kwargs)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error
        document = s.encode("utf-8", "surrogatepass") if isinstance(s, str) else s
        _refuse_deep(value, doubtful=_DOUBTFUL_ESCAPE.search(document) is not None)
        return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _refuse_deep(value: Any, *, doubtful: bool) -> None:
    """Raise ValueError for a value that is nested too deeply or, where an escape is in doubt, holds what cannot be stored."""
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > DEEPEST_JSON:
            raise ValueError("nested too deeply")
        if doubtful:
            texts = [text for text in level if isinstance(text, str)]
            texts += [name for item in level if isinstance(item, dict) for name in item]
            if not all(storable(text) for text in texts):
                raise ValueError("a character that cannot be stored")
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]


class Request(FlaskRequest):
    """A request whose form holds nothing that cannot be stored."""

    def _load_form_data(self) -> None:
        """Parse the body of a form, of any kind, and refuse what cannot be stored: in fields and in the names of files."""
        super()._load_form_data()
        form: ImmutableMultiDict[str, str] = self.__dict__.get("form", ImmutableMultiDict())
        refuse_unstorable(form)
        names = [name for field, file in self.files.items(multi=True) for name in (field, file.filename or "")]
        refuse_unstorable(MultiDict((name, "") for name in names))
