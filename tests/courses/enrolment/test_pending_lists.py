"""Lists between arrival and enrolment: what is stored, and the changes that a person makes to it."""

import json

import pytest

from courses.enrolment import pending_lists
from courses.enrolment.pending_lists import PendingList
from courses.enrolment.sheet import Column, ListRow, Note
from courses.models.enrolment import IMPORT_COLUMN, EnrolmentImport
from lms.core import crypto
from lms.core.errors import DomainError, NotFound
from tests.conftest import FIELD_KEY
from tests.courses.enrolment.sheets import book_of, csv_of

LIST = [["姓名", "手机"], ["甲", "13800138001"]]


@pytest.fixture(autouse=True)
def key() -> None:
    """The key with which lists are sealed."""
    crypto.configure(FIELD_KEY)


def test_a_list_is_stored_whole_and_the_file_only_while_there_is_a_choice() -> None:
    content = book_of({"甲班": LIST, "乙班": LIST}, hidden_columns={"甲班": [0]})
    for source in (
        pending_lists.of_file(content),
        pending_lists.of_file(book_of({"甲班": LIST, "旧": LIST}, hidden=["旧"])),
        pending_lists.of_text("1. 甲 13800138001 男\n合计 1"),
    ):
        ref = crypto.token()
        stored = EnrolmentImport(ref=ref, content=pending_lists.seal(ref, source))
        assert "甲".encode() not in (stored.content or b"")
        assert pending_lists.unseal(stored) == source
        assert bool(source.file) == bool(source.sheets)
    assert pending_lists.of_file(csv_of("甲,13800138001,,,,,,")).file == b""
    assert pending_lists.of_file(book_of({"甲班": LIST})).file == b""


def test_a_list_that_the_version_before_stored_is_read() -> None:
    ref = crypto.token()
    sealed = crypto.cipher().encrypt(IMPORT_COLUMN, crypto.token_uuid(ref), json.dumps([[2, {"name": "甲"}]]))
    assert pending_lists.unseal(EnrolmentImport(ref=ref, content=sealed)) == PendingList([ListRow(2, {"name": "甲"})])


def test_rows_are_put_right_left_out_and_taken_back_in_their_order() -> None:
    first, second, note = (
        ListRow(2, {"name": "甲"}),
        ListRow(3, {"name": "乙"}, "三班"),
        Note(4, {"name": "丙"}, "丙："),
    )
    source = PendingList([first, second], [note], [Column("C", "性别")])
    changed = pending_lists.with_row(source, 3, {"name": " 乙 ", "phone": "13800138002", "email": " ", "other": "x"})
    assert changed.rows == [first, ListRow(3, {"name": "乙", "phone": "13800138002"})]
    assert changed.revision == 1
    assert changed.unkept == source.unkept
    changed = pending_lists.without_row(pending_lists.without_row(changed, 3), 2)
    assert changed.rows == []
    assert [row.line for row in changed.left_out] == [2, 3]
    for line in (4, 2, 3):
        changed = pending_lists.with_row_again(changed, line)
    assert [row.line for row in changed.rows] == [2, 3, 4]
    assert (changed.left_out, changed.notes, changed.revision) == ([], [], 6)
    for act in (pending_lists.without_row, pending_lists.with_row_again):
        with pytest.raises(NotFound):
            act(changed, 17)
    with pytest.raises(NotFound):
        pending_lists.with_row(changed, 17, {})
    full = PendingList([ListRow(line, {"name": "甲"}) for line in range(1000)], [Note(1001, {}, "x")])
    with pytest.raises(DomainError, match="1,000"):
        pending_lists.with_row_again(full, 1001)


def test_a_sheet_that_the_file_does_not_have_is_not_found() -> None:
    source = pending_lists.of_file(book_of({"甲班": LIST, "乙班": LIST}))
    for name in ("丙班", ""):
        with pytest.raises(NotFound):
            pending_lists.with_sheet(source, name, hidden=False)
    with pytest.raises(NotFound):
        pending_lists.with_sheet(pending_lists.of_file(csv_of("甲,13800138001,,,,,,")), "", hidden=False)


def test_the_state_of_a_row_follows_its_texts() -> None:
    assert pending_lists.state_of({"name": "甲", "phone": "1"}) == pending_lists.state_of({"phone": "1", "name": "甲"})
    assert pending_lists.state_of({"name": "甲"}) != pending_lists.state_of({"name": "乙"})
