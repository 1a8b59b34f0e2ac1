"""Passkeys: what the server accepts of a browser, and what it refuses."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lms.accounts import browser_sessions, passkeys
from lms.accounts.models import User
from lms.accounts.passkeys import PasskeyRefused, RelyingParty
from lms.core import clock
from lms.core.errors import DomainError, NotFound
from tests.factories import Make
from tests.lms.accounts.authenticator import Authenticator

SITE = RelyingParty("localhost", "http://localhost:8000", "红十字会")


@pytest.mark.parametrize(
    ("address", "party"),
    [
        ("https://training.example.org", ("training.example.org", "https://training.example.org")),
        ("https://training.example.org:8443", ("training.example.org", "https://training.example.org:8443")),
        ("http://localhost:8000", ("localhost", "http://localhost:8000")),
        ("http://127.0.0.1:8000", None),
        ("https://192.0.2.7", None),
        ("https://[2001:db8::1]", None),
        ("http://training.example.org", None),
    ],
)
def test_passkeys_are_bound_to_a_name_and_offered_nowhere_else(address: str, party: tuple[str, str] | None) -> None:
    site = passkeys.relying_party(address, "红十字会")
    assert (site and (site.id, site.origin)) == party


class Phone:
    """A user's browser session and the authenticator of its device."""

    def __init__(self, db: Session, user: User, **facts: Any) -> None:
        self.db, self.user = db, user
        self.token = browser_sessions.start(db, user, days=1, browser="")
        self.key = Authenticator(**facts)
        db.flush()

    def add(self) -> None:
        options = json.loads(passkeys.adding_options(self.db, self.user, self.token, SITE))
        passkeys.add(self.db, self.user, self.token, SITE, self.key.create(options), name="手机")

    def options(self) -> dict[str, Any]:
        options: dict[str, Any] = json.loads(passkeys.using_options(self.db, self.user, self.token, SITE))
        return options

    def use(self, answer: Any) -> None:
        passkeys.use(self.db, self.user, self.token, SITE, answer)


@pytest.fixture
def phone(db: Session, make: Make) -> Phone:
    """A phone with a passkey that counts its uses."""
    made = Phone(db, make.user(), count=0)
    made.add()
    return made


def refused(act: Callable[[], Any]) -> str:
    with pytest.raises(PasskeyRefused) as refusal:
        act()
    return refusal.value.cause


def test_a_passkey_is_made_and_used(db: Session, phone: Phone) -> None:
    for _ in range(2):
        phone.use(phone.key.get(phone.options()))
    row = passkeys.of_user(db, phone.user.id)[0]
    assert (row.sign_count, row.name) == (2, "手机")
    assert row.used_at is not None


def test_a_synchronised_passkey_tells_no_count(db: Session, make: Make) -> None:
    phone = Phone(db, make.user())
    phone.add()
    for _ in range(2):
        phone.use(phone.key.get(phone.options()))


def test_an_answer_counts_once(phone: Phone) -> None:
    answer = phone.key.get(phone.options())
    phone.use(answer)
    assert refused(lambda: phone.use(answer)) == "passkey_no_challenge"
    phone.options()
    assert refused(lambda: phone.use(answer)) == "passkey_unproven"


def test_a_wrong_answer_uses_the_challenge_up(phone: Phone) -> None:
    options = phone.options()
    forged = phone.key.get(options)
    forged["response"]["signature"] = "AAAA"
    assert refused(lambda: phone.use(forged)) == "passkey_unproven"
    assert refused(lambda: phone.use(phone.key.get(options))) == "passkey_no_challenge"


def test_the_challenge_of_another_session_is_none(db: Session, phone: Phone) -> None:
    thief = Phone(db, phone.user)
    answer = phone.key.get(phone.options())
    assert refused(lambda: thief.use(answer)) == "passkey_no_challenge"
    thief.options()
    assert refused(lambda: thief.use(answer)) == "passkey_unproven"


