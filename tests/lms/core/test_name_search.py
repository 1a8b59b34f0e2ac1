"""How a typed name is read: as a name, as pinyin or as initials, with a year of birth."""

import pytest

from courses.models.trainees import Trainee
from lms.core.name_search import TypedName, readings, typed_pinyin


@pytest.mark.parametrize(
    ("text", "name", "year"),
    [
        ("张伟", "张伟", None), ("张伟 1985", "张伟", 1985), ("1985 zhang wei", "zhang wei", 1985), ("张伟 1985年", "张伟", 1985),
        ("1985", "1985", None),
        ("张伟 12", "张伟 12", None), ("  ", "", None), ("张1985", "张1985", None), ("张伟 ２０１０", "张伟 ２０１０", None),
    ],
)  # fmt: skip
def test_a_year_beside_a_name_is_taken_apart(text: str, name: str, year: int | None) -> None:
    assert TypedName.of(text) == TypedName(name, year)


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("张伟", "zhangwei"),
        ("Zhāng Wěi", "zhangwei"),
        ("吕布", "lvbu"),
        ("Lü Bu", "lvbu"),
        ("O’Brien", "obrien"),
        ("张wei", "zhangwei"),
    ],
)
def test_typed_letters_are_read_as_the_index_has_them(name: str, letters: str) -> None:
    assert typed_pinyin(name) == letters


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("张", 1),
        ("尉迟", 2),
        ("zhangwei", 1),
        ("zhang", 2),
        ("z", 1),
        ("zhangxiaoming", 1),
        ("lubu", 3),
        ("", 0),
        ("Щ", 1),
    ],
)
def test_a_name_is_read_in_few_ways(name: str, count: int) -> None:
    assert len(readings(name, Trainee.name_sound, "trainee")) == count
