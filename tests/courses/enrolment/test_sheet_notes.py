"""Rows of a list that are no people, and people who only look like such rows."""

import pytest

from courses.enrolment import sheet_notes


@pytest.mark.parametrize(
    "cells",
    [
        ["负责人签字："],
        ["单位负责人（签字）"],
        ["制表人：张三"],
        ["制表人：张三", "13800138000"],
        ["合计"],
        ["合  计", "30"],
        ["总计：30人"],
        ["共30人"],
        ["以下空白"],
        ["（盖章）"],
        ["填表日期：2026年11月30日"],
        ["2026年11月30日"],
        ["备注：请带身份证原件"],
        ["请于培训当天提前十分钟到场，并携带身份证。"],
        ["Total: 30"],
        ["Signature: ______"],
        ["联系电话：010-64012345"],
    ],
)
def test_totals_signatures_and_remarks_are_no_people(cells: list[str]) -> None:
    facts = dict(zip(("name", "phone"), cells, strict=False))
    assert sheet_notes.is_note(facts, [])


@pytest.mark.parametrize(
    ("facts", "others"),
    [
        ({"name": "王小明"}, []),
        ({"name": "王小明"}, ["男", "三年级二班"]),
        ({"name": "共青"}, []),
        ({"name": "总"}, ["1"]),
        ({"name": "合计", "phone": "13800138000"}, []),
        ({"name": "古丽·买买提"}, []),
        ({"phone": "13800138000"}, ["合计"]),
        ({"name": "注册"}, []),
        ({"name": "时间"}, []),
        ({"name": "单于"}, ["备注"]),
        ({}, ["17"]),
        ({}, []),
    ],
)
def test_whoever_may_be_a_person_is_none_of_them(facts: dict[str, str], others: list[str]) -> None:
    assert not sheet_notes.is_note(facts, others)


def test_texts_beside_the_columns_of_the_list_are_named_and_prepared_numbers_are_nothing() -> None:
    assert sheet_notes.is_note({}, ["以下为替补人员"])
    assert sheet_notes.is_note({}, ["13800138000"])
    assert not sheet_notes.is_note({}, ["30"])
