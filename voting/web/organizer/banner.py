"""The banner in the wizard's first step: a form of its own, because it carries a file."""

from __future__ import annotations

from flask import redirect, request
from werkzeug.wrappers import Response as BaseResponse

from voting.rules.candidate_errors import UploadRefused
from voting.rules.draft_errors import BannerNeedsWords
from voting.rules.errors import PhotoRefused
from voting.rules.stage_errors import ChangedMeanwhile
from voting.services.banners import LONGEST_ALT, remove_banner, set_banner
from voting.services.photos import MOST_BYTES
from voting.web.organizer.fields import clean
from voting.web.organizer.guard import allows, bp, takes
from voting.web.organizer.wizard import show_step


@bp.post("/campaigns/<slug>/banner")
@allows("organizer")
@takes(4 * MOST_BYTES)
def save_banner(slug: str) -> BaseResponse:
    """Store a banner with the words for who cannot see it, or take it away. Raises CampaignFrozen."""
    seen, alt = request.form.get("seen", ""), clean(request.form.get("alt"))
    try:
        if "remove" in request.form:
            remove_banner(slug, seen)
        else:
            sent = request.files.get("banner")
            content = sent.read(MOST_BYTES + 1) if sent else b""
            if not content and not request.form.get("have"):
                raise UploadRefused("none")
            if not alt or len(alt) > LONGEST_ALT:
                raise BannerNeedsWords
            set_banner(slug, content or None, alt, seen)
    except (UploadRefused, PhotoRefused, BannerNeedsWords, ChangedMeanwhile) as refused:
        return show_step(slug, "texts", refused, alt)
    return redirect(f"/organizer/campaigns/{slug}/edit/texts?saved=1", 303)
