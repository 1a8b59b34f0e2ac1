"""SMS through Alibaba Cloud's Short Message Service (API `SendSms`, version 2017-05-25), by its own SDK.

The SDK takes about a second to import. Only `lms.core.messages.channels.configured` imports this module, in the worker.
"""

import json
from collections.abc import Mapping

from alibabacloud_dysmsapi20170525.client import Client
from alibabacloud_dysmsapi20170525.models import SendSmsRequest
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from alibabacloud_tea_openapi.utils_models import Config
from darabonba.exceptions import UnretryableException
from darabonba.runtime import RuntimeOptions

from lms.core.messages.channels.endpoint import Endpoint
from lms.core.messages.channels.interface import Letter, NotDelivered, RefusedForGood, TryLater, Unreachable
from lms.core.messages.channels.numbers import domestic

ENDPOINT = "https://dysmsapi.aliyuncs.com"
CONNECT_MILLISECONDS = 5_000
ANSWER_MILLISECONDS = 15_000
TOO_MANY_REQUESTS = 429
SERVER_ERROR = 500

# Codes of the gateway's reference. A code that is not listed here is tried later, and shows in the metrics.
FOR_GOOD: Mapping[str, str] = {
    "isv.MOBILE_NUMBER_ILLEGAL": "number_refused",
    "isv.MOBILE_COUNT_OVER_LIMIT": "number_refused",
    "isv.NOT_SUPPORTED_COUNTRY": "number_refused",
    "isv.COUNTRY_RESTRICTED": "number_refused",
    "isv.BLACK_KEY_CONTROL_LIMIT": "content_refused",
    "isv.SMS_CONTENT_ILLEGAL": "content_refused",
    "isv.PARAM_LENGTH_LIMIT": "content_refused",
    "isv.PARAM_NOT_SUPPORT_URL": "content_refused",
    "isv.TEMPLATE_PARAMS_ILLEGAL": "content_refused",
    "isv.TEMPLATE_MISSING_PARAMETERS": "content_refused",
    "isv.INVALID_JSON_PARAM": "content_refused",
    "isv.INVALID_PARAMETERS": "content_refused",
    "isv.SMS_TEMPLATE_ILLEGAL": "no_template",
    "isv.UNSUPPORTED_CONTENT": "content_refused",
}
OF_THE_ACCOUNT = (
    "isv.AMOUNT_NOT_ENOUGH", "isv.OUT_OF_SERVICE", "isv.PRODUCT_UN_SUBSCRIPT", "isv.PRODUCT_UNSUBSCRIBE",
    "isv.ACCOUNT_NOT_EXISTS", "isv.ACCOUNT_ABNORMAL", "isv.SMS_SIGNATURE_ILLEGAL", "isv.SMS_SIGN_ILLEGAL",
    "isv.DENY_IP_RANGE", "isp.RAM_PERMISSION_DENY", "InvalidAccessKeyId", "SignatureDoesNotMatch", "Forbidden",
    "IncompleteSignature", "NoPermission",
)  # fmt: skip
LIMITS_OF_THE_ACCOUNT = ("isv.DAY_LIMIT_CONTROL", "isv.MONTH_LIMIT_CONTROL", "Throttling")
LIMITS_OF_THE_NUMBER = ("isv.BUSINESS_LIMIT_CONTROL",)


class Alibaba:
    """The gateway of Alibaba Cloud. templates: the template's code by purpose."""

    def __init__(
        self, key_id: str, key_secret: str, sign_name: str, templates: Mapping[str, str], endpoint: str | None
    ) -> None:
        at = Endpoint.of(endpoint or ENDPOINT)
        self._client = Client(
            Config(
                access_key_id=key_id,
                access_key_secret=key_secret,
                endpoint=at.host,
                protocol=at.scheme.upper(),
                connect_timeout=CONNECT_MILLISECONDS,
                read_timeout=ANSWER_MILLISECONDS,
            )
        )
        self._sign_name, self._templates = sign_name, templates

    def serves(self, purpose: str) -> bool:
        """Tell whether a template is set for the purpose."""
        return purpose in self._templates

    def build(self, letter: Letter) -> SendSmsRequest:
        """The request. `OutId` names our message, so that the gateway's records can be compared with ours."""
        return SendSmsRequest(
            phone_numbers=domestic(letter.address),
            sign_name=self._sign_name,
            template_code=self._templates[letter.purpose],
            template_param=json.dumps(dict(letter.parameters), ensure_ascii=False),
            out_id=letter.ref.hex,
        )

    def deliver(self, built: SendSmsRequest) -> None:
        """Send the request once; our own schedule repeats it, not the SDK."""
        try:
            answer = self._client.send_sms_with_options(built, RuntimeOptions(autoretry=False))
        except AlibabaCloudException as error:
            raise _of_failure(error) from error
        except UnretryableException as error:
            raise _of_network(str(error)) from error
        code = answer.body.code if answer.body is not None else None
        if code != "OK":
            raise of_code(code or "")

    def close(self) -> None:
        """The SDK keeps its connections for the next batch."""


def of_code(code: str) -> NotDelivered:
    """The exception for a code of the gateway."""
    if code in FOR_GOOD:
        return RefusedForGood(FOR_GOOD[code])
    if code.startswith(OF_THE_ACCOUNT):
        return Unreachable("account_refused")
    if code.startswith(LIMITS_OF_THE_ACCOUNT):
        return TryLater("limit", channel=True)
    return TryLater("limit" if code in LIMITS_OF_THE_NUMBER else "gateway_error")


def _of_failure(error: AlibabaCloudException) -> NotDelivered:
    status = error.status_code or SERVER_ERROR
    if status >= SERVER_ERROR:
        return TryLater("gateway_error")
    return TryLater("limit", channel=True) if status == TOO_MANY_REQUESTS else of_code(error.code or "")


def _of_network(text: str) -> NotDelivered:
    """After a read timeout the gateway may have taken the message, so that counts as an attempt of it."""
    return TryLater("timeout", channel=True) if "Read timed out" in text else Unreachable("unreachable")
