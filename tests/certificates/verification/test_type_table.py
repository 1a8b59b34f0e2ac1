"""Tests of the signed table of certificate types and issuing units."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from certificates.branch import Branch
from certificates.keys import issuer_keys
from certificates.models import Certificate, StatusList
from certificates.payload import decode, digits_of
from certificates.verification import offline, type_table
from certificates.verification.signed_tables import LIFETIME, RENEWAL_INTERVAL
from certificates.verification.type_table import TypeTable
from courses.models.catalogue import Course
from lms.core import clock
from lms.core.errors import DomainError
from tests.factories import Make


def keys(db: Session) -> dict[str, bytes]:
    return {key.kid: key.public_key for key in issuer_keys.public_keys(db)}


def published(db: Session) -> str:
    stored = db.get(StatusList, (type_table.PURPOSE, 0))
    assert stored is not None
    return json.dumps(type_table.as_json(stored.document))


def table(db: Session) -> TypeTable:
    return type_table.read(published(db), keys(db))


def test_type_unit_and_number_of_a_code_are_told_in_words(
    db: Session, make: Make, branch: Branch, issue: Callable[..., Certificate]
) -> None:
    certificate = issue("张三丰", course=make.new_course(certificate_type=200))
    assert type_table.sign_due(db, branch)
    signed = decode(digits_of(certificate.payload)).payload
    read = table(db)
    facts = certificate.facts
    assert read.types[signed.certificate_type]["name"] == {"zh": facts["course_zh"], "en": facts["course_en"]}
    assert read.units[signed.unit] == {"zh": facts["unit_zh"], "en": facts["unit_en"]}
    assert read.number_of(signed) == certificate.number
    assert set(read.units) == set(range(17))


def test_it_is_signed_anew_when_it_changed_or_a_day_has_passed(
    db: Session, make: Make, branch: Branch, issue: Callable[..., Certificate]
) -> None:
    number = issue("张三丰", course=make.new_course(certificate_type=200)).certificate_type
    assert type_table.sign_due(db, branch)
    assert not type_table.sign_due(db, branch)
    db.execute(update(Course).where(Course.certificate_type == number).values(name_en="Another name"))
    assert type_table.sign_due(db, branch)
    assert table(db).types[number]["name"]["en"] == "Another name"
    with clock.at(clock.now() + RENEWAL_INTERVAL + timedelta(seconds=1)):
        assert type_table.sign_due(db, branch)
    assert type_table.sign_due(db, branch, anew=True)
    stored = db.get(StatusList, (type_table.PURPOSE, 0))
    assert stored is not None
    assert stored.valid_until - stored.made_at == LIFETIME


def test_a_table_that_we_did_not_sign_is_refused(
    db: Session, branch: Branch, issue: Callable[..., Certificate]
) -> None:
    issue("张三丰")
    type_table.sign_due(db, branch)
    members = json.loads(published(db))
    forged = members | {"payload": members["payload"][:-4] + "AAAA"}
    for text in (json.dumps(forged), json.dumps([]), "{}", "no JSON", json.dumps({"payload": 1})):
        with pytest.raises(DomainError) as refused:
            type_table.read(text, keys(db))
        assert refused.value.code == "type_table_invalid"


def test_anybody_reads_it_and_verifies_it_with_the_published_keys(
    client: FlaskClient, db: Session, branch: Branch, issue: Callable[..., Certificate]
) -> None:
    address = "/.well-known/certificate-types.json"
    assert client.get(address).status_code == 404
    number = issue("张三丰").certificate_type
    type_table.sign_due(db, branch)
    db.commit()
    answer = client.get(address)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert client.get(address, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    known = offline.read_keys(client.get("/.well-known/jwks.json").text)
    assert number in type_table.read(answer.text, known.others).types


def test_each_kid_of_our_tokens_is_a_key_of_the_published_set(
    client: FlaskClient, db: Session, branch: Branch, issue: Callable[..., Certificate]
) -> None:
    issue("张三丰")
    type_table.sign_due(db, branch)
    issuer_keys.for_signing(db, branch.keys_dir, issuer_keys.Purpose.BADGE)
    db.commit()
    jwks = client.get("/.well-known/jwks.json").json
    assert jwks is not None
    kids = {key["kid"] for key in jwks["keys"]}
    methods = {method["id"] for method in client.get("/.well-known/did.json").json["verificationMethod"]}  # type: ignore[index]
    assert len(methods) == 2
    assert methods <= kids
