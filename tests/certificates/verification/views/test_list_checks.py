"""A long list from the form to its results: the address, the progress, the pages, the files, and the interface for programs."""

import csv
import io
import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from certificates import tasks as certificate_tasks
from certificates.models import Certificate
from certificates.payload import digits_of
from certificates.verification import bulk, list_checks
from certificates.verification.views import list_checks as pages

PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few items make a long list, a piece and a page."""
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    monkeypatch.setattr(list_checks, "PIECE", 2)
    monkeypatch.setattr(pages, "ROWS", 2)


@pytest.fixture
def certificate(issue: Callable[..., Certificate]) -> Certificate:
    return issue("张三丰")


def work(db: Session) -> None:
    db.expire_all()
    certificate_tasks.verify_lists()
    db.commit()


def test_a_long_list_becomes_a_job_with_progress_results_and_files(
    client: FlaskClient, db: Session, certificate: Certificate
) -> None:
    code = digits_of(certificate.payload)
    lines = ["工号,姓名,证书编号", f"A1,张三丰,{certificate.number}", f"A2,李四,{code}", f"A3,张三丰,{code}"]
    sent = client.post("/verify/list", data={"certificates": "\n".join(lines), "answer": "csv"})
    assert sent.status_code == 303
    address = sent.headers["Location"]
    assert re.fullmatch(r"/verify/list/[\w-]{22}", address)

    waiting = client.get(address)
    assert waiting.status_code == 200
    assert {name: waiting.headers[name] for name in PRIVATE} == PRIVATE
    assert re.search(r'<noscript>.*href=""', waiting.text)
    assert re.search(r"<progress[^>]* max=\"3\" value=\"0\"", waiting.text)
    assert client.get(f"{address}/verification.csv").status_code == 409
    work(db)
    assert client.get(f"{address}/progress").json == {"done": 2, "size": 3, "finished": False}
    work(db)
    assert client.get(f"{address}/progress").json == {"done": 3, "size": 3, "finished": True}

    for language, word in (("zh", "有效"), ("en", "Valid")):
        shown = client.get(f"{address}?lang={language}")
        assert shown.text.count(f">{word}</span>") == 2
        assert client.get(f"{address}?lang={language}&page=2").text.count(f">{word}</span>") == 1
    doubtful = client.get(f"{address}?rows=doubtful&lang=zh")
    assert doubtful.text.count(">有效</span>") == 1
    assert "李四" in doubtful.text
    text = client.get(f"{address}/verification.csv").get_data(as_text=True)
    rows = list(csv.reader(io.StringIO(text.lstrip("\ufeff"))))
    at = next(number for number, row in enumerate(rows) if row[:1] == ["行号"])
    assert rows[at][1:5] == ["工号", "姓名", "证书编号", "状态"]
    assert [row[1:5] for row in rows[at + 1 :]] == [
        ["A1", "张三丰", certificate.number, "有效"], ["A2", "李四", code, "有效"], ["A3", "张三丰", code, "有效"],
    ]  # fmt: skip
    assert client.get(f"{address}/verification.xlsx").data.startswith(b"PK")

    assert client.post(f"{address}/remove").status_code == 303
    for path in (address, f"{address}/progress", f"{address}/verification.csv"):
        gone = client.get(path)
        assert gone.status_code == 404
    assert "一天" in client.get(address, headers={"Accept-Language": "zh"}).text


def test_programs_follow_the_location(client: FlaskClient, db: Session, certificate: Certificate) -> None:
    code = digits_of(certificate.payload)
    entries = [{"code": code, "name": "张三丰"}, {"code": 7}, {"number": certificate.number, "name": "李四"}, None]
    sent = client.post("/api/v1/verify", json={"certificates": entries})
    assert sent.status_code == 202
    assert sent.headers["Access-Control-Allow-Origin"] == "*"
    assert sent.headers["Retry-After"] == "2"
    address = sent.headers["Location"]
    running = client.get(address)
    assert (running.json or {})["status"] == "running"
    assert "results" not in (running.json or {})
    work(db)
    work(db)
    finished = client.get(address)
    assert {name: finished.headers[name] for name in PRIVATE} == PRIVATE
    answer = finished.json or {}
    assert (answer["status"], answer["size"], answer["done"]) == ("finished", 4, 4)
    assert [(row["state"], row["reason"]) for row in answer["results"]] == [
        ("valid", "valid"), ("unknown", "malformed"), ("unknown", "no_match"), ("unknown", "malformed"),
    ]  # fmt: skip
    assert answer["results"][0]["certificate"]["number"] == certificate.number
    assert answer["results"][0]["name_fits"] is True
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404
    assert client.delete(address).status_code == 204


def test_long_lists_of_one_network_are_limited_and_a_full_queue_says_when_to_come_again(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = {"certificates": [{"code": "1"}] * 3}
    with monkeypatch.context() as patch:
        patch.setattr(list_checks, "MOST_WAITING", 0)
        busy = client.post("/api/v1/verify", json=entries)
        page = client.post("/verify/list", data={"certificates": "BJ-1\nBJ-2\nBJ-3"})
        for answer in (busy, page):
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    answers = [client.post("/api/v1/verify", json=entries).status_code for _ in range(4)]
    answers += [client.post("/verify/list", data={"certificates": "BJ-1\nBJ-2\nBJ-3"}).status_code for _ in range(3)]
    assert answers == [202] * 4 + [303] * 2 + [429]
    last = client.post("/verify/list", data={"certificates": "BJ-1\nBJ-2\nBJ-3"})
    assert int(last.headers["Retry-After"]) > 3000


def test_five_thousand_pasted_codes_are_taken(client: FlaskClient) -> None:
    line = f"https://example.org/v/{'1' * 198}\t张三丰"
    sent = client.post("/verify/list", data={"certificates": "\n".join([line] * 5000)})
    assert sent.status_code == 303
    too_long = client.post("/verify/list", data={"certificates": "\n".join([line] * 5001)})
    assert too_long.status_code == 422
    assert "5000" in too_long.text
