"""Lists as employers keep them: twelve shapes, each with the same 50 genuine certificates, which are all found."""

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import xlsxwriter
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import issuing
from certificates.branch import Branch
from certificates.keys.qr_keys import PublicKeyCache
from certificates.models import Certificate
from certificates.number import NumberScheme
from certificates.payload import digits_of
from certificates.states import State
from certificates.verification import bulk, list_files
from lms.core import clock
from tests.certificates.conftest import closed_offering, owe
from tests.certificates.legacy_files import HEAD, load
from tests.courses.enrolment.sheets import book_of, xlsx_of
from tests.factories import Make

ROWS = 50
WIDE = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})

Person = tuple[str, str, str]  # number, code, name


def text_of(rows: Sequence[Sequence[object]], delimiter: str = ",") -> str:
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerows(rows)
    return file.getvalue()


def merged(people: Sequence[Person]) -> bytes:
    """Departments in cells that span ten rows, below a title that spans all columns and headings that span two rows."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file)
    sheet = book.add_worksheet()
    sheet.merge_range(0, 0, 0, 3, "2026 年度持证人员一览表")
    sheet.merge_range(1, 0, 2, 0, "部门")
    sheet.merge_range(1, 1, 1, 2, "证书")
    sheet.write_row(2, 1, ["证书编号", "姓名"])
    sheet.merge_range(1, 3, 2, 3, "备注")
    for at, (number, _, name) in enumerate(people):
        if at % 10 == 0:
            sheet.merge_range(3 + at, 0, 12 + at, 0, f"{at // 10} 部")
        sheet.write_row(3 + at, 1, [number, name])
    sheet.write(3 + len(people), 0, "制表：人事部")
    book.close()
    return file.getvalue()


SHAPES: dict[str, Callable[[Sequence[Person]], bytes]] = {
    "heading in Chinese": lambda people: text_of([["姓名", "证书编号"], *([name, n] for n, _, name in people)]).encode(),
    "heading in English": lambda people: text_of([
        ["Employee", "Certificate No.", "Full name"], *([at, n, name] for at, (n, _, name) in enumerate(people))
    ]).encode("utf-8-sig"),
    "columns without headings": lambda people: text_of([[n, name] for n, _, name in people], "\t").encode(),
    "codes within addresses": lambda people: text_of([
        ["二维码", "姓名"],
        *([f"请扫码核验：https://example.org/v/{code}?utm_source=wechat。", name] for _, code, name in people),
    ]).encode(),
    "full-width": lambda people: text_of([["证书编号", "姓名"], *([n.translate(WIDE), name] for n, _, name in people)]).encode(),
    "title lines": lambda people: xlsx_of(
        ["某某公司"], ["制表日期：2026-11-30"], [], ["序号", "证号", "名字", "备注"],
        *([at, n, name, ""] for at, (n, _, name) in enumerate(people, 1)), ["合计", f"{len(people)} 人"],
    ),
    "merged cells": merged,
    "two sheets": lambda people: book_of({
        "说明": [["本表供核验使用，2026 版"]], "名单": [["姓名", "编号"], *([name, n] for n, _, name in people)],
    }),
    "GB 18030": lambda people: text_of([["持证人姓名", "证书号码"], *([name, n] for n, _, name in people)]).encode("gb18030"),
    "semicolons": lambda people: text_of([["Name", "Number"], *([name, n] for n, _, name in people)], ";").encode(),
    "names missing": lambda people: text_of([["姓名", "二维码"], *(["", code] for _, code, _ in people)]).encode(),
    "one column": lambda people: "\n".join(f"{n} {name}" for n, _, name in people).encode(),
}  # fmt: skip


@pytest.fixture
def people(db: Session, make: Make, branch: Branch) -> list[Person]:
    offering = closed_offering(make)
    for at in range(ROWS):
        owe(make, offering, f"张{chr(0x4E00 + 7 * at)}")
    while issuing.issue_owed(db, branch):
        pass
    return [(row.number, digits_of(row.payload), row.holder_name) for row in db.scalars(select(Certificate))]


def valid_rows(db: Session, content: bytes, columns: tuple[int, int | None] | None = None) -> int:
    items = list_files.read(content, columns=columns).items
    scheme = NumberScheme("BJ")
    results = bulk.verify(db, items, today=clock.branch_today(), keys=PublicKeyCache(), scheme=scheme)
    return sum(result.verdict.state is State.VALID and result.name_matches is not False for result in results)


def test_all_genuine_rows_of_each_shape_are_found(db: Session, people: list[Person], tmp_path: Path) -> None:
    assert len(people) == ROWS
    counts = {shape: valid_rows(db, make_file(people)) for shape, make_file in SHAPES.items()}
    by_hand = text_of([["员工", "凭据", "岗"], *([name, n, "护士"] for n, _, name in people)]).encode()
    counts["columns by hand"] = valid_rows(db, by_hand, (1, 0))

    # Numbers of the time before this system, which a workbook holds as numbers.
    path = tmp_path / "old.csv"
    rows = [
        f"{20150000 + at},{name},,,救护员培训,救护员证,2015-06-01,2099/6/1,北京市红十字会"
        for at, (_, _, name) in enumerate(people)
    ]
    path.write_text("\n".join([HEAD, *rows]), encoding="utf-8")
    assert load(db, path, chunk=100) == (ROWS, [])
    old = xlsx_of(["证号", "姓名"], *([20150000 + at, name] for at, (_, _, name) in enumerate(people)))
    counts["numbers as numbers"] = valid_rows(db, old)
    assert counts == dict.fromkeys(counts, ROWS)
    assert len(counts) >= 12