def test_a_challenge_ends_after_five_minutes(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = phone.key.get(phone.options())
    later = clock.now() + passkeys.LASTS
    monkeypatch.setattr(clock, "now", lambda: later + timedelta(seconds=1))
    assert refused(lambda: phone.use(answer)) == "passkey_late"


def test_a_challenge_to_make_one_is_none_to_use_one(db: Session, phone: Phone) -> None:
    options = json.loads(passkeys.adding_options(db, phone.user, phone.token, SITE))
    answer = phone.key.get({"rpId": "localhost", "challenge": options["challenge"]})
    assert refused(lambda: phone.use(answer)) == "passkey_no_challenge"


def test_the_credential_of_another_user_is_none(db: Session, make: Make, phone: Phone) -> None:
    other = Phone(db, make.user())
    other.add()
    assert refused(lambda: phone.use(other.key.get(phone.options()))) == "passkey_unknown"


def test_a_copy_that_lags_behind_is_refused(phone: Phone) -> None:
    phone.use(phone.key.get(phone.options()))
    phone.use(phone.key.get(phone.options()))
    phone.key.count = 0
    assert refused(lambda: phone.use(phone.key.get(phone.options()))) == "passkey_unproven"


def test_another_origin_is_refused(db: Session, make: Make, phone: Phone) -> None:
    """A page that poses as ours relays our challenge; the browser signs the address of that page."""
    phone.key.origin = "https://training.example.net"
    assert refused(lambda: phone.use(phone.key.get(phone.options()))) == "passkey_unproven"
    assert refused(Phone(db, make.user(), origin="https://training.example.net").add) == "passkey_unproven"


def test_one_key_belongs_to_one_account(db: Session, make: Make, phone: Phone) -> None:
    other = Phone(db, make.user())
    other.key = phone.key
    with pytest.raises(IntegrityError):
        other.add()


def test_an_account_has_a_limited_number(db: Session, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passkeys, "MOST", 1)
    user = make.user()
    Phone(db, user).add()
    with pytest.raises(DomainError, match="as many passkeys"):
        Phone(db, user).add()


def test_the_browser_is_told_which_keys_there_are(db: Session, phone: Phone) -> None:
    known = [item["id"] for item in phone.options()["allowCredentials"]]
    assert known == [phone.key.create({"rp": {"id": "localhost"}, "challenge": ""})["id"]]
    adding = json.loads(passkeys.adding_options(db, phone.user, phone.token, SITE))
    assert [item["id"] for item in adding["excludeCredentials"]] == known
    assert adding["authenticatorSelection"]["userVerification"] == "preferred"
    assert phone.user.name in adding["user"]["displayName"]


def test_a_passkey_of_somebody_else_is_not_found(db: Session, make: Make, phone: Phone) -> None:
    row = passkeys.of_user(db, phone.user.id)[0]
    assert passkeys.one(db, phone.user.id, row.id) is row
    with pytest.raises(NotFound):
        passkeys.one(db, make.user().id, row.id)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
PARTS = st.fixed_dictionaries(
    {},
    optional={
        "id": JSON,
        "rawId": JSON | st.just("AAAA"),
        "type": st.just("public-key") | JSON,
        "response": st.fixed_dictionaries(
            {},
            optional={name: JSON for name in ("clientDataJSON", "attestationObject", "authenticatorData", "signature")},
        ),
    },
)


@given(answer=JSON | PARTS)
def test_whatever_is_sent_is_refused_in_words(phone: Phone, answer: Any) -> None:
    phone.options()
    assert refused(lambda: phone.use(answer)).startswith("passkey_")
    passkeys.adding_options(phone.db, phone.user, phone.token, SITE)
    adding = lambda: passkeys.add(phone.db, phone.user, phone.token, SITE, answer, name="x")  # noqa: E731
    assert refused(adding) == "passkey_unproven"
