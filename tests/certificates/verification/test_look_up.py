"""Look-up by number and holder: the same answer and the same work for an unknown number and for a wrong proof."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from certificates import holder_proof
from certificates.models import Certificate
from certificates.number import NumberScheme
from certificates.payload import digits_of
from certificates.verification import look_up
from courses.models.trainees import IdType
from lms.core import clock
from lms.core.crypto import FieldCipher
from lms.core.errors import DomainError
from tests.certificates.legacy_files import GOOD, HEAD, LIFELONG, load


@pytest.fixture
def certificate(issue: Callable[..., Certificate]) -> Iterator[Certificate]:
    """A certificate issued on 5 March 2026 for 36 months, to 张三丰."""
    with clock.at(clock.now().replace(year=2026, month=3, day=5, hour=4)):
        yield issue("张三丰")


SCHEME = NumberScheme("BJ")


@pytest.fixture
def imported(db: Session, tmp_path: Path) -> None:
    """Two legacy certificates, the second without an ID number."""
    path = tmp_path / "old.csv"
    path.write_text("\n".join((HEAD, GOOD, LIFELONG)), encoding="utf-8")
    assert load(db, path)[0] == 2
    db.commit()


class TestCodeOf:
    NOBODY = SCHEME.compose("FR", 2026, 4_000_000)

    def ask(self, db: Session, number: str, proof: str) -> str:
        return look_up.code_of(db, number, proof, scheme=SCHEME)

    def refusal(self, db: Session, number: str, proof: str) -> tuple[str, str, int]:
        with pytest.raises(DomainError) as refused:
            self.ask(db, number, proof)
        return refused.value.code, refused.value.message, refused.value.status

    @pytest.fixture
    def identified(self, db: Session, certificate: Certificate) -> Certificate:
        certificate.enrolment.trainee.set_id_number(IdType.RESIDENT, "11010519491231002X")
        db.commit()
        return certificate

    def test_number_and_name_or_end_of_the_id_number_find_it(self, db: Session, identified: Certificate) -> None:
        for number in (identified.number, identified.number.lower().replace("-", " ")):
            for proof in ("张三丰", "张 三 丰", "31002X", "31002x", "３１００２Ｘ"):
                assert self.ask(db, number, proof) == digits_of(identified.payload)

    def test_no_such_number_and_no_match_are_the_same_answer(self, db: Session, identified: Certificate) -> None:
        answers = {
            self.refusal(db, number, proof)
            for number, proof in (
                (self.NOBODY, "张三丰"),
                (self.NOBODY, "31002X"),
                (self.NOBODY, "000000"),
                (identified.number, "张三"),
                (identified.number, "310020"),
            )
        }
        assert len(answers) == 1
        [(error, message, status)] = answers
        assert (error, status) == ("certificate_no_match", 404)
        assert message.startswith("We have no certificate with this number and this holder.")
        assert message.endswith("the name must be complete.")

    def test_a_person_without_an_id_number_is_not_found_by_one(self, db: Session, certificate: Certificate) -> None:
        assert self.refusal(db, certificate.number, "000000")[0] == "certificate_no_match"

    @pytest.mark.parametrize("proof", ["张三", "310020"])
    def test_they_do_the_same_work(
        self,
        db: Session,
        identified: Certificate,
        statements: list[str],
        monkeypatch: pytest.MonkeyPatch,
        proof: str,
    ) -> None:
        opened: list[int] = []
        compared: list[int] = []
        decrypt, compare = FieldCipher.decrypt, holder_proof.hmac.compare_digest

        def counted_decrypt(*arguments: object) -> str:
            opened.append(1)
            return decrypt(*arguments)  # type: ignore[arg-type]

        def counted_compare(left: bytes, right: bytes) -> bool:
            compared.append(1)
            return compare(left, right)

        monkeypatch.setattr(FieldCipher, "decrypt", counted_decrypt)
        monkeypatch.setattr("certificates.holder_proof.hmac.compare_digest", counted_compare)
        work = []
        for number in (identified.number, self.NOBODY):
            for counter in (statements, opened, compared):
                counter.clear()
            self.refusal(db, number, proof)
            work.append((list(statements), len(opened), len(compared)))
        assert work[0] == work[1]
        # The name tag of the code is compared in every case: a name that was erased is found by it alone.
        assert work[0][1:] == ((0, 3) if proof == "张三" else (1, 2))

    def test_a_mistyped_number_is_called_so(self, db: Session, identified: Certificate) -> None:
        assert self.refusal(db, "123", "张三丰")[0] == "certificate_number_malformed"
        wrong = identified.number[:-1] + ("A" if identified.number[-1] != "A" else "B")
        assert self.refusal(db, wrong, "张三丰")[0] == "certificate_number_mistyped"


@pytest.mark.usefixtures("imported")
def test_without_a_match_the_answer_and_the_work_are_the_same(
    db: Session, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[bytes] = []
    real = FieldCipher.decrypt

    def noted(cipher: FieldCipher, column: str, row: UUID, sealed: bytes) -> str:
        opened.append(sealed)
        return real(cipher, column, row, sealed)

    monkeypatch.setattr(FieldCipher, "decrypt", noted)
    work = []
    for number, proof in (
        ("京红救(2015)第00123号", "王五"), ("京红救(2015)第99999号", "王五"),
        ("京红救(2015)第00123号", "000000"), ("京红救(2015)第99999号", "000000"), ("京红救（2012）第7号", "000000"),
    ):  # fmt: skip
        statements.clear()
        opened.clear()
        with pytest.raises(DomainError) as refused:
            look_up.by_number(db, number, proof, scheme=SCHEME, today=clock.branch_today())
        work.append((refused.value.code, len(statements), len(opened), proof.isdigit()))
    assert set(work) == {("certificate_no_match", 1, 0, False), ("certificate_no_match", 1, 1, True)}


@pytest.mark.usefixtures("imported")
def test_a_number_finds_a_signed_certificate_as_its_code_and_a_legacy_one_as_its_facts(
    db: Session, certificate: Certificate
) -> None:
    today = clock.branch_today()
    signed = look_up.by_number(db, certificate.number, "张三丰", scheme=SCHEME, today=today)
    assert signed == digits_of(certificate.payload)
    legacy = look_up.by_number(db, "京红救 2012 第7号", "李四光", scheme=SCHEME, today=today)
    assert not isinstance(legacy, str)
    assert (legacy.masked_name, legacy.valid_until) == ("李*光", None)


@pytest.mark.usefixtures("imported")
def test_a_number_of_our_scheme_with_a_wrong_check_character_is_named_as_mistyped(
    db: Session, certificate: Certificate
) -> None:
    wrong = certificate.number[:-1] + ("A" if certificate.number[-1] != "A" else "B")
    with pytest.raises(DomainError) as refused:
        look_up.by_number(db, wrong, "张三丰", scheme=SCHEME, today=clock.branch_today())
    assert refused.value.code == "certificate_number_mistyped"
