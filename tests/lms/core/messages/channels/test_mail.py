"""Composing mails: what a reader sees is what was meant, or nothing is sent."""

from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.core.messages.channels.interface import RefusedForGood
from lms.core.messages.channels.mail import Composer
from tests.lms.core.messages.channels.letters import letter

COMPOSER = Composer("Training <no-reply@example.org>", "https://training.example.org:8443")


def test_a_mail_is_seven_bit_with_crlf_and_a_lasting_identifier() -> None:
    first, second = (COMPOSER.compose(letter("li@example.org")) for _ in range(2))
    assert first.content.isascii()
    assert b"\n" not in first.content.replace(b"\r\n", b"")
    read = [message_from_bytes(mail.content, policy=policy.default) for mail in (first, second)]
    assert read[0]["Message-ID"] == read[1]["Message-ID"] == f"<{0xABCDEF:032x}@training.example.org>"
    assert (read[0]["From"], read[0]["Auto-Submitted"]) == ("Training <no-reply@example.org>", "auto-generated")
    assert read[0].get_content() == "验证码 123456\n"  # type: ignore[attr-defined]
    assert COMPOSER.envelope_sender == "no-reply@example.org"


def test_a_domain_in_chinese_is_encoded() -> None:
    assert COMPOSER.compose(letter("li@例子.中国")).address == "li@xn--fsqu00a.xn--fiqs8s"


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=200))
def test_whatever_an_address_holds_it_is_sent_to_it_alone_or_refused(address: str, subject: str, text: str) -> None:
    try:
        mail = COMPOSER.compose(letter(address, subject=subject, text=text))
    except RefusedForGood:
        return
    header = message_from_bytes(mail.content, policy=policy.default)
    name, _at, domain = address.rpartition("@")
    assert [one.addr_spec for one in header["To"].addresses] == [f"{name}@{domain.encode('idna').decode()}"]
    assert set(header.keys()) == {
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
        "Content-Transfer-Encoding",
    }  # fmt: skip


@pytest.mark.parametrize(
    "address", ["=?utf-8?q?=0A?=@example.com", "=?utf-8?b?YUBiLmNu?=", "a@b.cn, c@d.cn", "a\r\n@b"]
)
def test_an_address_that_reads_as_another_is_refused(address: str) -> None:
    with pytest.raises(RefusedForGood):
        COMPOSER.compose(letter(address))
