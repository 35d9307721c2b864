"""What kind of program a ballot comes from: one of four words, made from the User-Agent at sight and not kept."""

from __future__ import annotations

from flask import request

from voting.identity.wechat import in_wechat

#: words by which browsers on phones and tablets know themselves; desktops have none of them
_PHONES = ("Mobile", "Android", "iPhone", "iPad", "HarmonyOS")


def device_class(agent: str) -> str:
    """wechat, phone (another browser on one), desktop, or other (a program, or nothing said)."""
    if in_wechat(agent):
        return "wechat"
    if not agent.startswith("Mozilla/"):
        return "other"
    return "phone" if any(word in agent for word in _PHONES) else "desktop"


def sender_class() -> str:
    """The class of this request's sender."""
    return device_class(request.headers.get("User-Agent", ""))
