"""Search on a device: each person is found by name, initials and tail; without the key nobody is confirmed."""

import hashlib
import hmac
import json
from itertools import product
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from courses.attendance.devices.search_hashes import HASH_BYTES, SearchKey, forms
from lms.core.names import norm

EXAMPLES = json.loads((Path(__file__).parents[3] / "lms/static/search_hashes.json").read_text())
KEY = SearchKey(bytes(range(32)))
NAMES = st.text(st.sampled_from("张王单曾三丰伟 ·’Aé字1*"), min_size=1, max_size=5)
PHONES = st.none() | st.from_regex(r"\+861[3-9][0-9]{9}", fullmatch=True)


def test_the_server_makes_the_hashes_that_the_device_makes():
    assert KEY.as_json() == EXAMPLES["key"]
    assert {form: KEY.hash(form) for form in EXAMPLES["hashes"]} == EXAMPLES["hashes"]


def test_name_initials_and_tail_find_a_person():
    assert forms("张三丰", "+8613812345678") == {"张三丰", "ZSF", "5678"}
    assert forms("O’Brien", None) == {"OBRIEN", "O"}
    assert KEY.hashes("张三丰", "+8613812345678") == sorted(map(KEY.hash, ("张三丰", "ZSF", "5678")))


@given(st.lists(st.tuples(NAMES, PHONES), min_size=1, max_size=8), NAMES | st.from_regex(r"[0-9]{4}", fullmatch=True))
def test_a_search_by_hashes_finds_exactly_whom_the_forms_name(people, query):
    """The rule is compared with itself in clear: a hash finds a person only where the form is equal."""
    typed = norm(query)
    found = [number for number, person in enumerate(people) if typed and KEY.hash(typed) in KEY.hashes(*person)]
    assert found == [number for number, person in enumerate(people) if typed in forms(*person)]


def test_a_wrong_match_in_a_class_of_three_hundred_is_rarer_than_one_in_a_million():
    assert 300 * 3 / 2 ** (8 * HASH_BYTES) < 1e-6


def test_each_device_has_a_key_of_its_own(db):
    first, second = SearchKey.of_device(1), SearchKey.of_device(2)
    assert first == SearchKey.of_device(1)
    assert len(first.value) == 32
    assert first.id != second.id
    assert first.hash("张三丰") != second.hash("张三丰")


def test_without_the_key_all_tails_of_a_known_name_confirm_nobody(db):
    """Whoever has the dump of a device knows the roster's hashes, the id of the key, and may know the name."""
    key = SearchKey.of_device(7)
    kept = set(key.hashes("张三丰", "+8613812345678"))
    secrets = [b"", key.id.encode(), bytes.fromhex(key.id), *(bytes.fromhex(each) for each in kept)]
    tails = [f"{number:04}" for number in range(10_000)]
    guesses = {"张三丰", "ZSF", *tails, *(f"张三丰{tail}" for tail in tails)}
    digests = {hashlib.sha256(guess.encode()).hexdigest()[: 2 * HASH_BYTES] for guess in guesses}
    digests |= {
        hmac.digest(secret, guess.encode(), hashlib.sha256).hex()[: 2 * HASH_BYTES]
        for secret, guess in product(secrets, guesses)
    }
    assert not digests & kept
    assert repr(key.value) not in repr(key)
