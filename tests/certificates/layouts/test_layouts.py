"""Layouts: kept with each certificate at issue, so that a reprint is the same after any change."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import documents, issuing, ledger
from certificates.branch import Branch
from certificates.layouts import layouts
from certificates.layouts.wording import DEFAULT, IdDigits
from certificates.models import Certificate
from courses.models.catalogue import Course
from lms.core.audit import AuditEntry
from tests.certificates.conftest import closed_offering, owe
from tests.certificates.layouts.test_pictures import png
from tests.factories import Make

Issue = Callable[..., Certificate]


def test_a_course_has_its_own_layout_and_the_others_have_the_branchs(db: Session, make: Make, branch: Branch) -> None:
    course: Course = make.course()
    other: Course = make.course("FR-16")
    layouts.save(db, None, replace(DEFAULT, title_zh="结业证书"))
    layouts.save(db, course.id, replace(DEFAULT, title_zh="参训证明"))
    layouts.save(db, course.id, replace(DEFAULT, title_zh="参训证明书"))
    layouts.save(db, course.id, replace(DEFAULT, title_zh="参训证明书"))
    paper = layouts.paper(db, branch)
    assert paper.facts(course.id, 1)["layout"] == {"title_zh": "参训证明书"}
    assert paper.facts(other.id, 1)["layout"] == {"title_zh": "结业证书"}
    assert [own for row, own in layouts.courses(db) if row.id == course.id] == [course.certificate_type is not None]
    layouts.remove(db, course.id)
    layouts.remove(db, course.id)
    assert layouts.wording_of(db, course.id) == (replace(DEFAULT, title_zh="结业证书"), False)
    actions = db.scalars(select(AuditEntry.action).where(AuditEntry.action.startswith("certificate_layout"))).all()
    assert actions == ["certificate_layout.change"] * 3 + ["certificate_layout.remove"]


def test_a_reprint_is_the_same_after_layout_and_seal_have_changed(db: Session, branch: Branch, issue: Issue) -> None:
    before = issue("李四")
    layouts.save(db, None, replace(DEFAULT, title_zh="结业证书", colour="#0b5d4e"))
    layouts.set_seal(db, before.unit, png(300))
    certificate = issue("张三丰")
    pdf, former = documents.pdf(certificate, branch), documents.pdf(before, branch)
    document = documents.document_of(certificate, branch)
    assert (document.wording.title_zh, document.seal is not None) == ("结业证书", True)
    layouts.save(db, None, replace(DEFAULT, title_zh="证书"))
    layouts.set_seal(db, certificate.unit, png(320))
    layouts.remove_seal(db, certificate.unit)
    db.flush()
    assert documents.pdf(certificate, branch) == pdf
    assert documents.pdf(before, branch) == former
    assert documents.document_of(before, branch).seal is None
    assert list(ledger.check(db)) == []


def test_a_district_bears_the_branchs_seal_only_where_the_branch_says_so(
    db: Session, branch: Branch, issue: Issue, tmp_path: Path
) -> None:
    file = tmp_path / "seal.svg"
    file.write_bytes(b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>')
    sealed = replace(branch, seal=file)
    former = issue("李四")
    former.facts = {name: value for name, value in former.facts.items() if name not in {"seal", "logo"}}
    assert former.unit != 0
    assert documents.document_of(former, sealed).seal is None
    assert documents.document_of(former, replace(sealed, seals_districts=True)).seal == file
    paper = layouts.paper(db, sealed)
    assert paper.facts(1, 6)["seal"] == ""
    assert paper.facts(1, 0)["seal"] == paper.seals[0] != ""
    assert layouts.paper(db, replace(sealed, seals_districts=True)).facts(1, 6)["seal"] == paper.seals[0]
    layouts.set_seal(db, 6, png(300))
    own = layouts.paper(db, replace(sealed, seals_districts=True))
    assert own.facts(1, 6)["seal"] == layouts.seals(db)[6] != paper.seals[0]


def test_the_digits_of_the_id_number_are_those_of_the_record(db: Session, branch: Branch, make: Make) -> None:
    layouts.save(db, None, replace(DEFAULT, id_digits=IdDigits.ENDS))
    enrolment = owe(make, closed_offering(make), "张三丰")
    enrolment.trainee.id_type = "resident"
    enrolment.trainee.set_id_number(enrolment.trainee.id_type, "11010119900307002X")
    db.flush()
    issuing.issue_owed(db, branch)
    certificate = db.scalars(select(Certificate).where(Certificate.enrolment_id == enrolment.id)).one()
    assert "002X" not in str(certificate.facts)
    assert documents.document_of(certificate, branch).id_digits == "110101********002X"
