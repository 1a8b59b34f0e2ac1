"""The channels that the settings name, from one message that goes through all of them to what a start imports."""

import os
import subprocess
import sys

import pytest
from sqlalchemy.orm import Session

from lms.config import ROOT, Settings
from lms.core.messages.channels import configured
from lms.core.messages.models import Channel, MessageState
from tests.lms.core.messages.conftest import Owe
from tests.lms.core.messages.mail_server import MailServer
from tests.lms.core.messages.sms_gateway import KEY_ID, SmsGateway
from tests.messages import deliver_all

GATEWAY = {
    "sms_key_id": KEY_ID, "sms_key_secret": "secret", "sms_sign_name": "红十字会", "sms_app_id": "1400006666",
    "sms_templates": {"test_notice": "1234"},
}  # fmt: skip


@pytest.mark.parametrize("gateway", ["alibaba", "tencent"])
def test_from_sms_to_mail_to_a_call(  # noqa: PLR0917  # fixtures, each by name
    db: Session, owe: Owe, settings: Settings, mail_server: MailServer, sms_gateway: SmsGateway, gateway: str
) -> None:
    refused = {"alibaba": "isv.MOBILE_NUMBER_ILLEGAL", "tencent": "InvalidParameterValue.IncorrectPhoneNumber"}[gateway]
    sms_gateway.code = lambda number: refused if number.endswith("13900139000") else None
    mail_server.recipients = lambda address: "550 no" if address == "gone@example.org" else None
    by_sms = owe("+8613800138000", "li@example.org")
    by_mail = owe("+8613900139000", "han@example.org")
    nobody = owe("+8613900139000", "gone@example.org")
    url = {"mail_url": mail_server.url, "sms_endpoint": sms_gateway.url}
    deliver_all(db, settings, sms_gateway=gateway, **GATEWAY, **url)
    assert [message.state for message in (by_sms, by_mail, nobody)] == [
        MessageState.SENT, MessageState.SENT, MessageState.TO_CALL,
    ]  # fmt: skip
    assert (by_sms.channel, by_mail.channel, nobody.reason) == (Channel.SMS, Channel.EMAIL, "recipient_refused")
    assert mail_server.delivered == {"han@example.org": 1}
    assert len(sms_gateway.requests) == 3
    if gateway == "tencent":
        assert sms_gateway.requests[0]["TemplateParamSet"] == ["急救", "5月4日"]


def test_a_purpose_without_a_template_goes_by_mail(
    db: Session, owe: Owe, settings: Settings, mail_server: MailServer, sms_gateway: SmsGateway
) -> None:
    message = owe("+8613800138000", "li@example.org")
    without = GATEWAY | {"sms_templates": {"other": "1"}}
    url = {"mail_url": mail_server.url, "sms_endpoint": sms_gateway.url}
    deliver_all(db, settings, sms_gateway="alibaba", **without, **url)
    assert (message.state, message.channel) == (MessageState.SENT, Channel.EMAIL)
    assert sms_gateway.requests == []


def test_what_an_installation_serves(settings: Settings) -> None:
    def serves(**changes: object) -> tuple[bool, bool]:
        by = configured.served(settings.model_copy(update=changes))
        return by(Channel.EMAIL, "test_notice"), by(Channel.SMS, "test_notice")

    assert serves() == (True, True)
    assert serves(lms_embedded=False, mail_url="smtp://mail") == (True, False)
    assert serves(lms_embedded=False, mail_url="smtp://mail", sms_gateway="tencent") == (True, False)
    assert serves(lms_embedded=False, sms_gateway="tencent", **GATEWAY) == (False, True)


def test_a_start_says_where_messages_go_and_no_secret(settings: Settings) -> None:
    assert configured.described(settings) == {"email": str(settings.mail_dir), "sms": str(settings.mail_dir)}
    production = settings.model_copy(update={"lms_embedded": False, "mail_url": "smtp://user:secret@mail"})
    assert configured.described(production) == {"email": "smtp", "sms": "none"}


def test_the_web_imports_no_sdk(settings: Settings) -> None:
    """The SDKs take a second; a web process never sends."""
    environment = os.environ | {
        "LMS_EMBEDDED": "1", "DATABASE_URL": settings.database_url, "PUBLIC_URL": "http://localhost",
        "KEYS_DIR": str(settings.keys_dir), "SECRET_KEY": settings.secret_key, "FIELD_KEY": settings.field_key,
        "SMS_GATEWAY": "alibaba", "SMS_KEY_ID": "k", "SMS_KEY_SECRET": "s", "SMS_SIGN_NAME": "n", "SMS_APP_ID": "1",
        "SMS_TEMPLATES": '{"code": "1"}',
    }  # fmt: skip
    code = (
        "import sys; from lms.app import create_app; create_app();"
        "print([name for name in sys.modules if name.split('.')[0] in {'alibabacloud_dysmsapi20170525', 'tencentcloud', 'Tea'}])"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert finished.stdout.strip().splitlines()[-1] == "[]"
