"""The pages on which a contact is proven."""

import re
from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from lms.accounts import contact_checks
from tests.lms.accounts.test_contact_checks import EMAIL, PHONE, code_in, start, token_in, wrong


def test_a_typed_code_proves_and_leads_on(client: FlaskClient, db: Session) -> None:
    check = start(db)
    db.commit()
    page = client.get(f"{contact_checks.page_of(check)}?lang=zh")
    assert page.status_code == 200
    assert "138****8000" in page.text
    assert PHONE[3:] not in page.text
    assert page.headers["Cache-Control"] == "no-store"
    answer = client.post(contact_checks.page_of(check), data={"code": code_in(db)})
    assert (answer.status_code, answer.location) == (302, "/somewhere")
    db.refresh(check)
    assert check.proven_at is not None


def test_a_wrong_code_is_counted_although_the_page_comes_back(client: FlaskClient, db: Session) -> None:
    check = start(db)
    db.commit()
    code = code_in(db)
    for left in (4, 3, 2, 1):
        page = client.post(f"{contact_checks.page_of(check)}?lang=en", data={"code": wrong(code)})
        assert f"Tries left: {left}" in page.text
    assert (
        "Ask for a new one" in client.post(f"{contact_checks.page_of(check)}?lang=en", data={"code": wrong(code)}).text
    )
    assert client.post(contact_checks.page_of(check), data={"code": code}).status_code == 422
    db.refresh(check)
    assert (check.tries, check.proven_at) == (5, None)


def test_a_new_code_may_be_asked_for_after_a_minute(client: FlaskClient, db: Session) -> None:
    check = start(db)
    db.commit()
    early = client.post(f"{contact_checks.page_of(check)}/again?lang=en", follow_redirects=True)
    assert "less than a minute ago" in early.text
    check.created_at -= contact_checks.CODE_LIVES
    db.commit()
    assert "is over" in client.get(f"{contact_checks.page_of(check)}?lang=en").text
    answer = client.post(f"{contact_checks.page_of(check)}/again")
    assert answer.status_code == 302
    assert answer.location != contact_checks.page_of(check)
    assert client.post(answer.location, data={"code": code_in(db)}).location == "/somewhere"


def test_a_scanner_that_opens_the_link_confirms_nothing(client: FlaskClient, app: Flask, db: Session) -> None:
    check = start(db, EMAIL)
    db.commit()
    address = f"/prove/link/{token_in(db)}"
    scanner = app.test_client()
    assert scanner.head(address).status_code == 200
    assert scanner.get(address).status_code == 200
    assert scanner.get(address, headers={"Purpose": "prefetch", "Sec-Purpose": "prefetch"}).status_code == 200
    assert scanner.open(address, method="OPTIONS").status_code == 200
    db.refresh(check)
    assert check.proven_at is None
    page = client.get(address)
    assert "W***@example.org" in page.text
    assert EMAIL not in page.text
    assert client.post(address).location == "/somewhere"
    assert client.post(address).status_code == 410


def test_a_confirming_post_needs_the_token_of_the_form(app: Flask, db: Session) -> None:
    check = start(db, EMAIL)
    db.commit()
    address = f"/prove/link/{token_in(db)}"
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        browser = app.test_client()
        assert browser.post(address).status_code == 400
        match = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', browser.get(address).text)
        assert match
        assert browser.post(address, data={"csrf_token": match[1]}).status_code == 302
    finally:
        app.config["WTF_CSRF_ENABLED"] = False
    db.refresh(check)
    assert check.proven_at is not None


def test_what_is_unknown_is_not_found(client: FlaskClient) -> None:
    asked: list[Callable[[], int]] = [
        lambda: client.get("/prove/1").status_code,
        lambda: client.post("/prove/1/again").status_code,
        lambda: client.get("/prove/link/unknown").status_code,
        lambda: client.post("/prove/link/unknown").status_code,
    ]
    assert [act() for act in asked] == [404] * 4
