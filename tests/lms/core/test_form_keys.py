"""Keys of forms: one for each form of a browser, and nothing for whoever has the key alone."""

from flask import Flask
from flask import session as cookie_session

from lms.core import form_keys


def hash_of(app: Flask, held: object, form: str, fields: dict[str, str], *parts: object) -> bytes | None:
    """The hash of a request by a browser whose cookie session holds these keys."""
    with app.test_request_context(method="POST", data=fields):
        cookie_session["form_keys"] = held
        return form_keys.hash_of_request(form, *parts)


def test_a_browser_keeps_the_key_of_a_form_and_forgets_the_oldest_forms(app: Flask) -> None:
    with app.test_request_context():
        first = form_keys.key_of("enrol:0")
        assert form_keys.key_of("enrol:0") == first
        keys = [form_keys.key_of(f"enrol:{number}") for number in range(1, form_keys.FORMS + 1)]
        assert len({first, *keys}) == form_keys.FORMS + 1
        assert form_keys.key_of(f"enrol:{form_keys.FORMS}") == keys[-1]
        assert form_keys.key_of("enrol:0") != first


def test_the_hash_is_of_the_key_with_what_was_sent(app: Flask) -> None:
    held = {"enrol:1": "a" * 22}
    sent = {"form_key": "a" * 22, "name": "王小明", "csrf_token": "x"}
    first = hash_of(app, held, "enrol:1", sent)
    assert first is not None
    assert hash_of(app, held, "enrol:1", sent | {"csrf_token": "y"}) == first
    assert hash_of(app, held, "enrol:1", sent | {"name": "李雷"}) != first
    assert hash_of(app, held, "enrol:1", sent, 17) != first
    assert hash_of(app, {"enrol:2": "a" * 22}, "enrol:2", sent) != first


def test_a_key_of_another_browser_or_form_and_a_guessed_one_are_none(app: Flask) -> None:
    held = {"enrol:1": "a" * 22}
    for form, fields in (
        ("enrol:1", {"form_key": "b" * 22}),
        ("enrol:1", {"form_key": ""}),
        ("enrol:1", {"form_key": "名" * 22}),
        ("enrol:1", {}),
        ("enrol:2", {"form_key": "a" * 22}),
    ):
        assert hash_of(app, held, form, fields) is None
    for nothing in (None, "text", []):
        assert hash_of(app, nothing, "enrol:1", {"form_key": "a" * 22}) is None
