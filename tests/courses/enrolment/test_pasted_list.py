"""Lists pasted from a chat or a spreadsheet: each line is a person, a note, or a row that has to be put right."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from courses.enrolment import pasted_list
from courses.enrolment.sheet import Column, SheetPeople
from lms.core.errors import DomainError

CHAIN = """#接龙
急救培训报名，请大家接龙
例 姓名 手机

1. 王小明 13800138000
2、李雷，13900139000，110101199003070134
3）韩梅梅 139-0013-9001 女
4 张 三 +86 138 0013 8004 😀
5.古丽·买买提13800138005
6. O'Brien Smith | 13800138006
⑦ 钱七／13800138007
8️⃣ 周九 １３８００１３８００８
9: 欧阳小红 199005 13800138009
【10】老李 13800138010 li@example.org
11. Ann Lee 护照E12345678 13800138011
12. 小红 2018年 家长王芳 13800138012
13。姓名：王二 电话：13800138013 身份证：11010119900307013X
14号 13800138014李四
15.
"""


def cells_of(people: SheetPeople) -> list[tuple[str, ...]]:
    return [tuple(row.cells.values()) for row in people.rows]


def test_a_chain_of_a_chat_is_read_line_by_line() -> None:
    people = pasted_list.read(CHAIN)
    assert {row.line: tuple(row.cells.values()) for row in people.rows} == {
        5: ("王小明", "13800138000"),
        6: ("李雷", "13900139000", "110101199003070134"),
        7: ("韩梅梅", "139-0013-9001"),
        8: ("张三", "+86 138 0013 8004"),
        9: ("古丽·买买提", "13800138005"),
        10: ("O'Brien Smith", "13800138006"),
        11: ("钱七", "13800138007"),
        12: ("周九", "13800138008"),
        13: ("欧阳小红", "13800138009", "199005"),
        14: ("老李", "13800138010", "li@example.org"),
        15: ("Ann Lee", "13800138011", "护照", "E12345678"),
        16: ("小红", "2018年", "王芳", "13800138012"),
        17: ("王二", "13800138013", "11010119900307013X"),
        18: ("李四", "13800138014"),
    }
    assert not any(row.unread for row in people.rows)
    assert [note.line for note in people.notes] == [1, 2, 3]
    assert people.unkept == [Column("", "女")]


@pytest.mark.parametrize(
    ("line", "cells", "unread"),
    [
        ("1. 王五 红星小学 13800138007", ("王五", "13800138007"), "红星小学"),
        ("2. 郑一（组长）13800138017", ("郑一", "13800138017"), "组长"),
        ("3. 王小明 13800138000 +1", ("王小明", "13800138000"), "1"),
        ("4. 赵六 13800138008/13900139008", ("赵六", "13800138008 / 13900139008"), ""),
        ("5. 孙八", ("孙八",), ""),
        ("6. 老王 1.38E+10", ("老王", "1.38E+10"), ""),
        ("7. 13800138000", ("13800138000",), ""),
        ("8. 周 1380013800", ("周",), "1380013800"),
        ("9. 吴 110101199003070134 110101199003070135", ("吴", "110101199003070134 / 110101199003070135"), ""),
    ],
)
def test_what_is_not_understood_is_shown_with_the_row(line: str, cells: tuple[str, ...], unread: str) -> None:
    [row] = pasted_list.read(line).rows
    assert (tuple(row.cells.values()), row.unread) == (cells, unread)


def test_lines_without_numbers_are_people_between_the_lines_of_a_chat() -> None:
    people = pasted_list.read(
        "姓名 手机\n王小明 13800138000\n李雷，13900139000\n张老师 10:32\n大家好，请报名\n\n韩梅梅 13900139001\n"
        "合计：3人\n联系人：张老师 13700137000"
    )
    assert {row.line: row.cells["name"] for row in people.rows} == {2: "王小明", 3: "李雷", 7: "韩梅梅"}
    assert {note.line: note.text for note in people.notes} == {
        1: "姓名 手机",
        4: "张老师 10:32",
        5: "大家好，请报名",
        8: "合计：3人",
        9: "联系人：张老师 13700137000",
    }


def test_facts_on_lines_of_their_own_belong_to_the_row_before_them() -> None:
    blocks = "姓名：王小明\n手机：13800138000\n身份证号：110101199003070134\n\n姓名：李雷\n手机：13900139000"
    assert cells_of(pasted_list.read(blocks)) == [
        ("王小明", "13800138000", "110101199003070134"),
        ("李雷", "13900139000"),
    ]
    numbered = "1. 王小明\n13800138000\n110101199003070134\n2. 13900139000\n李雷\n3. 韩梅梅 13900139001\n13900139002"
    assert cells_of(pasted_list.read(numbered)) == [
        ("王小明", "13800138000", "110101199003070134"),
        ("李雷", "13900139000"),
        ("韩梅梅", "13900139001"),
        ("13900139002",),
    ]
    # Without numbers or labels nobody can tell whose the number is.
    for plain in ("13800138000\n王小明\n13900139000\n李雷", "王小明\n13800138000"):
        assert all(len(row.cells) == 1 for row in pasted_list.read(plain).rows)


def test_cells_of_a_spreadsheet_are_read_with_and_without_headings() -> None:
    plain = pasted_list.read(
        "1\t王小明\t13800138000\t110101199003070134\n2\tAnn Lee\t13800138001\t\n\t李雷\t13900139000"
    )
    assert cells_of(plain) == [
        ("王小明", "13800138000", "110101199003070134"),
        ("Ann Lee", "13800138001"),
        ("李雷", "13900139000"),
    ]
    for separator in "\t,;，":
        lines = ("报名表", "姓名 手机 性别", "王小明 13800138000 男", "李雷 13900139000 女", "合计 2")
        people = pasted_list.read("\n".join(line.replace(" ", separator) for line in lines))
        assert cells_of(people) == [("王小明", "13800138000"), ("李雷", "13900139000")]
        assert [row.line for row in people.rows] == [3, 4]
        assert people.unkept == [Column("C", "性别")]
        assert [note.line for note in people.notes] == [5]


def test_a_text_without_anybody_is_refused_and_one_of_too_many_too() -> None:
    with pytest.raises(DomainError) as refused:
        pasted_list.read("1.\n2.\n")
    assert refused.value.code == "no_rows"
    with pytest.raises(DomainError) as refused:
        pasted_list.read("".join(f"{number}. 某人 1380000{number:04d}\n" for number in range(1, 1002)))
    assert refused.value.code == "too_many_rows"


NUMBERS = st.sampled_from(
    ("{}. ", "{}、", "{}）", "{}) ", "({})", "（{}）", "{}：", "{}．", "{} ", "第{}位 ", "No.{} ")
)
NAMES = (
    st.text(st.sampled_from("王李张赵欧阳小红明国"), min_size=2, max_size=4)
    | st.just("古丽·买买提")
    | st.just("Ann Lee")
)
SEPARATORS = st.sampled_from((" ", "　", "，", ", ", "、", "；", "/", "|", "\t", " - ", "——", " ✅ ", "+"))


@settings(max_examples=150)
@given(
    people=st.lists(st.tuples(NAMES, st.integers(0, 99_999_999)), min_size=1, max_size=8),
    number=NUMBERS,
    separator=SEPARATORS,
    order=st.booleans(),
)
def test_name_and_phone_are_found_whatever_stands_between_them(
    people: list[tuple[str, int]], number: str, separator: str, order: bool
) -> None:
    lines = []
    for index, (name, digits) in enumerate(people, 1):
        parts = [name, f"138{digits:08d}"]
        lines.append(number.format(index) + separator.join(parts if order else parts[::-1]))
    read = pasted_list.read("#接龙\n" + "\n".join(lines))
    assert [(row.cells["name"], row.cells["phone"], row.unread) for row in read.rows] == [
        (name, f"138{digits:08d}", "") for name, digits in people
    ]


@settings(max_examples=100)
@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_and_no_line_vanishes(text: str) -> None:
    try:
        people = pasted_list.read(text)
    except DomainError:
        return
    lines = {row.line for row in people.rows} | {note.line for note in people.notes}
    assert lines <= set(range(1, len(text.splitlines()) + 1))
