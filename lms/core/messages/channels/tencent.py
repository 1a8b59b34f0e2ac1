"""SMS through Tencent Cloud (API `SendSms`, version 2021-01-11), by its own SDK.

Only `lms.core.messages.channels.configured` imports this module, in the worker, because the SDK is large.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tencentcloud.common.credential import Credential
from tencentcloud.common.exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.sms.v20210111.models import SendSmsRequest
from tencentcloud.sms.v20210111.sms_client import SmsClient

from lms.core.messages.channels.endpoint import Endpoint
from lms.core.messages.channels.interface import Letter, NotDelivered, RefusedForGood, TryLater, Unreachable
from lms.core.messages.channels.numbers import international

ENDPOINT = "https://sms.tencentcloudapi.com"
TIMEOUT_SECONDS = 15
ACCEPTED = "Ok"

# Codes of the SDK's `errorcodes`. A code that is not listed here is tried later, and shows in the metrics.
FOR_GOOD: Mapping[str, str] = {
    "FailedOperation.PhoneNumberInBlacklist": "number_refused",
    "FailedOperation.PhoneNumberParseFail": "number_refused",
    "InvalidParameterValue.IncorrectPhoneNumber": "number_refused",
    "UnsupportedOperation.ChineseMainlandTemplateToGlobalPhone": "number_refused",
    "UnsupportedOperation.GlobalTemplateToChineseMainlandPhone": "number_refused",
    "UnsupportedOperation.UnsupportedRegion": "number_refused",
    "FailedOperation.ContainSensitiveWord": "content_refused",
    "FailedOperation.TemplateParamSetNotMatchApprovedTemplate": "content_refused",
    "FailedOperation.TemplateIncorrectOrUnapproved": "no_template",
    "FailedOperation.TemplateUnapprovedOrNotExist": "no_template",
    "FailedOperation.TemplateIdNotExist": "no_template",
    "InvalidParameterValue.ContentLengthLimit": "content_refused",
    "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter": "content_refused",
    "InvalidParameterValue.TemplateParameterFormatError": "content_refused",
    "InvalidParameterValue.TemplateParameterLengthLimit": "content_refused",
    "InvalidParameterValue.TemplateWithDirtyWords": "content_refused",
    "InvalidParameter.DirtyWordFound": "content_refused",
}
OF_THE_ACCOUNT = (
    "AuthFailure", "UnauthorizedOperation", "FailedOperation.InsufficientBalanceInSmsPackage",
    "FailedOperation.SignatureIncorrectOrUnapproved", "FailedOperation.MissingSignature",
    "FailedOperation.NotEnterpriseCertification", "FailedOperation.ProhibitSubAccountUse",
    "InvalidParameterValue.SdkAppIdNotExist", "InvalidParameter.AppidAndBizId",
)  # fmt: skip
LIMITS_OF_THE_NUMBER = "LimitExceeded.PhoneNumber"
LIMITS_OF_THE_ACCOUNT = ("LimitExceeded", "RequestLimitExceeded")
NETWORK = "ClientNetworkError"


@dataclass(frozen=True)
class Account:
    """Our account at the gateway. app_id: the SdkAppId of its console."""

    key_id: str
    key_secret: str = field(repr=False)
    app_id: str
    sign_name: str
    region: str


class Tencent:
    """The gateway of Tencent Cloud. templates: the template's number by purpose."""

    def __init__(self, account: Account, templates: Mapping[str, str], endpoint: str | None) -> None:
        at = Endpoint.of(endpoint or ENDPOINT)
        profile = HttpProfile(protocol=at.scheme, endpoint=at.host, reqTimeout=TIMEOUT_SECONDS)
        credential = Credential(account.key_id, account.key_secret)
        self._client = SmsClient(credential, account.region, ClientProfile(httpProfile=profile))
        self._account, self._templates = account, templates

    def serves(self, purpose: str) -> bool:
        """Tell whether a template is set for the purpose."""
        return purpose in self._templates

    def build(self, letter: Letter) -> SendSmsRequest:
        """The request. The gateway's templates number their parameters, so these stand in the purpose's order."""
        request = SendSmsRequest()
        request.PhoneNumberSet = [international(letter.address)]
        request.SmsSdkAppId = self._account.app_id
        request.SignName = self._account.sign_name
        request.TemplateId = self._templates[letter.purpose]
        request.TemplateParamSet = list(letter.parameters.values())
        request.SessionContext = letter.ref.hex
        return request

    def deliver(self, built: SendSmsRequest) -> None:
        """Send the request once; our own schedule repeats it, not the SDK."""
        try:
            answer = self._client.SendSms(built)
        except TencentCloudSDKException as error:
            raise _of_failure(str(error.code), str(error.message)) from error
        if not answer.SendStatusSet:
            raise TryLater("gateway_error")
        (status,) = answer.SendStatusSet
        if status.Code != ACCEPTED:
            raise of_code(status.Code)

    def close(self) -> None:
        """The SDK keeps no connection."""


def of_code(code: str) -> NotDelivered:
    """The exception for a code of the gateway."""
    if code in FOR_GOOD:
        return RefusedForGood(FOR_GOOD[code])
    if code.startswith(OF_THE_ACCOUNT):
        return Unreachable("account_refused")
    if code.startswith(LIMITS_OF_THE_NUMBER):
        return TryLater("limit")
    if code.startswith(LIMITS_OF_THE_ACCOUNT):
        return TryLater("limit", channel=True)
    return TryLater("gateway_error")


def _of_failure(code: str, text: str) -> NotDelivered:
    """After a read timeout the gateway may have taken the message, so that counts as an attempt of it."""
    if code != NETWORK:
        return of_code(code)
    return TryLater("timeout", channel=True) if "Read timed out" in text else Unreachable("unreachable")
