"""SMS through Alibaba Cloud's SDK, to a gateway of the tests' own."""

import json
from collections.abc import Callable

import pytest

from lms.core.messages.channels import alibaba
from lms.core.messages.channels.alibaba import Alibaba
from lms.core.messages.channels.interface import NotDelivered, RefusedForGood, TryLater, Unreachable
from tests.lms.core.messages.channels.letters import letter
from tests.lms.core.messages.mail_server import free_port
from tests.lms.core.messages.sms_gateway import KEY_ID, SmsGateway

Sms = Callable[..., None]


@pytest.fixture
def sms(sms_gateway: SmsGateway) -> Sms:
    """Send one SMS."""

    def send(address: str = "+8613800138000", key_id: str = KEY_ID, url: str = sms_gateway.url) -> None:
        channel = Alibaba(key_id, "secret", "红十字会", {"code": "SMS_1"}, url)
        assert channel.serves("code")
        assert not channel.serves("ticket")
        channel.deliver(channel.build(letter(address)))
        channel.close()

    return send


def test_the_request_is_as_the_gateway_documents(sms: Sms, sms_gateway: SmsGateway) -> None:
    sms()
    sms("+85251234567")
    home, abroad = sms_gateway.requests
    assert (home["PhoneNumbers"], home["SignName"], home["TemplateCode"]) == ("13800138000", "红十字会", "SMS_1")
    assert json.loads(home["TemplateParam"]) == {"code": "123456", "minutes": "10"}
    assert home["OutId"] == f"{0xABCDEF:032x}"
    assert abroad["PhoneNumbers"] == "85251234567"


@pytest.mark.parametrize(
    ("code", "kind", "reason", "channel"),
    [
        ("isv.MOBILE_NUMBER_ILLEGAL", RefusedForGood, "number_refused", None),
        ("isv.SMS_TEMPLATE_ILLEGAL", RefusedForGood, "no_template", None),
        ("isv.BUSINESS_LIMIT_CONTROL", TryLater, "limit", False),
        ("isv.DAY_LIMIT_CONTROL", TryLater, "limit", True),
        ("isv.AMOUNT_NOT_ENOUGH", Unreachable, "account_refused", None),
        ("isp.SYSTEM_ERROR", TryLater, "gateway_error", False),
        ("isv.NEVER_HEARD_OF", TryLater, "gateway_error", False),
    ],
)
def test_each_code_has_its_consequence(  # noqa: PLR0917  # the columns of a table
    sms: Sms, sms_gateway: SmsGateway, code: str, kind: type[NotDelivered], reason: str, channel: bool | None
) -> None:
    sms_gateway.code = lambda _number: code
    with pytest.raises(kind) as refused:
        sms()
    assert (refused.value.reason, getattr(refused.value, "channel", None)) == (reason, channel)
    assert len(sms_gateway.requests) == 1


def test_a_wrong_key_pauses_the_channel(sms: Sms) -> None:
    with pytest.raises(Unreachable, match="account_refused"):
        sms(key_id="wrong")


def test_a_gateway_that_fails_is_tried_later_and_asked_once(sms: Sms, sms_gateway: SmsGateway) -> None:
    sms_gateway.status = 500
    with pytest.raises(TryLater, match="gateway_error"):
        sms()
    assert len(sms_gateway.requests) == 1


def test_a_slow_gateway_counts_as_an_attempt(
    sms: Sms, sms_gateway: SmsGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alibaba, "ANSWER_MILLISECONDS", 100)
    sms_gateway.delay = 0.4
    with pytest.raises(TryLater, match="timeout") as refused:
        sms()
    assert refused.value.channel


def test_a_gateway_that_is_away_pauses_the_channel(sms: Sms) -> None:
    with pytest.raises(Unreachable, match="unreachable"):
        sms(url=f"http://127.0.0.1:{free_port()}")
