"""Many certificates at once: pasted and sent, as a page and as a file."""

import csv
import io
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook

from certificates.models import Certificate
from certificates.payload import digits_of


@pytest.fixture
def certificate(issue: Callable[..., Certificate]) -> Certificate:
    return issue("张三丰")


@pytest.fixture
def pasted(certificate: Certificate) -> str:
    code = digits_of(certificate.payload)
    lines = (
        "编号\t姓名",
        f"https://example.org/v/{code}",
        f"{code}\t李四",
        f"{certificate.number}\t张三丰",
        f"{certificate.number}\t李四",
        f"{certificate.number}",
        f"{code[:-1]}{(int(code[-1]) + 1) % 10}",
    )
    return "\n".join(lines)


def test_a_pasted_list_becomes_a_table(client: FlaskClient, pasted: str, certificate: Certificate) -> None:
    for language, words in (
        ("zh", ("有效", "查无此证", "缺少姓名", "伪造")),
        ("en", ("Valid", "Unknown", "Name missing", "Forged")),
    ):
        answer = client.post(f"/verify/list?lang={language}", data={"certificates": pasted, "answer": "page"})
        assert answer.status_code == 200
        assert [answer.text.count(f">{word}</span>") for word in words] == [3, 1, 1, 1]
        assert "张*丰" in answer.text
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"


def test_one_line_may_hold_number_and_name(client: FlaskClient, certificate: Certificate) -> None:
    answer = client.post("/verify/list", data={"certificates": f"{certificate.number} 张三丰"})
    assert ">有效</span>" in answer.text


def test_a_legacy_certificate_is_answered_without_a_code(client: FlaskClient, legacy_number: str) -> None:
    lines = f"{legacy_number}\t张三丰\n{legacy_number} 张三丰\n{legacy_number}\t07109X\n{legacy_number}\t李四\n{legacy_number}"
    answer = client.post("/verify/list", data={"certificates": lines})
    assert [answer.text.count(f">{word}</span>") for word in ("有效", "查无此证", "缺少姓名")] == [3, 1, 1]
    assert answer.text.count("无签名码") == 3
    assert answer.text.count("张*丰") == 3
    csv = client.post("/verify/list", data={"certificates": lines, "answer": "csv"}).get_data(as_text=True)
    assert csv.count("无签名码") == 3


def test_a_file_is_answered_by_a_file(client: FlaskClient, pasted: str, certificate: Certificate) -> None:
    sent = (io.BytesIO(pasted.encode("gb18030")), "名单.csv")
    answer = client.post("/verify/list", data={"file": sent, "answer": "xlsx"}, content_type="multipart/form-data")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()
    heading = next(row for row in rows if row[0] == "行号")
    state, name = heading.index("状态"), heading.index("证书上的姓名")
    assert heading[1:3] == ["编号", "姓名"]
    answers = [(row[state], row[name]) for row in rows[-6:]]
    assert answers == [("有效", ""), ("有效", "否"), ("有效", "是"), ("查无此证", ""), ("缺少姓名", ""), ("伪造", "")]
    csv = client.post("/verify/list", data={"certificates": pasted, "answer": "csv"})
    assert csv.mimetype == "text/csv"
    assert certificate.number in csv.get_data(as_text=True)


def test_what_cannot_be_a_list_is_refused_in_words_and_lists_are_limited(client: FlaskClient) -> None:
    too_many = "\n".join(f"BJ-{line}" for line in range(5001))
    answers = [
        client.post("/verify/list", data={"certificates": text})
        for text in ("", "编号", too_many, "BJ-1", "BJ-2", "BJ-3")
    ]
    assert [answer.status_code for answer in answers] == [422, 422, 422, 200, 200, 429]
    assert "5000" in answers[2].text
    assert client.get("/verify/list").status_code == 200


def test_a_list_comes_back_with_its_own_columns_a_reason_for_each_row_and_a_summary(
    client: FlaskClient, certificate: Certificate
) -> None:
    code = digits_of(certificate.payload)
    mistyped = certificate.number[:-1] + ("0" if certificate.number[-1] != "0" else "1")
    lines = [
        "2026年持证人员清单", "工号,姓名,部门,证书编号", f"A1,张三丰,急诊,{certificate.number}", f"A2,李四,急诊,{code}",
        f"A3,张三丰,门诊,{mistyped}", "A4,王五,门诊,无",
    ]  # fmt: skip
    sent = {"file": (io.BytesIO("\n".join(lines).encode()), "清单.csv"), "answer": "csv"}
    text = client.post("/verify/list", data=sent, content_type="multipart/form-data").get_data(as_text=True)
    rows = list(csv.reader(io.StringIO(text.lstrip("\ufeff"))))
    at = next(number for number, row in enumerate(rows) if row[:1] == ["行号"])
    assert rows[at][:5] == ["行号", "工号", "姓名", "部门", "证书编号"]
    assert [row[1:6] for row in rows[at + 1 :]] == [
        ["A1", "张三丰", "急诊", certificate.number, "有效"], ["A2", "李四", "急诊", code, "有效"],
        ["A3", "张三丰", "门诊", mistyped, "查无此证"], ["A4", "王五", "门诊", "无", "查无此证"],
    ]  # fmt: skip
    remarks = [row[6] for row in rows[at + 1 :]]
    assert remarks[0] == ""
    assert "姓名" in remarks[1]
    assert certificate.number[-1] in remarks[2]
    summary = dict(row[:2] for row in rows[:at] if len(row) > 1)
    assert "1" in summary.values()


def test_the_columns_may_be_chosen_by_hand(client: FlaskClient, certificate: Certificate) -> None:
    list_ = f"员工,凭据\n张三丰,{certificate.number}"
    data = {"certificates": list_, "number_column": "b", "proof_column": "A"}
    assert ">有效</span>" in client.post("/verify/list", data=data).text
    refused = client.post("/verify/list", data={**data, "number_column": "2"})
    assert refused.status_code == 422
    assert "列" in refused.text
