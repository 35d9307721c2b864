"""Tencent Cloud delivers the codes: text messages, and calls that read the code out. Needs the extra ``sms-tencent``.

Its SDK is loaded when somebody configured it, so that nobody else needs it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from voting.identity.base import ProviderFailed

TIMEOUT_S = 8
#: answers that are about the number: another number may work, this one will not
OF_THE_NUMBER = ("PhoneNumberInBlacklist", "InvalidParameterValue.IncorrectPhoneNumber", "PhoneNumberParseFail")


class NotInstalled(RuntimeError):
    """The SDK is missing."""


def _sdk() -> tuple[Any, Any, Any, Any]:
    try:
        from tencentcloud.common import credential
        from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
        from tencentcloud.common.profile.client_profile import ClientProfile
        from tencentcloud.common.profile.http_profile import HttpProfile
    except ImportError:
        raise NotInstalled(
            "SMS_PROVIDER is tencent, but its SDK is not installed: "
            "pip install tencentcloud-sdk-python-sms tencentcloud-sdk-python-vms"
        ) from None
    return credential, TencentCloudSDKException, ClientProfile, HttpProfile


@dataclass(frozen=True, slots=True)
class TencentAccount:
    """What the two consoles hand out; ``voice_app_id`` is empty where nobody calls, ``endpoint`` outside tests."""

    secret_id: str
    secret_key: str
    app_id: str
    sign_name: str
    template_id: str
    region: str = "ap-guangzhou"
    voice_app_id: str = ""
    endpoint: str = ""


class TencentSender:
    """Sends by SendSms, calls by SendCodeVoice."""

    def __init__(self, account: TencentAccount) -> None:
        self._account = account
        self._sdk = _sdk()
        self.can_call = bool(account.voice_app_id)
        self._text = self._client("sms")
        self._voice = self._client("vms") if self.can_call else None

    def send(self, number: str, code: str, minutes: int, call: bool) -> None:
        """The template must have two places: the code, and for how many minutes it is good."""
        try:
            if call and self._voice is not None:
                self._call(number, code)
            else:
                self._write(number, code, minutes)
        except self._sdk[1] as error:
            raise ProviderFailed(str(error.get_code())[:80], refused=_of_the_number(str(error.get_code()))) from None

    def _write(self, number: str, code: str, minutes: int) -> None:
        from tencentcloud.sms.v20210111 import models

        account, request = self._account, models.SendSmsRequest()
        request.PhoneNumberSet = [f"+86{number}"]
        request.SmsSdkAppId = account.app_id
        request.SignName = account.sign_name
        request.TemplateId = account.template_id
        request.TemplateParamSet = [code, str(minutes)]
        status = self._text.SendSms(request).SendStatusSet[0]
        # The request succeeded; each number has an answer of its own.
        if status.Code != "Ok":
            raise ProviderFailed(str(status.Code)[:80], refused=_of_the_number(str(status.Code)))

    def _call(self, number: str, code: str) -> None:
        from tencentcloud.vms.v20200902 import models

        assert self._voice is not None
        request = models.SendCodeVoiceRequest()
        request.CodeMessage = code
        request.CalledNumber = f"+86{number}"
        request.VoiceSdkAppid = self._account.voice_app_id
        self._voice.SendCodeVoice(request)

    def _client(self, service: str) -> Any:
        credential, _, client_profile, http_profile = self._sdk
        if service == "sms":
            from tencentcloud.sms.v20210111 import sms_client as module

            kind = module.SmsClient
        else:
            from tencentcloud.vms.v20200902 import vms_client

            kind = vms_client.VmsClient
        scheme, _, host = self._account.endpoint.rpartition("://")
        http = http_profile(protocol=scheme or "https", endpoint=host or None, reqTimeout=TIMEOUT_S)
        keys = credential.Credential(self._account.secret_id, self._account.secret_key)
        return kind(keys, self._account.region, client_profile(httpProfile=http))


def _of_the_number(code: str) -> bool:
    return any(part in code for part in OF_THE_NUMBER)
