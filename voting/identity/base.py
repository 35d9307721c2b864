"""What every identity provider gives: a subject it vouches for. WeChat, SMS and OIDC will stand beside device.py."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody a provider recognises. ``subject`` is the provider's own name for them, never stored as it is;
    ``since_ms`` is when the provider first saw them."""

    provider: str
    subject: str
    since_ms: int
