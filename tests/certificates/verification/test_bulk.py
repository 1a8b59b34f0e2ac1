"""Bulk verification: how a list is read, and the result of each item."""

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from certificates.keys.qr_keys import PublicKeyCache
from certificates.models import Certificate
from certificates.number import NumberScheme
from certificates.payload import digits_of
from certificates.states import PROOF_MISSING, UNREADABLE, State
from certificates.verification import bulk
from certificates.verification.bulk import (
    LEGACY,
    MAX_ITEMS,
    MISTYPED,
    NO_MATCH,
    OTHER_KIND,
    BulkItem,
    BulkResult,
)
from lms.core.errors import DomainError

DIGITS = "1" * 198


def sheet(*rows: list[str]) -> list[tuple[int, list[str]]]:
    return list(enumerate(rows, 1))


def test_the_heading_and_empty_rows_are_no_items() -> None:
    rows = sheet(["Certificate", "Name"], ["BJ-FR-2026-0000123-C", "张三丰"], [""], [], [DIGITS])
    assert bulk.items(rows) == [BulkItem("BJ-FR-2026-0000123-C", "张三丰"), BulkItem(DIGITS)]


@pytest.mark.parametrize(
    ("cell", "item"),
    [
        ("BJ-FR-2026-0000123-C 张三丰", BulkItem("BJ-FR-2026-0000123-C", "张三丰")),
        (f"https://example.org/v/{DIGITS} Zhang San", BulkItem(f"https://example.org/v/{DIGITS}", "Zhang San")),
        ("京红救 2015 第00123号 张三丰", BulkItem("京红救 2015 第00123号", "张三丰")),
        ("京红救 2015 第00123号", BulkItem("京红救 2015 第00123号")),
    ],
)
def test_a_cell_with_certificate_and_name_is_split(cell: str, item: BulkItem) -> None:
    assert bulk.items(sheet([cell])) == [item]


@pytest.mark.parametrize(
    ("rows", "code"), [([["Certificate"]], "list_empty"), ([[DIGITS]] * (MAX_ITEMS + 1), "list_too_long")]
)
def test_an_empty_list_and_one_that_is_too_long_are_refused(rows: list[list[str]], code: str) -> None:
    with pytest.raises(DomainError) as refused:
        bulk.items(sheet(*rows))
    assert (refused.value.code, refused.value.field) == (code, "file")
    bulk.check_length(MAX_ITEMS)


def test_each_item_has_its_own_answer(db: Session, issue: Callable[..., Certificate], legacy_number: str) -> None:
    certificate = issue("张三丰")
    code = digits_of(certificate.payload)
    today = certificate.issued_on

    def verified(*items: BulkItem) -> list[BulkResult]:
        return list(bulk.verify(db, items, today=today, keys=PublicKeyCache(), scheme=NumberScheme("BJ")))

    results = verified(
        BulkItem(code), BulkItem(code, "张三丰"), BulkItem(code, "李四"), BulkItem(certificate.number, "张三丰"),
        BulkItem(certificate.number, "李四"), BulkItem(legacy_number, "张三丰"), BulkItem(legacy_number, "李四"),
    )  # fmt: skip
    assert [(result.verdict.state, result.name_matches) for result in results] == [
        (State.VALID, None), (State.VALID, True), (State.VALID, False), (State.VALID, True),
        (State.UNKNOWN, None), (State.VALID, True), (State.UNKNOWN, None),
    ]  # fmt: skip
    assert [result.verdict.reason for result in results[4:]] == [NO_MATCH, LEGACY, OTHER_KIND]
    assert results[5].legacy is not None


def test_what_is_wrong_with_a_number_is_told_as_far_as_that_betrays_nothing(
    db: Session, issue: Callable[..., Certificate], legacy_number: str
) -> None:
    certificate = issue("张三丰")
    scheme = NumberScheme("BJ")
    mistyped = certificate.number[:-1] + ("0" if certificate.number[-1] != "0" else "1")
    items = [
        BulkItem(mistyped, "张三丰"), BulkItem(certificate.number), BulkItem("", "张三丰"),
        BulkItem(legacy_number, "李四"), BulkItem("京红救(2015)第99999号", "张三丰"),
        BulkItem(scheme.compose("FR", 2026, 4_000_000), "张三丰"), BulkItem(certificate.number, "李四"),
    ]  # fmt: skip
    results = list(bulk.verify(db, items, today=certificate.issued_on, keys=PublicKeyCache(), scheme=scheme))
    reasons = [result.verdict.reason for result in results]
    assert reasons == [MISTYPED, PROOF_MISSING, UNREADABLE, OTHER_KIND, OTHER_KIND, NO_MATCH, NO_MATCH]
    assert results[0].check == certificate.number[-1]
