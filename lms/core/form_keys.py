"""Random keys of forms, by which a form that is sent twice is recognised.

A key belongs to one form of one browser: the browser's cookie session holds it, and a key that another browser sends is none.
The browser gets the same key for the same form again, because pages are kept nowhere (`no-store`): Back loads the form anew,
and what is sent then has to be recognised too.
"""

import hashlib
import json
from secrets import compare_digest

from flask import request
from flask import session as cookie_session

from lms.core import crypto

FIELD = "form_key"
FORMS = 8  # whose keys a browser holds; the oldest is forgotten
_KEYS = "form_keys"
_UNSIGNED = frozenset({FIELD, "csrf_token"})  # fields that differ although the same was sent


def key_of(form: str) -> str:
    """The key of this browser for a form, such as "enrol:17", for the form's hidden field."""
    keys = _keys()
    key = keys.pop(form, None) or crypto.token()
    cookie_session[_KEYS] = dict([*keys.items(), (form, key)][-FORMS:])
    return key


def hash_of_request(form: str, *parts: object) -> bytes | None:
    """The hash of the form's key with what this request sent and with `parts`; None without this browser's key."""
    key, sent = _keys().get(form), request.form.get(FIELD, "")
    if key is None or not compare_digest(key.encode(), sent.encode(errors="replace")):
        return None
    fields = sorted((name, value) for name, value in request.form.items(multi=True) if name not in _UNSIGNED)
    content = json.dumps([key, form, *map(str, parts), fields])
    return hashlib.sha256(content.encode()).digest()


def _keys() -> dict[str, str]:
    stored = cookie_session.get(_KEYS)
    return dict(stored) if isinstance(stored, dict) else {}
