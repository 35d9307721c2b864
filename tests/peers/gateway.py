"""Tencent Cloud's API of the third version, as far as text messages and calls go: one address, actions by header."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.peers.http import Asked, Peer, Reply

SECRET_ID = "AKID-of-the-tests"


@dataclass(frozen=True)
class Message:
    """What a citizen would read, or hear."""

    number: str
    code: str
    called: bool


class SmsGateway(Peer):
    """``status`` is the answer for a number, "Ok" when it was sent; ``error`` refuses the whole request."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[Message] = []
        self.status = "Ok"
        self.error = ""

    @property
    def config(self) -> dict[str, Any]:
        return {
            "SMS_PROVIDER": "tencent",
            "TENCENT_SECRET_ID": SECRET_ID,
            "TENCENT_SECRET_KEY": "key of the tests",
            "TENCENT_SMS_APP_ID": "1400006666",
            "TENCENT_SMS_SIGN": "阳江评选",
            "TENCENT_SMS_TEMPLATE_ID": "1110",
            "TENCENT_REGION": "ap-guangzhou",
            "TENCENT_VOICE_APP_ID": "1500006666",
            "TENCENT_ENDPOINT": self.url,
        }

    def answer(self, asked: Asked) -> Reply:
        signed = asked.headers.get("authorization", "")
        if not signed.startswith(f"TC3-HMAC-SHA256 Credential={SECRET_ID}/"):
            return self._reply({"Error": {"Code": "AuthFailure.SignatureFailure", "Message": "no"}})
        if self.error:
            return self._reply({"Error": {"Code": self.error, "Message": "no"}})
        sent = json.loads(asked.body)
        action, version = asked.headers["x-tc-action"], asked.headers["x-tc-version"]
        if (action, version) == ("SendSms", "2021-01-11"):
            assert (sent["SmsSdkAppId"], sent["SignName"], sent["TemplateId"]) == ("1400006666", "阳江评选", "1110")
            (number,), (code, minutes) = sent["PhoneNumberSet"], sent["TemplateParamSet"]
            assert minutes == "5"
            if self.status == "Ok":
                self.messages.append(Message(number, code, False))
            status = {"SerialNo": "1", "PhoneNumber": number, "Fee": 1, "SessionContext": "", "IsoCode": "CN"}
            return self._reply({"SendStatusSet": [status | {"Code": self.status, "Message": self.status}]})
        if (action, version) == ("SendCodeVoice", "2020-09-02"):
            assert sent["VoiceSdkAppid"] == "1500006666"
            self.messages.append(Message(sent["CalledNumber"], sent["CodeMessage"], True))
            return self._reply({"SendStatus": {"CallId": "1", "SessionContext": ""}})
        return self._reply({"Error": {"Code": "InvalidAction", "Message": action}})

    def _reply(self, response: dict[str, Any]) -> Reply:
        return Reply(json.dumps({"Response": response | {"RequestId": "r"}}).encode())
