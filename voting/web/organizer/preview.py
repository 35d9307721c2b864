"""The citizens' page of a campaign as it will look once it is open, for the desk only; nothing on it votes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Response, redirect, render_template
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from voting.services.catalogue import get_campaign
from voting.services.drafting import get_dossier
from voting.services.finding import Listing
from voting.services.standing import NOTHING_USED
from voting.web.forms import FindForm
from voting.web.organizer.guard import allows, bp
from voting.web.pages import asked_award
from voting.web.rule_wording import brief
from voting.web.selection import read_selection, rooms


@bp.get("/campaigns/<slug>/preview")
@allows("organizer", "auditor", "administrator")
def preview(slug: str) -> BaseResponse:
    """The first page that citizens will meet, with the candidates there are."""
    dossier = get_dossier(slug)
    if dossier.stage != "draft":
        return redirect(f"/c/{slug}", 303)
    if not dossier.rules.awards:
        # There is nothing to show before there is something to win.
        return redirect(f"/organizer/campaigns/{slug}", 303)
    # Candidates are kept in memory for a moment; texts and rules are those that were saved last.
    shown: dict[str, Any] = {**dossier.texts, "banner": dossier.banner, "banner_alt": dossier.banner_alt}
    shown |= {"rules": dossier.rules, "stage": "open", "paused_reason": None}
    campaign = replace(get_campaign(slug), **shown)
    award = asked_award(campaign)
    selection = read_selection(campaign, MultiDict())
    offered = rooms(campaign.rules, selection, ())
    order = campaign.rules.display.order
    listing = Listing(order if order in ("number", "name") else "number")
    body = render_template(
        "organizer/preview.html",
        campaign=campaign,
        selection=selection,
        award=award,
        rooms=offered,
        room=next(room for room in offered if room.award.key == award.key),
        standing=NOTHING_USED,
        board=None,
        rows={},
        again=[],
        found=campaign.search(award=award.key, listing=listing),
        form=FindForm(),
        areas=campaign.areas_of(award.key),
        area="",
        q="",
        elsewhere=[],
        limits=brief(campaign.rules),
        carried=[],
    )
    return Response(body, mimetype="text/html")
