"""Names in pinyin: the proposal, and what counts as a reading of a name."""

import pytest

from lms.core import pinyin


@pytest.mark.parametrize(
    ("name", "proposal"),
    [
        ("张三丰", "Zhang Sanfeng"),
        ("欧阳修", "Ouyang Xiu"),
        ("歐陽修", "Ouyang Xiu"),
        ("欧阳", "Ou Yang"),
        ("吕布", "Lyu Bu"),
        ("单雄信", "Shan Xiongxin"),
        ("尉迟恭", "Yuchi Gong"),
        ("曾国藩", "Zeng Guofan"),
        ("张", "Zhang"),
        ("John Smith", ""),
        ("张·Smith", ""),
        ("", ""),
        ("\U00033000三", ""),
    ],
)
def test_the_proposal_is_what_a_passport_says(name: str, proposal: str) -> None:
    assert pinyin.proposal(name) == proposal
    assert not proposal or pinyin.is_reading(proposal, name)


@pytest.mark.parametrize(
    ("writing", "name"),
    [
        ("ZHANG San Feng", "张三丰"),
        ("Sanfeng Zhang", "张三丰"),
        ("Zhāng Sānfēng", "张三丰"),
        ("Xiu Ouyang", "欧阳修"),
        ("Lü Bu", "吕布"),
        ("Lv Bu", "吕布"),
        ("Lu Bu", "吕布"),
        ("Ceng Guofan", "曾国藩"),
        ("Dan Xiongxin", "单雄信"),
    ],
)
def test_any_reading_in_any_order_is_one(writing: str, name: str) -> None:
    assert pinyin.is_reading(writing, name)


@pytest.mark.parametrize(
    ("writing", "name"),
    [
        ("Zhang San", "张三丰"),
        ("Zhang Sanfeng Jr", "张三丰"),
        ("Fool", "张三丰"),
        ("Feng Zhang", "张三丰"),
        ("", "张三丰"),
        ("John", "John"),
        ("Zhang", ""),
        ("yi" * 40, "一" * 40 + "行" * 40),
    ],
)
def test_other_words_are_no_reading(writing: str, name: str) -> None:
    assert not pinyin.is_reading(writing, name)
