"""How a page presents itself where it is shared: Open Graph tags, and WeChat's card where the organizer has set it up.

Sharing is never asked for, rewarded or needed: WeChat blocks sites for that, and it would buy votes.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app, request

from voting.services.catalogue import CampaignView, CandidateView

#: WeChat's own script: the one thing that another host gives, and only where the card is set up
WECHAT_HOST = "https://res.wx.qq.com"
WECHAT_SCRIPT = f"{WECHAT_HOST}/open/js/jweixin-1.6.0.js"


@dataclass(frozen=True, slots=True)
class Share:
    """What is shown where a link to a page is shared; addresses are whole."""

    title: str
    description: str
    url: str
    image: str | None

    @classmethod
    def of_campaign(cls, campaign: CampaignView) -> Share:
        return cls(campaign.title, _short(campaign.summary), public_url(f"/c/{campaign.slug}"), None)

    @classmethod
    def of_candidate(cls, campaign: CampaignView, candidate: CandidateView) -> Share:
        url = public_url(f"/c/{campaign.slug}/candidates/{candidate.number}")
        # Whoever withdrew has no poster.
        drawn = f"{url}/poster.png" if candidate.standing == "standing" else None
        image = public_url(f"/photos/{candidate.photo}/640.jpg") if candidate.photo else drawn
        title = f"{candidate.number:02} {candidate.name} · {campaign.title}"
        return cls(title, _short(candidate.summary), url, image)


def public_url(path: str) -> str:
    """The whole address of one of our pages as citizens reach it."""
    base = current_app.config.get("PUBLIC_URL") or request.host_url.rstrip("/")
    return f"{base}{path}"


def wechat_script() -> str | None:
    """WeChat's script where the share card is set up, else None: then nothing is loaded from another host."""
    config = current_app.config
    return WECHAT_SCRIPT if config.get("WECHAT_APP_ID") and config.get("WECHAT_SECRET") else None


def _short(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:119]}…"
