"""Proofs that a browser remembers: its own, and nobody else's."""

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from lms.accounts import contact_checks, proven_here
from tests.lms.accounts.test_contact_checks import TRIAL, code_in, start


def test_a_proof_is_known_in_the_browser_that_gave_it(app: Flask, db: Session, client: FlaskClient) -> None:
    """Whoever started the check knows its address, and must not gain by the owner's proof elsewhere."""
    check = start(db)
    db.commit()
    client.post(contact_checks.page_of(check), data={"code": code_in(db)})
    starter = app.test_client()
    starter.get(contact_checks.page_of(check))

    def known(browser: FlaskClient) -> bool:
        with browser.session_transaction() as cookie:
            refs = list(cookie.get(proven_here.COOKIE_KEY, []))
        with app.test_request_context() as context:
            context.session[proven_here.COOKIE_KEY] = refs
            return proven_here.find(db, TRIAL, "thing:1") is not None

    assert (known(client), known(starter)) == (True, False)
