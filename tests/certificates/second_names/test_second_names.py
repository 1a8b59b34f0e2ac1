"""The second writing of a name: with the ticket alone a reading of the name, with a proof any name, and never the signed one."""

from collections.abc import Callable
from contextlib import nullcontext

import pypdfium2
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from certificates import documents, ledger, printing, reissue
from certificates.branch import Branch
from certificates.models import Certificate
from certificates.reissue import Correction
from certificates.second_names import second_names
from certificates.second_names.models import SecondName, Way
from lms.core import personal_data
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError
from lms.core.personal_data import Subject
from lms.core.scope import EVERYTHING
from tests.factories import Make

Issue = Callable[..., Certificate]


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(DomainError) as error:
        act()
    return error.value.code


@pytest.fixture
def certificate(issue: Issue) -> Certificate:
    return issue("张三丰")


def test_a_reading_is_printed_beneath_and_changes_nothing_signed(
    db: Session, branch: Branch, certificate: Certificate
) -> None:
    payload, facts = certificate.payload, dict(certificate.facts)
    row = second_names.record(db, certificate, " zhang  Sanfeng", Way.READING, branch=branch)
    assert row.writing == "zhang Sanfeng"
    assert documents.second_name(certificate) == "zhang Sanfeng"
    with pypdfium2.PdfDocument(documents.pdf(certificate, branch)) as paper:
        text = paper[0].get_textpage().get_text_range()
    assert "张三丰" in text
    assert "zhang Sanfeng" in text
    [printed] = printing._loaded(lambda: nullcontext(db), [certificate.id], branch)  # type: ignore[arg-type, return-value]
    assert getattr(printed, "second_name", None) == "zhang Sanfeng", "in a stack of papers, too"
    assert (certificate.payload, certificate.facts, certificate.holder_name) == (payload, facts, "张三丰")
    assert list(ledger.check(db, names=True)) == []
    second_names.record(db, certificate, "zhang Sanfeng", Way.READING, branch=branch)
    assert db.scalar(select(func.count()).select_from(SecondName)) == 1, "a double tap"
    second_names.withdraw(db, certificate, Way.READING)
    second_names.withdraw(db, certificate, Way.READING)
    assert documents.second_name(certificate) is None
    acts = db.scalars(select(AuditEntry.action).where(AuditEntry.action.like("second_name.%"))).all()
    assert sorted(acts) == ["second_name.record", "second_name.withdraw"]


@pytest.mark.parametrize(
    "writing",
    [
        "张三峰",
        "Z",
        "John 3rd",
        "Zhang <b>",
        "Zhang\u202eSanfeng!",
        "Иван",
        "A" * 61,
        "- -",
        "Zhang - San",
        "",
        "\0",
        "a\u0301\u0301\u0301b",
    ],
)
def test_what_is_no_name_in_latin_letters_is_refused(
    db: Session, branch: Branch, certificate: Certificate, writing: str
) -> None:
    assert (
        refused(lambda: second_names.record(db, certificate, writing, Way.PROOF, branch=branch)) == "second_name_wrong"
    )


def test_the_ticket_alone_puts_no_other_words_on_a_certificate(
    db: Session, branch: Branch, certificate: Certificate
) -> None:
    for writing in ("John Zhang", "Zhang Sanfeng Fool"):
        act = lambda text=writing: second_names.record(db, certificate, text, Way.READING, branch=branch)  # noqa: E731
        assert refused(act) == "second_name_unproven"
    second_names.record(db, certificate, "John Zhang", Way.PROOF, branch=branch)
    act = lambda: second_names.record(db, certificate, "Zhang Sanfeng", Way.READING, branch=branch)  # noqa: E731
    assert refused(act) == "second_name_unproven", "a proven writing is not replaced by the link alone"
    assert refused(lambda: second_names.withdraw(db, certificate, Way.READING)) == "second_name_unproven"
    second_names.withdraw(db, certificate, Way.PROOF)
    assert documents.second_name(certificate) is None


def test_it_is_of_the_person_and_of_this_name(
    db: Session, branch: Branch, make: Make, certificate: Certificate
) -> None:
    second_names.record(db, certificate, "Zhang Sanfeng", Way.READING, branch=branch)
    db.commit()
    correction = Correction(certificate.holder_name, {"hours": "9"})
    reissue.request(db, certificate, correction, "学时有误", branch=branch, scope=EVERYTHING)
    reissue.issue_owed(db, branch)
    db.expire_all()
    corrected = certificate.superseded_by
    assert corrected is not None
    assert documents.second_name(corrected) == "Zhang Sanfeng"
    assert (
        refused(lambda: second_names.record(db, certificate, "Zhang Sanfeng", Way.STAFF, branch=branch))
        == "second_name_late"
    )
    reissue.request(db, corrected, Correction("张三峰", {}), "姓名有误", branch=branch, scope=EVERYTHING)
    reissue.issue_owed(db, branch)
    db.expire_all()
    assert corrected.superseded_by is not None
    assert documents.second_name(corrected.superseded_by) is None, "it was a writing of the former name"


def test_a_latin_name_and_one_without_room_get_none(db: Session, branch: Branch, issue: Issue) -> None:
    latin = issue("John Smith")
    assert (
        refused(lambda: second_names.record(db, latin, "Johnny S", Way.STAFF, branch=branch)) == "second_name_needless"
    )


@pytest.mark.usefixtures("app")
def test_it_is_exported_and_erased_with_the_person(db: Session, branch: Branch, certificate: Certificate) -> None:
    second_names.record(db, certificate, "Zhang Sanfeng", Way.READING, branch=branch)
    subject = Subject(trainee_id=certificate.enrolment.trainee_id)
    assert [row["writing"] for row in personal_data.export(db, subject)["second_name"]] == ["Zhang Sanfeng"]
    assert personal_data.erase(db, subject)["second_name"].rows == 1
    db.expire_all()
    assert documents.second_name(certificate) is None
