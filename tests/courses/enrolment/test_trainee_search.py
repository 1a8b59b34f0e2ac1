"""The search in the register of trainees: by the beginning of a name, its pinyin or initials, a phone or an ID number."""

from dataclasses import replace

import pytest
from sqlalchemy import literal_column, select
from sqlalchemy.orm import Session

from courses.enrolment import trainee_search
from courses.enrolment.trainee_search import ORDERS
from courses.enrolment.trainees import TraineeFacts, register
from courses.models.trainees import Trainee
from lms.core.name_order import INITIALS_SQL, initials
from lms.core.paging import Count, Place
from lms.core.scope import EVERYTHING, Scope
from tests.factories import Make

ID = "11010519491231002X"
ZHANG = TraineeFacts(name="张三", phone="+8613812345678", birth_year=1949)


def _names(db: Session, query: str, scope: Scope = EVERYTHING) -> list[str]:
    return [row.name for row in trainee_search.search(db, query, scope).rows]


@pytest.mark.parametrize(
    "query",
    [
        "张", "张三", "张 三", "zhang", "zhangsan", "ZHANG San", "Zhāng Sān", "zhangs", "zs", "ZS", "张san",
        "张三 1949", "zs 1949", "1949年 张三", "138 1234 5678", "+86 13812345678", ID, "11010519491231002x",
    ],
)  # fmt: skip
def test_search_finds(query: str, db: Session) -> None:
    row = register(db, replace(ZHANG, id_number=ID))
    register(db, TraineeFacts("李四", phone="+8613812345679"))
    assert trainee_search.search(db, query, EVERYTHING).rows == [row]


@pytest.mark.parametrize(
    "query", ["1381234567", "王五", "%", "_", "5678", "张三 1950", "1949", "zhangsanf", "hangsan", "三", "\U0010ffff"]
)
def test_search_does_not_find(query: str, db: Session) -> None:
    register(db, replace(ZHANG, id_number=ID))
    assert trainee_search.search(db, query, EVERYTHING).rows == []


def test_exact_names_come_first_and_each_person_once(db: Session, make: Make) -> None:
    for name in (
        "张伟明",
        "张伟",
        "张薇",
        "周雯",
        "尉迟恭",
        "吕布",
        "卢布",
        "安宁",
        "安娜",
        "John Smith",
        "Ann Nee",
        "单于敏",
    ):
        make.trainee(name)
    assert _names(db, "张伟") == ["张伟", "张伟明"]
    assert _names(db, "zhangwei") == ["张薇", "张伟", "张伟明"]
    assert _names(db, "ZW") == ["张薇", "张伟", "周雯", "张伟明"]
    assert _names(db, "an") == [
        "安娜",
        "安宁",
        "Ann Nee",
    ]  # the beginning of the pinyin before the initials, and once each
    assert _names(db, "AN")[0] == "Ann Nee"
    assert _names(db, "尉") == _names(db, "尉迟") == _names(db, "yuchi") == ["尉迟恭"]
    assert _names(db, "单于") == ["单于敏"]
    assert _names(db, "js") == _names(db, "john s") == ["John Smith"]
    for lv in ("lv", "lyu", "lü"):
        assert _names(db, f"{lv}bu") == ["吕布"]
    assert _names(db, "lubu") == ["卢布", "吕布"]


def test_the_index_reads_initials_as_the_roster_does(db: Session, make: Make) -> None:
    names = [
        "张三丰",
        "单雄信",
        "尉迟敬德",
        "曾国藩",
        "吕布",
        "John Smith",
        "阿依古丽·买买提",
        "㛃美",
        "O’Brien",
        "陈A",
    ]
    for name in names:
        make.trainee(name)
    kept = select(Trainee.name, literal_column(INITIALS_SQL).label("initials")).where(Trainee.name.in_(names))
    wrong = {
        row.name: (row.initials, initials(row.name)) for row in db.execute(kept) if row.initials != initials(row.name)
    }
    assert wrong == {"陈A": ("C", "CA")}


def test_search_stays_in_the_reach(db: Session, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, other = register(db, ZHANG, 1), register(db, replace(ZHANG, name="张三丰"), 2)
    host = make.organisation(1)
    enrolled = make.enrolment(make.offering(organisation=host), make.trainee("张三一")).trainee
    district, coordinator = Scope(district_ids=frozenset({1}), user_id=1), Scope(organisation_ids=frozenset({host.id}))
    for few in (500, 0):  # as a set, and walked along the index
        monkeypatch.setattr(trainee_search, "FEW_OFFERINGS", few)
        for query in ("张三", "zhangsan", "zs", ""):
            assert set(trainee_search.search(db, query, district).rows) == {mine, enrolled}
            assert trainee_search.search(db, query, coordinator).rows == [enrolled]
        assert other not in trainee_search.search(db, "13812345678", district).rows
        assert (
            trainee_search.search(db, "", district, Place(after=other.id)).before is None
        )  # tells nothing about others


def test_a_year_of_birth_finds_nobody_whose_year_is_not_shown(db: Session, make: Make) -> None:
    enrolled = register(db, ZHANG, 2)
    make.enrolment(make.offering(organisation=make.organisation(1)), enrolled)
    scope = Scope(district_ids=frozenset({1}), user_id=1)
    assert _names(db, "张三", scope) == ["张三"]
    assert _names(db, "张三 1949", scope) == []


def test_a_list_goes_by_name_or_by_registration(db: Session, make: Make) -> None:
    rows = [make.trainee(name) for name in ("张三", "李四", "王五")]
    by_name, registered = ORDERS
    for order, expected in ((by_name, [1, 2, 0]), (registered, [0, 1, 2])):
        page = trainee_search.search(db, "", EVERYTHING, order=order, size=2)
        assert list(page.rows) == [rows[at] for at in expected[:2]]
        last = trainee_search.search(db, "", EVERYTHING, Place(after=page.after), order=order, size=2)
        assert (list(last.rows), last.count) == ([rows[expected[2]]], Count(3))
