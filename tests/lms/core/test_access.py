"""Guards of views, and the scope that a user's grants make."""

from dataclasses import dataclass

import pytest
from flask import Flask
from werkzeug.exceptions import Unauthorized

from lms.core import access
from lms.core.access import guard_of, public, requires, scope_of, signed_in
from lms.core.errors import Denied
from lms.core.scope import Role, Scope


@dataclass
class Held:
    role: Role
    district_id: int | None = None
    organisation_id: int | None = None


@pytest.mark.parametrize(
    ("grants", "scope"),
    [
        ([Held(Role.CITY_ADMINISTRATOR)], Scope(everything=True, user_id=7)),
        ([Held(Role.AUDITOR)], Scope(everything=True, user_id=7, read_only=True)),
        (
            [Held(Role.DISTRICT_ADMINISTRATOR, 1), Held(Role.DISTRICT_ADMINISTRATOR, 2)],
            Scope(district_ids=frozenset({1, 2}), user_id=7),
        ),
        ([Held(Role.COORDINATOR, 1, 5)], Scope(organisation_ids=frozenset({5}), user_id=7)),
        ([Held(Role.INSTRUCTOR)], Scope(instructor_user_id=7, user_id=7)),
        ([Held(Role.TRAINEE)], Scope(trainee_user_id=7, user_id=7)),
    ],
)
def test_grants_make_a_scope(grants: list[Held], scope: Scope) -> None:
    assert scope_of(7, grants) == scope


def test_a_view_without_a_guard_answers_nobody() -> None:
    app = Flask(__name__)
    app.add_url_rule("/", "forgotten", lambda: "")
    with app.test_request_context("/"), pytest.raises(Denied):
        access.check()


def test_a_guard_says_whom_it_lets_in() -> None:
    app = Flask(__name__)
    app.add_url_rule("/1", "public", public(lambda: ""))
    app.add_url_rule("/2", "own", signed_in(lambda: ""))
    app.add_url_rule("/3", "staff", requires(Role.COORDINATOR, reading=True)(lambda: ""))
    guards = [guard_of(app, endpoint) for endpoint in ("public", "own", "staff", "static")]
    assert [(guard.anyone, guard.roles, guard.reading) for guard in guards if guard] == [
        (True, None, False), (False, None, False), (False, frozenset({Role.COORDINATOR}), True), (True, None, False),
    ]  # fmt: skip


def test_a_form_that_is_sent_without_signing_in_gets_401_and_no_redirect(app: Flask) -> None:
    with app.test_request_context("/users/", method="POST"), pytest.raises(Unauthorized):
        access.check()
