"""Long lists: sealed pieces that the worker verifies in turn, results in order, and an end after a day."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from certificates.keys.qr_keys import PublicKeyCache
from certificates.models import Certificate
from certificates.number import NumberScheme
from certificates.payload import digits_of
from certificates.states import State
from certificates.verification import bulk, list_checks, list_files
from certificates.verification.bulk import BulkItem, BulkResult
from certificates.verification.list_files import ListFile
from certificates.verification.models import ListCheck, ListCheckPiece
from lms.core import clock, crypto
from lms.core.errors import DomainError, NotFound


def work(db: Session) -> bool:
    return list_checks.work(db, today=clock.branch_today(), keys=PublicKeyCache(), scheme=NumberScheme("BJ"))


def answered(db: Session) -> list[tuple[int, int]]:
    """The pieces that are answered: list and number."""
    statement = select(ListCheckPiece.check_id, ListCheckPiece.number).where(ListCheckPiece.answers.is_not(None))
    return sorted((row.check_id, row.number) for row in db.execute(statement))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make pieces of two items."""
    monkeypatch.setattr(list_checks, "PIECE", 2)


@pytest.mark.usefixtures("quick")
def test_a_list_gives_what_it_would_give_at_once_and_stands_nowhere_in_clear(
    db: Session, issue: Callable[..., Certificate], legacy_number: str
) -> None:
    certificate = issue("张三丰")
    lines = [
        ["姓名", "部门", "证书编号"], ["张三丰", "急诊", certificate.number], ["李四", "急诊", digits_of(certificate.payload)],
        ["张三丰", "门诊", legacy_number], ["王五", "门诊", "2.01611E+18"], ["赵六", "", "没有"],
    ]  # fmt: skip
    source = list_files.read("\n".join(map(",".join, lines)).encode())
    token = list_checks.begin(db, source)
    with pytest.raises(DomainError, match="still being verified"):
        list_checks.results(db, token)
    assert list_checks.progress(db, token).done == 0
    assert [work(db), work(db), work(db), work(db)] == [True, True, False, False]
    progress = list_checks.progress(db, token)
    assert (progress.size, progress.done, progress.is_finished) == (5, 5, True)

    read_back, results = list_checks.results(db, token)
    at_once = list(
        bulk.verify(
            db, source.items, today=clock.branch_today(), keys=PublicKeyCache(), scheme=NumberScheme("BJ")
        )
    )  # fmt: skip
    shown = [(r.item, r.item.cells, r.item.line, r.verdict.state, r.verdict.reason, r.name_matches) for r in results]
    assert shown == [
        (r.item, r.item.cells, r.item.line, r.verdict.state, r.verdict.reason, r.name_matches) for r in at_once
    ]
    assert [r.verdict.certificate for r in results] == [r.verdict.certificate for r in at_once]
    assert [r.legacy for r in results] == [r.legacy for r in at_once]
    assert read_back.headings == ["姓名", "部门", "证书编号"]

    stored = str([*db.execute(text("SELECT * FROM list_check")), *db.execute(text("SELECT * FROM list_check_piece"))])
    bytes_of = b"".join(
        bytes(value)
        for row in [*db.execute(text("SELECT * FROM list_check")), *db.execute(text("SELECT * FROM list_check_piece"))]
        for value in row
        if isinstance(value, bytes | memoryview)
    )
    for secret in (token, certificate.number, "张三丰", "急诊"):
        assert secret not in stored
        assert secret.encode() not in bytes_of
        assert json.dumps(secret).encode() not in bytes_of


@pytest.mark.usefixtures("quick")
def test_lists_take_turns_one_piece_at_a_time_and_a_piece_that_failed_is_done_again(
    db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (list_checks.begin(db, ListFile([BulkItem(f"{n}", "x") for n in range(4)])) for _ in range(2))
    ids = [list_checks.progress(db, token).check_id for token in (first, second)]
    work(db)
    work(db)
    assert answered(db) == [(ids[0], 0), (ids[1], 0)]

    def killed(*_: object, **__: object) -> list[BulkResult]:
        raise RuntimeError("the worker was killed")

    with monkeypatch.context() as patch:
        patch.setattr(bulk, "verify", killed)
        with pytest.raises(RuntimeError), db.begin_nested():
            work(db)
    assert len(answered(db)) == 2
    assert [work(db), work(db)] == [True, False]
    for token in (first, second):
        assert list_checks.progress(db, token).is_finished
        _, results = list_checks.results(db, token)
        assert [result.item.certificate for result in results] == ["0", "1", "2", "3"]


def test_an_item_that_the_database_refuses_spoils_no_other(db: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    verify = bulk.verify

    def refused(db: Session, items: list[BulkItem], **facts: object) -> list[BulkResult]:
        if any(item.certificate == "bad" for item in items):
            raise DataError("SELECT", {}, ValueError("no text"))
        return list(verify(db, items, **facts))  # type: ignore[arg-type]

    monkeypatch.setattr(bulk, "verify", refused)
    token = list_checks.begin(db, ListFile([BulkItem("1", "x"), BulkItem("bad", "x"), BulkItem("3", "x")]))
    assert not work(db)
    _, results = list_checks.results(db, token)
    assert [result.verdict.reason for result in results] == ["other_kind", "unreadable", "other_kind"]
    assert {result.verdict.state for result in results} == {State.UNKNOWN}


def test_a_list_ends_after_a_day_and_at_its_senders_wish(db: Session) -> None:
    tokens = [list_checks.begin(db, ListFile([BulkItem("1", "x")])) for _ in range(2)]
    with pytest.raises(NotFound):
        list_checks.progress(db, crypto.token())
    list_checks.remove(db, tokens[0])
    list_checks.remove(db, tokens[0])
    kept = db.scalars(select(ListCheck)).one()
    assert list_checks.erase_old(db) == 0
    assert db.scalar(select(func.count(ListCheck.id))) == 1
    kept.made_at = clock.now() - timedelta(hours=24, seconds=1)
    db.flush()
    with pytest.raises(NotFound) as gone:
        list_checks.progress(db, tokens[1])
    assert gone.value.code == "list_gone"
    assert list_checks.erase_old(db) == 1
    assert db.scalar(select(func.count()).select_from(ListCheckPiece)) == 0


def test_no_more_lists_wait_than_the_worker_can_verify_soon(db: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_checks, "MOST_WAITING", 1)
    list_checks.begin(db, ListFile([BulkItem("1", "x")]))
    with pytest.raises(DomainError) as busy:
        list_checks.begin(db, ListFile([BulkItem("1", "x")]))
    assert (busy.value.code, busy.value.status) == ("lists_busy", 503)
    work(db)
    list_checks.begin(db, ListFile([BulkItem("1", "x")]))
