import pytest

from lms.core import reasons
from lms.core.errors import N_, DomainError


def test_a_reason_becomes_one_line():
    assert reasons.required(" 核对\n 纸质\0签到表 ") == "核对 纸质 签到表"


@pytest.mark.parametrize("blank", [None, "", "  \n", "\0"])
def test_a_blank_reason_is_refused_at_its_field(blank):
    with pytest.raises(DomainError) as caught:
        reasons.required(blank)
    assert (caught.value.code, caught.value.field, caught.value.message) == (
        "reason_missing",
        "reason",
        reasons.SAY_WHY,
    )


def test_the_caller_may_word_the_refusal():
    with pytest.raises(DomainError, match="Enrolled trainees will see it"):
        reasons.required("", N_("Enter a reason. Enrolled trainees will see it in the e-mail."))
