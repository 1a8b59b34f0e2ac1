"""Responses of every route: what may be kept in a cache, and what is said to a method that a route does not have."""

from itertools import product

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.routing import AnyConverter, Rule

from lms.core import fast_path
from lms.core.access import guard_of
from lms.core.headers import STATIC_ENDPOINTS, is_cacheable
from lms.core.limits import limiter
from lms.core.scope import Role
from tests.architecture.edge_walk import DOCUMENTS
from tests.architecture.routes import address, anything
from tests.architecture.test_access import SignIn
from tests.architecture.test_edge import Walker
from tests.factories import Make

# Responses that caches may keep, each with the reason: they are for everybody, and have nothing about a person.
CACHEABLE = {
    "api.description": "the description of the interface for programs",
    "badges.did": "the issuer's public keys",
    "badges.issuer": "the issuer's name",
    "badges.picture": "a programme and a year",
    "offline.file": "the page of offline verification and its scripts",
    "offline.worker": "a script",
    "offline_session.file": "scripts and styles of the session page",
    "offline_session.worker": "a script",
    "public_figures.file": "figures of frozen quarters, without results of people",
    "public_figures.signed": "the same figures, signed",
    "sealed_records.block": "digests of rows of record, of which copies are to be kept elsewhere",
    "sealed_records.index": "the newest of them",
    "sealed_records.latest": "the newest of them",
    "status.key_set": "public keys",
    "status.certificate_types": "the public table of certificate types",
    "status.signed_list": "bits of certificates by number, which verifiers fetch and keep",
}
NEVER_ENDS = {"code_display.stream"}
# Files with phones, ID numbers and names in them, which were `public, max-age=3600`.
PRIVATE_FILES = {
    "certificates.pdf", "certificates.card", "expiring.export", "holding.pdf", "holding.card", "holding.picture", "hand_out.sheet",
    "paper.sheet",
    "reports.enrolment_export", "reports.enrolment_paper", "tickets.calendar",
}  # fmt: skip
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def test_only_the_listed_responses_may_be_kept(app: Flask, rules: list[Rule]) -> None:
    with app.app_context():
        assert {rule.endpoint for rule in rules if is_cacheable(rule.endpoint)} == set(CACHEABLE)


def addresses(app: Flask, walker: Walker, rule: Rule) -> list[str]:
    """The addresses of a route, one for each fixed word of its path, such as each format of a file."""
    values = walker.arguments_of(rule)
    choices = {
        name: sorted(converter.items) if isinstance(converter, AnyConverter) else [values[name]]
        for name, converter in rule._converters.items()
    }
    return [
        app.url_map.bind("localhost").build(rule.endpoint, dict(zip(choices, combination, strict=True)), method="GET")
        for combination in product(*choices.values())
    ]


@pytest.mark.parametrize("role", [None, *Role])
def test_what_is_private_is_kept_nowhere(  # noqa: PLR0917  # fixtures, each by name
    app: Flask, db: Session, make: Make, rules: list[Rule], sign_in: SignIn, role: Role | None
) -> None:
    """Each page, document and file, as each role gets it. The mightiest role gets all formats, and documents that are drawn."""
    walker = Walker(app, db, make, sign_in)
    browser = app.test_client() if role is None else sign_in(make.user(role))
    kept, answered = [], set()
    for rule in rules:
        guard = guard_of(app, rule.endpoint)
        is_others = guard is not None and guard.roles is not None and role not in guard.roles
        is_slow = rule.endpoint in DOCUMENTS and role is not Role.CITY_ADMINISTRATOR
        if "GET" not in (rule.methods or ()) or rule.endpoint in NEVER_ENDS or is_others or is_slow:
            continue
        for path in addresses(app, walker, rule)[: None if role is Role.CITY_ADMINISTRATOR else 1]:
            limiter.reset()
            for limit in fast_path.minute_limits:
                limit.reset()
            answer = browser.get(path)
            if answer.status_code == 200:
                answered.add(rule.endpoint)
                if rule.endpoint not in CACHEABLE and answer.headers.getlist("Cache-Control") != ["no-store"]:
                    kept.append((path, answer.headers.getlist("Cache-Control")))
            answer.close()
    assert kept == []
    assert len(answered) > 15
    assert role is not Role.CITY_ADMINISTRATOR or answered >= PRIVATE_FILES


def test_a_method_that_a_route_lacks_is_refused_with_those_that_it_has(
    app: Flask, rules: list[Rule], client: FlaskClient
) -> None:
    paths: dict[str, set[str]] = {}
    for rule in [*rules, *(rule for rule in app.url_map.iter_rules() if rule.endpoint in STATIC_ENDPOINTS)]:
        path = "/static/nothing" if rule.endpoint in STATIC_ENDPOINTS else address(app, rule, anything(rule))
        paths[path] = allowed_of(app, path)
    wrong = []
    for path, allowed in paths.items():
        for method in sorted(set(METHODS) - allowed)[:1]:
            chinese, english = (
                client.open(path, method=method, headers={"Accept": "text/html", "Accept-Language": language})
                for language in ("zh", "en")
            )
            program = client.open(path, method=method, headers={"Accept": "application/json"})
            named = [set(answer.headers.get("Allow", "").split(", ")) for answer in (chinese, english, program)]
            if named != [allowed] * 3 or {answer.status_code for answer in (chinese, english, program)} != {405}:
                wrong.append((method, path, named))
            if program.mimetype != "application/problem+json" or (program.json or {}).get("code") != "http_405":
                wrong.append((method, path, [program.mimetype]))
            if chinese.mimetype == "text/html" and chinese.text == english.text:
                wrong.append((method, path, ["one language"]))
    assert wrong == []
    assert len(paths) > 200


def allowed_of(app: Flask, path: str) -> set[str]:
    return set(app.url_map.bind("localhost").allowed_methods(path))


def test_options_and_head_follow_the_guard_of_the_page(app: Flask, client: FlaskClient) -> None:
    public, closed = client.options("/training/"), client.options("/users/")
    assert (public.status_code, public.allow.as_set()) == (200, {"get", "head", "options"})
    assert (closed.status_code, closed.allow.as_set()) == (401, set())
    for path in ("/training/", "/users/", "/nowhere"):
        head, page = client.head(path), client.get(path)
        assert (head.status_code, head.data) == (page.status_code, b"")
