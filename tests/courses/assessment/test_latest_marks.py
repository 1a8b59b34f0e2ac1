"""The marks of examiners fold to the same result in any order of arrival."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from courses.assessment.latest_marks import Mark, fold

marks = st.lists(
    st.builds(
        Mark,
        id=st.integers(1, 40).map(lambda number: UUID(int=number)),
        key=st.tuples(st.integers(1, 2), st.integers(1, 2), st.integers(1, 2)),
        value=st.none() | st.booleans(),
        moment=st.datetimes().map(lambda moment: moment.replace(microsecond=0)),
    ),
    max_size=12,
    unique_by=lambda mark: mark.id,
)


@given(marks, st.randoms())
def test_the_last_by_moment_counts_in_any_order(marks, random):
    shuffled = [*marks, *marks[:3]]
    random.shuffle(shuffled)
    assert fold(shuffled) == fold(marks)
    for key, latest in fold(marks).items():
        assert latest == max((mark for mark in marks if mark.key == key), key=lambda mark: (mark.moment, mark.id))
