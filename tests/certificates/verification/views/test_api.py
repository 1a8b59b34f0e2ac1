"""Verification for programs: answers, refusals as problems, any origin, and a description that is result."""

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator
from sqlalchemy.orm import Session

from certificates import credentials
from certificates.branch import Branch
from certificates.models import Certificate
from certificates.number import NumberScheme
from certificates.payload import digits_of
from certificates.verification import status_lists
from courses.models.trainees import IdType


@pytest.fixture
def certificate(issue: Callable[..., Certificate], db: Session) -> Certificate:
    made = issue("张三丰")
    made.enrolment.trainee.set_id_number(IdType.RESIDENT, "11010519491231002X")
    db.commit()
    return made


def test_a_code_is_answered_as_by_the_page(client: FlaskClient, certificate: Certificate) -> None:
    answer = client.get(f"/api/v1/verify/{digits_of(certificate.payload)}")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Set-Cookie" not in answer.headers
    assert answer.json is not None
    assert answer.json["state"] == "valid"
    assert answer.json["certificate"]["number"] == certificate.number
    assert "张三丰" not in answer.get_data(as_text=True)


def test_a_list_is_answered_line_by_line(client: FlaskClient, certificate: Certificate) -> None:
    code = digits_of(certificate.payload)
    items = [
        {"code": code},
        {"code": f"https://example.org/v/{code}", "name": "张三丰"},
        {"code": code, "name": "李四"},
        {"code": code[:-1] + str((int(code[-1]) + 1) % 10)},
        {"number": certificate.number, "name": "张三丰"},
        {"number": certificate.number, "id_tail": "31002X"},
        {"number": certificate.number, "name": "李四"},
        {"number": NumberScheme("BJ").compose("FR", 2026, 4_000_000), "name": "李四"},
    ]
    answer = client.post("/api/v1/verify", json={"certificates": items})
    assert answer.status_code == 200
    assert answer.json is not None
    results = answer.json["results"]
    assert [(result["state"], result["name_fits"]) for result in results] == [
        ("valid", None),
        ("valid", True),
        ("valid", False),
        ("forged", None),
        ("valid", True),
        ("valid", True),
        ("unknown", None),
        ("unknown", None),
    ]
    assert results[-1] == results[-2]


def test_a_legacy_certificate_is_told_by_number_and_holder(client: FlaskClient, legacy_number: str) -> None:
    items = [
        {"number": legacy_number, "name": "张三丰"},
        {"number": legacy_number, "id_tail": "07109x"},
        {"number": legacy_number, "name": "李四"},
        {"number": "京红救(2015)第00124号", "name": "张三丰"},
        {"code": legacy_number, "name": "张三丰"},
    ]
    answer = client.post("/api/v1/verify", json={"certificates": items})
    results = (answer.json or {})["results"]
    assert [(result["state"], result["reason"]) for result in results] == [
        ("valid", "legacy"),
        ("valid", "legacy"),
        ("unknown", "other_kind"),
        ("unknown", "other_kind"),
        ("unknown", "unreadable"),
    ]
    assert results[2] == results[3]
    assert results[0] == results[1]
    facts = results[0]["certificate"]
    assert (facts["number"], facts["signed_code"], facts["hours"]) == (legacy_number, False, None)
    assert facts["holder_masked"] == "张*丰"
    assert "张三丰" not in answer.get_data(as_text=True)


def test_every_refusal_is_a_problem_that_any_site_may_read(client: FlaskClient) -> None:
    wrong = {"certificates": {"code": "1"}}
    post = "/api/v1/verify"
    answers = {
        400: client.post(post, data="{", content_type="application/json"),
        404: client.get("/api/v1/nothing"),
        405: client.delete(post),
        413: client.post(post, data=b" " * (9 * 1024 * 1024), content_type="application/json"),
        415: client.post(post, data="x", content_type="text/plain"),
        422: client.post(post, json=wrong),
    }
    for status, answer in answers.items():
        assert answer.status_code == status
        assert answer.json is not None
        assert answer.json["status"] == status
        assert answer.content_type == "application/problem+json"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert client.get("/status/revocation/9").content_type == "application/problem+json"
    too_long = client.post(post, json={"certificates": [{"code": "1"}] * 5001})
    assert (too_long.status_code, (too_long.json or {})["code"]) == (422, "list_too_long")
    assert too_long.headers["Access-Control-Allow-Origin"] == "*"
    too_often = [client.post(post, json=wrong), *(client.get(f"{post}/1") for _ in range(61))]
    for answer in (too_often[0], too_often[-1]):
        assert (answer.status_code, answer.content_type) == (429, "application/problem+json")
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert too_often[-2].status_code == 200


def test_a_browser_may_ask_first(client: FlaskClient) -> None:
    answer = client.options("/api/v1/verify", headers={"Origin": "https://example.org"})
    assert answer.status_code == 200
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Headers"] == "Content-Type"


def test_the_description_is_one(client: FlaskClient) -> None:
    document = client.get("/api/v1/openapi.json").json
    assert document is not None
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()
    rules = client.application.url_map.iter_rules()
    shapes = {re.sub(r"<[^>]+>", "{}", rule.rule) for rule in rules}
    assert {re.sub(r"{[^}]+}", "{}", path) for path in document["paths"]} <= shapes


def test_keys_and_lists_are_published(
    client: FlaskClient, db: Session, branch: Branch, certificate: Certificate
) -> None:
    status_lists.sign_due(db, branch)
    db.commit()
    key_set = client.get("/.well-known/jwks.json")
    assert key_set.headers["Access-Control-Allow-Origin"] == "*"
    assert key_set.json is not None
    assert [key["kid"] for key in key_set.json["keys"]] == [
        "qr-1", "status-1", f"{credentials.did_of(branch.public_url)}#status-1",
    ]  # fmt: skip
    answer = client.get(f"/status/revocation/{certificate.serial >> 17}")
    assert answer.mimetype == "application/vc+jwt"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "max-age=300" in answer.headers["Cache-Control"]
    again = client.get(answer.request.path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_an_entry_that_cannot_be_read_spoils_no_other(client: FlaskClient, certificate: Certificate) -> None:
    code = digits_of(certificate.payload)
    bad = [
        {"code": "1", "number": "2"},
        None,
        7,
        {"code": 1},
        {"code": "x" * 501},
        {"number": "2.01611E+18", "name": "李四"},
    ]
    answer = client.post("/api/v1/verify", json={"certificates": [{"code": code}, *bad, {"code": f"{code}。"}]})
    results = (answer.json or {})["results"]
    assert [result["reason"] for result in results] == ["valid", *["malformed"] * 5, "unreadable", "valid"]
