"""Edits of a certificate's row past the rules are found: each column is compared with the audit trail."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import inspect, text
from sqlalchemy.orm import Session

from certificates import ledger, reissue, revocation
from certificates.branch import Branch
from certificates.models import Certificate
from certificates.reissue import Correction
from lms.core import audit
from lms.core.scope import EVERYTHING, Role
from tests.certificates.test_ledger import edit, faults
from tests.factories import Make

Issue = Callable[..., Certificate]
FREE, REVOKED, OLD, NEW = 1, 2, 3, 4  # lines of the ledger


@pytest.fixture
def four(db: Session, make: Make, issue: Issue, branch: Branch) -> list[Certificate]:
    """A certificate in force, a revoked one, and one that replaces another after a revocation that was undone."""
    free, revoked, old = issue("张三丰"), issue("李四"), issue("王五")
    audit.act_as(db, make.user(Role.CITY_ADMINISTRATOR).id)
    revocation.revoke(db, revoked, "发错人")
    revocation.revoke(db, old, "误操作")
    revocation.restore(db, old, "撤销有误")
    owed = reissue.request(db, old, Correction("王武", {}), "姓名打错", branch=branch, scope=EVERYTHING)
    db.commit()
    assert reissue.issue_owed(db, branch) == 1
    db.commit()
    db.expire_all()
    new = db.get_one(Certificate, owed.replacement_id)
    return [free, revoked, old, new]


def test_what_the_rules_did_is_in_order(db: Session, four: list[Certificate]) -> None:
    assert faults(db, names=True) == []
    assert four[3].replaces_id == four[2].id


EDITS = {
    "revoked_at": [
        (FREE, "revoked_at = now(), revoke_reason = 'x'"),
        (REVOKED, "revoked_at = NULL, revoke_reason = NULL, revoked_by = NULL"),
        (REVOKED, "revoked_at = revoked_at - interval '1 microsecond'"),
    ],
    "revoked_by": [(REVOKED, "revoked_by = NULL"), (FREE, "revoked_by = (SELECT min(id) FROM app_user)")],
    "revoke_reason": [(REVOKED, "revoke_reason = '另一个理由'")],
    "superseded_by_id": [
        (OLD, "superseded_by_id = NULL"), (OLD, "superseded_by_id = (SELECT min(id) FROM certificate)"),
        (FREE, "superseded_by_id = (SELECT max(id) FROM certificate)"),
    ],
    "replaces_id": [(NEW, "replaces_id = NULL"), (NEW, "replaces_id = 1"), (FREE, "replaces_id = 2")],
    "erased_content": [(FREE, "erased_content = sha256(payload)"), (FREE, "erased_content = sha256(''), holder_name = ''")],
}  # fmt: skip


@pytest.mark.parametrize(("line", "assignment"), [one for edits in EDITS.values() for one in edits])
def test_each_edit_is_found(db: Session, four: list[Certificate], line: int, assignment: str) -> None:
    # The row as somebody with all rights would leave it, without what the database itself refuses.
    if "superseded_by_id = NULL" in assignment:
        edit(db, "DROP INDEX uq_certificate_enrolment", rows=-1)
    number = four[line - 1].number
    edit(db, f"UPDATE certificate SET {assignment} WHERE id = {four[line - 1].id}")
    assert number in {fault.number for fault in ledger.check(db)}


def test_a_revocation_without_its_entry_in_the_trail_is_found(db: Session, four: list[Certificate]) -> None:
    edit(db, "DELETE FROM audit_entry WHERE action = 'certificate.revoke' AND reason = '发错人'")
    assert any("its revocation is not the one" in fault for fault in faults(db))


def test_an_entry_of_the_first_versions_is_believed(db: Session, four: list[Certificate]) -> None:
    edit(db, "UPDATE audit_entry SET after = after - 'revoked_at' WHERE action = 'certificate.revoke'", rows=2)
    assert faults(db) == []
    edit(db, f"UPDATE certificate SET revoked_at = revoked_at - interval '1 hour' WHERE id = {four[1].id}")
    assert len(faults(db)) == 1


def test_no_column_is_forgotten() -> None:
    """A new column of a certificate must be bound by the ledger, the code or the trail, and tried in a test."""
    bound = {
        "id", "serial", "number", "enrolment_id", "holder_name", "certificate_type", "unit", "issued_on", "valid_until",
        "key_number", "payload", "facts", "issued_at",
    }  # fmt: skip
    assert set(inspect(Certificate).columns.keys()) == bound | set(EDITS)


def test_the_command_finds_it(app: Flask, db: Session, four: list[Certificate]) -> None:
    run = app.test_cli_runner().invoke
    db.commit()
    assert run(args=["certificates", "ledger", "check"]).exit_code == 0
    db.execute(text("UPDATE certificate SET revoked_at = NULL, revoke_reason = NULL, revoked_by = NULL"))
    db.commit()
    result = run(args=["certificates", "ledger", "check"])
    assert result.exit_code == 1
    assert f"certificate {four[1].number}: its revocation is not the one in the audit trail" in result.output
