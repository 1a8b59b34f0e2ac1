"""Tests of what a list is told: a remark for each row, and the summary."""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy.orm import Session

from certificates.keys.qr_keys import PublicKeyCache
from certificates.models import Certificate
from certificates.number import NumberScheme
from certificates.payload import digits_of
from certificates.states import UNREADABLE, State
from certificates.verification import bulk, list_results
from certificates.verification.bulk import BulkItem


def test_rows_are_counted_by_state_and_course_and_those_that_end_soon(
    db: Session, issue: Callable[..., Certificate]
) -> None:
    certificate = issue("张三丰")
    assert certificate.valid_until is not None
    code = digits_of(certificate.payload)
    soon = certificate.valid_until - timedelta(days=90)
    items = [BulkItem(code), BulkItem(code, "李四"), BulkItem("", "李四"), BulkItem("7", "李四")]

    def results(today: object = soon) -> list[bulk.BulkResult]:
        return list(bulk.verify(db, items, today=today, keys=PublicKeyCache(), scheme=NumberScheme("BJ")))  # type: ignore[arg-type]

    counted = list_results.summary(results(), soon)
    assert counted.states == {(State.VALID, ""): 2, (State.UNKNOWN, UNREADABLE): 1, (State.UNKNOWN, ""): 1}
    facts = certificate.facts
    assert (counted.good, counted.ending) == (1, 2)
    assert counted.courses == {(facts["course_zh"], facts["course_en"]): 1}
    remarks = [[remark.message for remark in list_results.remarks(result, soon)] for result in results()]
    assert [len(said) for said in remarks] == [1, 2, 1, 1]
    earlier = soon - timedelta(days=1)
    assert not list_results.ends_soon(results(earlier)[0], earlier)
