"""What is said to somebody who signs in or has to solve a challenge: sentences and names, nothing is decided here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask_babel import get_locale, gettext, lazy_gettext

from voting.identity.question import Question
from voting.rules import errors, identity_errors
from voting.rules.errors import Refusal
from voting.web.times import duration

#: refusals whose sentence needs no fact: what happened, what to do next
PLAIN: dict[type[Refusal], tuple[Any, Any]] = {
    errors.ChallengeSpent: (
        lazy_gettext("这次验证已经用过，这张选票还没有计票。"),
        lazy_gettext("请再验证一次，然后提交。您选好的候选对象还在。"),
    ),
    identity_errors.SnapshotVisitor: (
        lazy_gettext("现在打开的是微信的预览页面，还不能投票。"),
        lazy_gettext("请点屏幕右下角的“使用完整服务”，再提交一次。您选好的候选对象还在。"),
    ),
    identity_errors.NumberNotValid: (
        lazy_gettext("这个手机号收不到验证码。"),
        lazy_gettext("请检查是不是 11 位的手机号码，或换一个号码。"),
    ),
    identity_errors.CodeExpired: (
        lazy_gettext("验证码已失效。"),
        lazy_gettext("请重新获取一个验证码，5 分钟内填写。"),
    ),
}


def provider_name(provider: str) -> str:
    """A provider as citizens call it."""
    names = {"wechat": gettext("微信"), "sms": gettext("手机短信"), "oidc": gettext("统一身份认证")}
    return names.get(provider, gettext("这部手机"))


def action_of(provider: str) -> str:
    """The button that begins to sign in."""
    actions = {
        "wechat": gettext("用微信确认身份"),
        "sms": gettext("用手机短信确认身份"),
        "oidc": gettext("用统一身份认证登录"),
    }
    return actions[provider]


def _required(refusal: identity_errors.SignInRequired) -> tuple[str, str]:
    return gettext("请先确认您的身份，这张选票还没有计票。"), gettext(
        "请重新打开确认页，按提示确认身份。您选好的候选对象还在。"
    )


def _lost(refusal: identity_errors.SignInLost) -> tuple[str, str]:
    title = gettext("%(provider)s的确认没有完成。", provider=provider_name(refusal.provider))
    return title, gettext(
        "可能是时间太久、换了浏览器，或浏览器没有保存 Cookie。请允许 Cookie，重新打开确认页，再确认一次。"
    )


def _denied(refusal: identity_errors.SignInDenied) -> tuple[str, str]:
    title = gettext("%(provider)s没有确认您的身份。", provider=provider_name(refusal.provider))
    return title, gettext("请重新打开确认页再试一次，并选择同意。您选好的候选对象还在。")


def _unavailable(refusal: identity_errors.ProviderUnavailable) -> tuple[str, str]:
    title = gettext("%(provider)s暂时没有回应。", provider=provider_name(refusal.provider))
    return title, gettext("请稍等片刻，重新打开确认页再试。您选好的候选对象还在。")


def _challenge(refusal: errors.ChallengeRequired) -> tuple[str, str]:
    next_step = gettext("请完成下面的验证，再提交一次。您选好的候选对象还在。")
    if refusal.problem == "wrong":
        return gettext("验证没有通过，这张选票还没有计票。"), next_step
    if refusal.problem == "expired":
        return gettext("验证已经过期，这张选票还没有计票。"), next_step
    return gettext("还差一步：这张选票要先验证，还没有计票。"), next_step


def _wait_s(retry_ms: int, at_ms: int) -> int:
    return max(1, -(-(retry_ms - at_ms) // 1000))


def _too_soon(refusal: identity_errors.CodeTooSoon, at_ms: int) -> tuple[str, str]:
    title = gettext("验证码刚刚发过。")
    return title, gettext(
        "请看一下手机短信；没有收到的话，%(time)s 后可以重新获取。", time=_spell(refusal.retry_ms, at_ms)
    )


def _limited(refusal: identity_errors.CodeLimited, at_ms: int) -> tuple[str, str]:
    when = gettext("请 %(time)s 后再试。", time=_spell(refusal.retry_ms, at_ms))
    if refusal.scope == "number":
        return gettext("这个手机号获取验证码的次数太多。"), when
    return gettext("您所在的网络获取验证码的次数太多。"), when


def _spell(retry_ms: int, at_ms: int) -> str:
    wait_s = _wait_s(retry_ms, at_ms)
    return duration(wait_s if wait_s < 120 else -(-wait_s // 60) * 60)


def _wrong(refusal: identity_errors.CodeWrong) -> tuple[str, str]:
    return gettext("验证码不对。"), gettext("请核对后再填，还可以试 %(left)s 次。", left=refusal.left)


WITH_FACTS: dict[type[Refusal], Callable[[Any], tuple[str, str]]] = {
    errors.ChallengeRequired: _challenge,
    identity_errors.SignInRequired: _required,
    identity_errors.SignInLost: _lost,
    identity_errors.SignInDenied: _denied,
    identity_errors.ProviderUnavailable: _unavailable,
    identity_errors.CodeWrong: _wrong,
}
WITH_TIME: dict[type[Refusal], Callable[[Any, int], tuple[str, str]]] = {
    identity_errors.CodeTooSoon: _too_soon,
    identity_errors.CodeLimited: _limited,
}

#: number words up to nineteen: a question is read by people, and read out by their aids
_CHINESE = "零一二三四五六七八九十"
_ENGLISH = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
]


def _number(value: int) -> str:
    locale = get_locale()
    if locale is not None and locale.language == "en":
        return _ENGLISH[value]
    return _CHINESE[value] if value <= 10 else f"十{_CHINESE[value - 10]}"


def question_sentence(question: Question) -> str:
    """The question as it is asked."""
    if question.kind == "larger":
        return gettext("%(one)s 和 %(other)s，哪个数大？", one=question.one, other=question.other)
    words = {"one": _number(question.one), "other": _number(question.other)}
    if question.kind == "sum":
        return gettext("%(one)s加%(other)s等于几？", **words)
    return gettext("%(one)s减%(other)s等于几？", **words)
