"""The rule by itself: what is accepted, how old it can be, and that nothing else is."""

import base64
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.attendance.self_check_in import rotating_code
from courses.attendance.self_check_in.rotating_code import CODE_LENGTH, STEP, accepts, begins, code, step_of

KEY = bytes(range(32))
MICROSECOND = timedelta(microseconds=1)
moments = st.timedeltas(timedelta(0), timedelta(days=80 * 365)).map(
    lambda later: datetime(2020, 1, 1, tzinfo=UTC) + later
)
# The edges of steps, where a mistake would be, as often as any moment between.
edges = st.builds(lambda moment, off: begins(step_of(moment)) + off * MICROSECOND, moments, st.integers(-2, 2))
instants = st.one_of(moments, edges)
ages = st.one_of(
    st.timedeltas(timedelta(0), timedelta(minutes=5)),
    st.builds(
        lambda seconds, off: timedelta(seconds=seconds) + off * MICROSECOND, st.integers(1, 40), st.integers(-1, 1)
    ),
)


@given(instants, ages)
def test_a_code_shown_twenty_seconds_ago_is_never_accepted_and_one_of_ten_always_is(
    shown: datetime, age: timedelta
) -> None:
    taken = accepts(KEY, 7, code(KEY, 7, step_of(shown)), shown + age)
    if age >= 2 * STEP:
        assert not taken
    if age <= STEP:
        assert taken


@given(instants, instants)
def test_what_is_accepted_began_less_than_twenty_seconds_ago_and_not_later_than_now(
    shown: datetime, now: datetime
) -> None:
    step = step_of(shown)
    assert accepts(KEY, 7, code(KEY, 7, step), now) == (timedelta(0) <= now - begins(step) < 2 * STEP)


@given(instants, st.timedeltas(MICROSECOND, timedelta(minutes=5)))
def test_a_code_of_a_step_that_has_not_begun_is_refused(now: datetime, ahead: timedelta) -> None:
    step = step_of(now + ahead)
    assert accepts(KEY, 7, code(KEY, 7, step), now) == (step == step_of(now))


@given(instants)
def test_a_step_lasts_ten_seconds(moment: datetime) -> None:
    assert step_of(moment + timedelta(seconds=10)) == step_of(moment) + 1
    assert begins(step_of(moment)) <= moment < begins(step_of(moment) + 1)


def test_steps_are_counted_from_the_epoch() -> None:
    assert step_of(datetime.fromtimestamp(1_700_000_009, UTC)) == 170_000_000


def test_each_session_gets_256_bits_of_its_own() -> None:
    keys = {rotating_code.new_key() for _ in range(100)}
    assert len(keys) == 100
    assert {len(key) for key in keys} == {32}


@given(instants, st.integers(-14 * 60, 14 * 60))
def test_a_moment_is_the_same_step_in_every_zone(moment: datetime, minutes: int) -> None:
    assert step_of(moment.astimezone(timezone(timedelta(minutes=minutes)))) == step_of(moment)


@given(instants, st.text(max_size=40))
def test_any_other_text_is_refused(now: datetime, sent: str) -> None:
    step = step_of(now)
    assert accepts(KEY, 7, sent, now) == (sent in {code(KEY, 7, step), code(KEY, 7, step - 1)})


@given(instants, st.integers(0, 95))
def test_one_changed_bit_is_refused(now: datetime, bit: int) -> None:
    good = int.from_bytes(base64.urlsafe_b64decode(code(KEY, 7, step_of(now))))
    forged = base64.urlsafe_b64encode((good ^ (1 << bit)).to_bytes(12)).decode()
    assert not accepts(KEY, 7, forged, now)


def test_another_session_or_another_key_has_other_codes() -> None:
    now = datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC)
    step = step_of(now)
    assert not accepts(KEY, 7, code(KEY, 8, step), now)
    assert not accepts(KEY, 7, code(rotating_code.new_key(), 7, step), now)


@pytest.mark.parametrize("sent", ["", "a" * 1000, "é" * 16, "\ud800"])
def test_strange_texts_are_refused_and_break_nothing(sent: str) -> None:
    assert not accepts(KEY, 7, sent, datetime(2026, 1, 1, tzinfo=UTC))


def test_a_code_fits_an_address_as_it_is() -> None:
    found = {code(KEY, 7, step) for step in range(2000)}
    assert len(found) == 2000
    assert len("x" * CODE_LENGTH) == 16
    assert all(len(one) == CODE_LENGTH and one.replace("-", "a").replace("_", "a").isalnum() for one in found)
