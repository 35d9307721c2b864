"""What the ways to sign in need: half of it, or what is not safe, stops the start with one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

import config
from tests.test_config import GIVEN

WECHAT = {"WECHAT_APP_ID": "wx1", "WECHAT_SECRET": "s"}
OIDC = {"OIDC_ISSUER": "https://id.example/", "OIDC_CLIENT_ID": "voting"}
TENCENT = {
    "SMS_PROVIDER": "tencent", "TENCENT_SECRET_ID": "i", "TENCENT_SECRET_KEY": "k", "TENCENT_SMS_APP_ID": "1",
    "TENCENT_SMS_SIGN": "阳江", "TENCENT_SMS_TEMPLATE_ID": "2",
}  # fmt: skip


def test_nothing_is_needed_where_nothing_is_chosen() -> None:
    settings = config.load_config(GIVEN)
    assert settings["WECHAT_APP_ID"] == settings["OIDC_ISSUER"] == settings["SMS_PROVIDER"] == ""


def test_everything_given_is_taken() -> None:
    settings = config.load_config(GIVEN | WECHAT | OIDC | TENCENT)
    for name, value in (WECHAT | OIDC | TENCENT).items():
        assert settings[name] == value, "an issuer keeps its slash: it is compared letter by letter"
    assert (settings["OIDC_SCOPE"], settings["TENCENT_REGION"]) == ("openid", "ap-guangzhou")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"WECHAT_APP_ID": "wx1"}, "WECHAT_SECRET must be set too: WECHAT_APP_ID is set."),
        ({"WECHAT_SECRET": "s"}, "WECHAT_APP_ID must be set too"),
        ({"OIDC_ISSUER": "https://id.example"}, "OIDC_CLIENT_ID must be set too"),
        ({"SMS_PROVIDER": "tencent"}, "TENCENT_SMS_TEMPLATE_ID must be set too: SMS_PROVIDER is set."),
        (TENCENT | {"TENCENT_SMS_SIGN": " "}, "TENCENT_SMS_SIGN must be set too"),
        ({"SMS_PROVIDER": "pigeon"}, "SMS_PROVIDER is 'pigeon'"),
        ({"SMS_PROVIDER": "console"}, "production needs tencent"),
        (OIDC | {"OIDC_ISSUER": "http://id.example"}, "must begin with https://"),
        (WECHAT | {"WECHAT_API_BASE": "http://127.0.0.1:1"}, "must begin with https://"),
    ],
)
def test_what_stops_the_start(given: dict[str, str], says: str) -> None:
    with pytest.raises(config.ConfigurationError) as refused:
        config.load_config(GIVEN | given)
    assert says in str(refused.value)


def test_trying_out_may_do_more(tmp_path: Path) -> None:
    given = {"SMS_PROVIDER": "console", "VOTING_INSTANCE": str(tmp_path)} | OIDC | {"OIDC_ISSUER": "http://127.0.0.1:1"}
    settings = config.load_config(given)
    assert (settings["SMS_PROVIDER"], settings["OIDC_ISSUER"]) == ("console", "http://127.0.0.1:1")
