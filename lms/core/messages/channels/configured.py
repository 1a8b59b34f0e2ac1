"""The channels that the settings name. An SDK is imported only where its gateway is set, and only to send."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

from lms.config import Settings
from lms.core.messages.channels.folder import MailFolder, SmsFolder
from lms.core.messages.channels.interface import Gateway
from lms.core.messages.channels.mail import Composer
from lms.core.messages.channels.smtp import Smtp
from lms.core.messages.models import Channel


def served(settings: Settings) -> Callable[[Channel, str], bool]:
    """The function (channel, purpose code) → whether this installation can send it. Imports no SDK."""

    def by(channel: Channel, purpose: str) -> bool:
        if channel is Channel.EMAIL:
            return settings.mail_url is not None or settings.lms_embedded
        return settings.lms_embedded if settings.sms_gateway is None else purpose in settings.sms_templates

    return by


def described(settings: Settings) -> dict[str, str]:
    """Where the messages of each channel go, for the log and the terminal of a start; without keys and passwords."""
    folder = str(settings.mail_dir)
    sms = settings.sms_gateway or (folder if settings.lms_embedded else "none")
    return {"email": "smtp" if settings.mail_url else folder, "sms": sms}


@contextmanager
def opened(settings: Settings) -> Iterator[Mapping[Channel, Gateway[Any]]]:
    """The channels for one batch; afterwards their connections are closed."""
    gateways: dict[Channel, Gateway[Any]] = {}
    composer = Composer(settings.mail_from, settings.public_url)
    if settings.mail_url is not None:
        gateways[Channel.EMAIL] = Smtp(settings.mail_url, composer)
    elif settings.lms_embedded:
        gateways[Channel.EMAIL] = MailFolder(settings.mail_dir, composer)
    sms = _sms(settings)
    if sms is not None:
        gateways[Channel.SMS] = sms
    try:
        yield gateways
    finally:
        for gateway in gateways.values():
            with suppress(OSError):
                gateway.close()


def _sms(settings: Settings) -> Gateway[Any] | None:
    if settings.sms_gateway is None:
        return SmsFolder(settings.mail_dir) if settings.lms_embedded else None
    module = import_module(f"lms.core.messages.channels.{settings.sms_gateway}")
    key_id, secret, sign_name = settings.sms_key_id or "", settings.sms_key_secret or "", settings.sms_sign_name or ""
    gateway: Gateway[Any]
    if settings.sms_gateway == "alibaba":
        gateway = module.Alibaba(key_id, secret, sign_name, settings.sms_templates, settings.sms_endpoint)
    else:
        account = module.Account(key_id, secret, settings.sms_app_id or "", sign_name, settings.sms_region)
        gateway = module.Tencent(account, settings.sms_templates, settings.sms_endpoint)
    return gateway
