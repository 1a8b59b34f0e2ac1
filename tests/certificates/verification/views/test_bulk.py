"""Many certificates at once: pasted and sent, as a page and as a file."""

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
    for language, words in (("zh", ("有效", "查无此证", "伪造")), ("en", ("Valid", "Unknown", "Forged"))):
        answer = client.post(f"/verify/list?lang={language}", data={"certificates": pasted, "answer": "page"})
        assert answer.status_code == 200
        assert [answer.text.count(f">{word}</span>") for word in words] == [3, 2, 1]
        assert "张*丰" in answer.text
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"


def test_one_line_may_hold_number_and_name(client: FlaskClient, certificate: Certificate) -> None:
    answer = client.post("/verify/list", data={"certificates": f"{certificate.number} 张三丰"})
    assert ">有效</span>" in answer.text


def test_a_legacy_certificate_is_answered_without_a_code(client: FlaskClient, legacy_number: str) -> None:
    lines = f"{legacy_number}\t张三丰\n{legacy_number} 张三丰\n{legacy_number}\t07109X\n{legacy_number}\t李四\n{legacy_number}"
    answer = client.post("/verify/list", data={"certificates": lines})
    assert [answer.text.count(f">{word}</span>") for word in ("有效", "查无此证")] == [3, 2]
    assert answer.text.count("无签名码") == 3
    assert answer.text.count("张*丰") == 3
    csv = client.post("/verify/list", data={"certificates": lines, "answer": "csv"}).get_data(as_text=True)
    assert csv.count("无签名码") == 3


def test_a_file_is_answered_by_a_file(client: FlaskClient, pasted: str, certificate: Certificate) -> None:
    sent = (io.BytesIO(pasted.encode("gb18030")), "名单.csv")
    answer = client.post("/verify/list", data={"file": sent, "answer": "xlsx"}, content_type="multipart/form-data")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()
    answers = [(row[2], row[3]) for row in rows[-6:]]
    assert answers == [("有效", ""), ("有效", "否"), ("有效", "是"), ("查无此证", ""), ("查无此证", ""), ("伪造", "")]
    csv = client.post("/verify/list", data={"certificates": pasted, "answer": "csv"})
    assert csv.mimetype == "text/csv"
    assert certificate.number in csv.get_data(as_text=True)


def test_what_cannot_be_a_list_is_refused_in_words_and_lists_are_limited(client: FlaskClient) -> None:
    too_many = "\n".join(f"BJ-{line}" for line in range(501))
    answers = [
        client.post("/verify/list", data={"certificates": text})
        for text in ("", "编号", too_many, "BJ-1", "BJ-2", "BJ-3")
    ]
    assert [answer.status_code for answer in answers] == [422, 422, 422, 200, 200, 429]
    assert "500" in answers[2].text
    assert client.get("/verify/list").status_code == 200
