"""Schemathesis over the whole interface for programs: data that the document allows and data that it does not.

Examples are few and the same each time. LMS_API_EXAMPLES sets how many each operation gets; the seeds then differ.
"""

import os
import sys
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy.orm import Session

from lms.accounts import devices
from lms.core import fast_path
from lms.core.limits import limiter
from lms.core.scope import Role
from tests.architecture.test_access import SignIn
from tests.factories import Make

EXAMPLES = int(os.environ.get("LMS_API_EXAMPLES") or 15)
LONG = "LMS_API_EXAMPLES" in os.environ
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip
OPERATIONS = [
    ("/api/v1/check-ins", "POST"), ("/api/v1/closings", "POST"), ("/api/v1/day", "GET"), ("/api/v1/devices", "POST"),
    ("/api/v1/headcounts", "POST"), ("/api/v1/openapi.json", "GET"), ("/api/v1/own-check-ins", "POST"),
    ("/api/v1/retests", "POST"), ("/api/v1/sessions", "GET"), ("/api/v1/sessions/{session}/changes", "GET"),
    ("/api/v1/sessions/{session}/roster", "GET"), ("/api/v1/skill-results", "POST"), ("/api/v1/theory-marks", "POST"),
    ("/api/v1/verify", "POST"), ("/api/v1/verify/lists/{token}", "DELETE"), ("/api/v1/verify/lists/{token}", "GET"),
    ("/api/v1/verify/{digits}", "GET"),
]  # fmt: skip


# They take no parameter, or any text.
NOTHING_TO_NEGATE = {
    ("/api/v1/openapi.json", "GET"), ("/api/v1/verify/{digits}", "GET"), ("/api/v1/verify/lists/{token}", "GET"),
    ("/api/v1/verify/lists/{token}", "DELETE"),
}  # fmt: skip


@dataclass(frozen=True)
class Caller:
    """Whoever calls: the token of a paired device, and the cookie of a signed-in browser."""

    token: str
    cookies: dict[str, str]


@pytest.fixture
def caller(app: Flask, db: Session, make: Make, sign_in: SignIn) -> Caller:
    """An instructor's device, who leads a session with a trainee, and a browser."""
    lead = make.instructor(user=make.user(Role.INSTRUCTOR))
    offering = make.offering(organisation=make.organisation(1), lead=lead)
    make.enrolment(offering, make.trainee(district_id=1))
    assert lead.user is not None
    token = devices.pair(db, lead.user, "phone")[1]
    cookie = sign_in(lead.user).get_cookie(app.config["SESSION_COOKIE_NAME"])
    assert cookie is not None
    db.commit()
    return Caller(token, {cookie.key: cookie.value})


def test_the_document_describes_the_whole_interface(app: Flask) -> None:
    described = app.test_client().get("/api/v1/openapi.json").json["paths"]
    routes = {
        (
            rule.rule.replace("<int:session_id>", "{session}")
            .replace("<path:digits>", "{digits}")
            .replace("<token>", "{token}"),
            method,
        )
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert routes == {(path, method.upper()) for path, operations in described.items() for method in operations}
    assert sorted(routes) == OPERATIONS


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_answers_are_those_of_the_document(app: Flask, db: Session, caller: Caller, path: str, method: str) -> None:
    """Nothing that is sent makes a 5xx, and each answer has a status, a media type and a form that the document names."""
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    operation = schema[path][method]
    statuses: Counter[int] = Counter()

    def send(case: Any, *, holds: bool) -> None:
        limiter.reset()
        for limit in fast_path.minute_limits:
            limit.reset()
        headers = {"Accept-Encoding": "identity"}  # the client of the tests unpacks nothing
        if holds:
            headers["Authorization"] = f"Bearer {caller.token}"
        cookies = caller.cookies if holds and path == "/api/v1/devices" else {}
        with db.begin_nested() as point:
            response = case.call(headers=headers, cookies=cookies)
            if point.is_active:
                point.rollback()
        statuses[response.status_code] += 1
        case.validate_response(response, checks=CHECKS)

    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        strategy = operation.as_strategy(generation_mode=mode)
        test = given(strategy, st.sampled_from([True, True, True, False]))(lambda case, holds: send(case, holds=holds))
        test = hypothesis_settings(
            max_examples=EXAMPLES, database=None, deadline=None, suppress_health_check=list(HealthCheck),
            phases=[Phase.generate], derandomize=not LONG,
        )(test)  # fmt: skip
        if mode == GenerationMode.NEGATIVE and (path, method) in NOTHING_TO_NEGATE:
            continue
        test()
    sys.stdout.write(f"{method} {path}: {sum(statuses.values())} requests, {dict(sorted(statuses.items()))}\n")
    assert statuses
